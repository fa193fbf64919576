"""Who of staff is signed in: a cookie in their browser, of which we keep the SHA-256, and how often it was guessed."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from stores.audit import record_deed
from stores.database import Pool, clean_text, one_statement
from stores.members import Member, read_member

LONGEST = timedelta(hours=8)
IDLE = timedelta(hours=2)
NOTED_AFTER = timedelta(minutes=1)
"""That a session is in use is written down once a minute at most."""

UNDER_WAY = timedelta(minutes=10)
"""So long a login at the OpenID provider may take."""

WINDOW = timedelta(minutes=15)
TRIES = {"both": 5, "name": 30, "address": 60}
"""So often in that time: for a name from one address, for a name from anywhere, and from one address."""


class TooManyTriesError(Exception):
    """It was tried too often to sign in; later it may be tried again."""


@dataclass(slots=True, frozen=True, kw_only=True)
class OpenIdLogin:
    """A login under way. `leads_to`: the page that was asked for."""

    nonce: str
    verifier: str
    leads_to: str


class SignInStore:
    """Sessions of staff, the same for every process of the API. `now` is wall time."""

    def __init__(self, pool: Pool, now: Callable[[], datetime]) -> None:
        self._pool = pool
        self._now = now

    async def begin(self, member: str, how: str) -> str:
        """A new session: what the cookie holds. `how`: by password, or by the OpenID provider."""
        cookie, now = secrets.token_urlsafe(32), self._now()
        async with self._pool.connection() as connection:
            await connection.execute("delete from staff_sessions where expires_at < %s", [now])
            await connection.execute(
                "insert into staff_sessions (digest, member, created_at, used_at, expires_at)"
                " values (%s, %s, %s, %s, %s)",
                [_digest(cookie), member, now, now, now + LONGEST],
            )
            await record_deed(connection, member, "signed in", f"member {member}", {"by": how})
        return cookie

    async def known(self, cookie: str) -> Member | None:
        """Who is signed in with this cookie; whoever has left is not."""
        if not cookie:
            return None
        now = self._now()
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select member, used_at from staff_sessions"
                " where digest = %s and expires_at > %s and used_at > %s",
                [_digest(cookie), now, now - IDLE],
            )
            row = await cursor.fetchone()
            if row is None:
                return None
            if now - row["used_at"] >= NOTED_AFTER:
                await connection.execute(
                    "update staff_sessions set used_at = %s where digest = %s",
                    [now, _digest(cookie)],
                )
            member = await read_member(connection, row["member"])
        return member if member is not None and member.left_at is None else None

    async def end(self, cookie: str, member: str, *, everywhere: bool = False) -> None:
        """No more of this session; or of all that this member has."""
        async with self._pool.connection() as connection:
            if everywhere:
                await connection.execute("delete from staff_sessions where member = %s", [member])
            else:
                await connection.execute(
                    "delete from staff_sessions where digest = %s", [_digest(cookie)]
                )
            did = "signed out everywhere" if everywhere else "signed out"
            await record_deed(connection, member, did, f"member {member}")

    async def tried(self, name: str, address: str) -> None:
        """Somebody tries to sign in: counted before it is known whether they may.

        Raises: `TooManyTriesError`.
        """
        name, now = clean_text(name).strip().lower(), self._now()
        keys = {"both": f"{name}\n{address}", "name": f"{name}\n", "address": f"\n{address}"}
        counted: dict[str, int] = {}
        async with self._pool.connection() as connection:
            await connection.execute(
                "delete from sign_in_tries where since < %s", [now - 4 * WINDOW]
            )
            for kind, key in sorted(keys.items(), key=lambda each: _digest(each[1])):
                cursor = await connection.execute(
                    """
                    insert into sign_in_tries (whose, tries, since) values (%(key)s, 1, %(now)s)
                    on conflict (whose) do update set
                        tries = case when sign_in_tries.since < %(old)s then 1 else sign_in_tries.tries + 1 end,
                        since = case when sign_in_tries.since < %(old)s then %(now)s else sign_in_tries.since end
                    returning tries
                    """,
                    {"key": _digest(key), "now": now, "old": now - WINDOW},
                )
                row = await cursor.fetchone()
                assert row is not None
                counted[kind] = row["tries"]
        if any(tries > TRIES[kind] for kind, tries in counted.items()):
            raise TooManyTriesError("too many tries; come again in a quarter of an hour")

    async def may_try_again(self, name: str, address: str) -> None:
        """They knew the password: what was tried from there counts no more."""
        name = clean_text(name).strip().lower()
        keys = [f"{name}\n{address}", f"{name}\n"]
        async with self._pool.connection() as connection:
            await connection.execute(
                "delete from sign_in_tries where whose = any(%s)", [list(map(_digest, keys))]
            )

    async def start_openid(self, state: str, login: OpenIdLogin) -> None:
        """Remember a login that goes to the provider."""
        now = self._now()
        async with self._pool.connection() as connection:
            await connection.execute("delete from openid_logins where expires_at < %s", [now])
            await connection.execute(
                "insert into openid_logins (digest, nonce, verifier, leads_to, expires_at)"
                " values (%s, %s, %s, %s, %s)",
                [_digest(state), login.nonce, login.verifier, login.leads_to, now + UNDER_WAY],
            )

    async def taken_openid(self, state: str) -> OpenIdLogin | None:
        """The login that this answer is of, once; None for any other."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "delete from openid_logins where digest = %s returning nonce, verifier, leads_to, expires_at",
                [_digest(state)],
            )
            row = await cursor.fetchone()
        if row is None or row.pop("expires_at") <= self._now():
            return None
        return OpenIdLogin(**row)

    async def member_of(self, subject: str, email: str | None) -> str | None:
        """Who this is at the provider: by `subject`, or once by a verified address, which is tied to it then."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select member from members where subject = %s and left_at is null", [subject]
            )
            row = await cursor.fetchone()
            if row is not None or not email:
                return row["member"] if row else None
            cursor = await connection.execute(
                "update members set subject = %s where lower(email) = lower(%s) and subject is null"
                " and left_at is null and not exists (select from members where subject = %s) returning member",
                [subject, clean_text(email), subject],
            )
            row = await cursor.fetchone()
            if row is None:
                return None
            what = f"member {row['member']}"
            await record_deed(connection, row["member"], "tied to the OpenID provider", what)
        return row["member"]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
