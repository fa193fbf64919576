"""Who of staff is signed in: a cookie in their browser, of which we keep the SHA-256, and how often it was guessed."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import JsonValue

from stores.audit import record_deed
from stores.database import Pool, clean_text, one_statement
from stores.members import Member, UnknownMemberError, read_member
from stores.staff_signed_out import end_sessions

Place = Literal["inbox", "histories"]
"""Where somebody is signed in: a cookie of the one opens nothing at the other."""

LONGEST = timedelta(hours=8)
IDLE = timedelta(hours=2)
MOST = 20
"""Sessions of one member at once; the one that was used longest ago makes room."""

NOTED_AFTER = timedelta(minutes=1)
"""That a session is in use is written down once a minute at most."""

UNDER_WAY = timedelta(minutes=10)
"""So long a login at the OpenID provider may take."""

HALF = timedelta(minutes=10)
"""So long somebody who knew the password may take to show the second factor, or to set it up."""

PASSAGE = timedelta(minutes=1)
"""So long the way from the inbox to the page of histories may take."""

PROVED = timedelta(minutes=5)
"""So long it counts that somebody who is signed in proved themselves again at the provider."""

WINDOW = timedelta(minutes=15)
TRIES = {"both": 5, "name": 30, "address": 60}
"""So often in that time: for a name from one address, for a name from anywhere, and from one address."""


class TooManyTriesError(Exception):
    """It was tried too often to sign in; later it may be tried again."""


@dataclass(slots=True, frozen=True, kw_only=True)
class OpenIdLogin:
    """A login under way. `leads_to`: the page that was asked for.

    `again`: the session of whoever is signed in and proves themselves again, and since when they are on their way.
    """

    nonce: str
    verifier: str
    leads_to: str
    again: UUID | None = None
    began_at: datetime | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class HalfSignIn:
    """Somebody who knew the password. `leads_to`: the page that was asked for."""

    member: str
    leads_to: str


@dataclass(slots=True, frozen=True, kw_only=True)
class OpenSession:
    """One session of a member. `session` names it and opens nothing; `here`: it is this one.

    `proved`: they proved themselves again a moment ago, within it.
    """

    session: UUID
    place: Place
    how: str
    address: str
    browser: str
    created_at: datetime
    used_at: datetime
    here: bool
    proved: bool


class SignInStore:
    """Sessions of staff, the same for every process of the API. `now` is wall time."""

    def __init__(self, pool: Pool, now: Callable[[], datetime]) -> None:
        self._pool = pool
        self._now = now

    async def begin(
        self,
        member: str,
        how: str,
        *,
        place: Place = "inbox",
        address: str = "",
        browser: str = "",
        instead_of: str = "",
    ) -> str:
        """A new session: what the cookie holds.

        `how`: by what they proved themselves. `browser`: as it calls itself. `instead_of`: the cookie that it had.
        """
        cookie, now = secrets.token_urlsafe(32), self._now()
        async with self._pool.connection() as connection:
            await connection.execute(
                "delete from staff_sessions where expires_at < %s or digest = %s",
                [now, _digest(instead_of)],
            )
            await connection.execute(
                "delete from staff_sessions where digest in (select digest from staff_sessions"
                " where member = %s order by used_at desc, created_at desc offset %s)",
                [member, MOST - 1],
            )
            await connection.execute(
                "insert into staff_sessions (digest, member, created_at, used_at, expires_at, place, how,"
                " address, browser) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    *(_digest(cookie), member, now, now, now + LONGEST, place, how),
                    *(address, clean_text(browser)[:300]),
                ],
            )
            told: dict[str, JsonValue] = {"by": how}
            if place != "inbox":
                told["at"] = place
            await record_deed(connection, member, "signed in", f"member {member}", told)
        return cookie

    async def known(self, cookie: str, place: Place = "inbox") -> Member | None:
        """Who is signed in there with this cookie; whoever has left is not."""
        if not cookie:
            return None
        now = self._now()
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select member, used_at from staff_sessions"
                " where digest = %s and place = %s and expires_at > %s and used_at > %s",
                [_digest(cookie), place, now, now - IDLE],
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

    async def sessions(self, member: str, cookie: str) -> list[OpenSession]:
        """Where they are signed in, what was used last first; this is the browser with that cookie."""
        now = self._now()
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select session, place, how, address, browser, created_at, used_at, digest = %s as here,"
                " coalesce(proved_at > %s, false) as proved from staff_sessions"
                " where member = %s and expires_at > %s and used_at > %s order by used_at desc, session",
                [_digest(cookie), now - PROVED, member, now, now - IDLE],
            )
            return [_session(row) for row in await cursor.fetchall()]

    async def end(self, cookie: str, member: str) -> None:
        """No more of this session."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "delete from staff_sessions where digest = %s", [_digest(cookie)]
            )
            await record_deed(connection, member, "signed out", f"member {member}")

    async def end_one(self, member: str, session: UUID) -> bool:
        """No more of that session of theirs; whether it was there."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "delete from staff_sessions where member = %s and session = %s", [member, session]
            )
            if cursor.rowcount:
                await record_deed(connection, member, "ended a session", f"member {member}")
        return bool(cursor.rowcount)

    async def end_others(self, member: str, cookie: str) -> int:
        """No more of any session of theirs but the one with this cookie; how many there were."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "delete from staff_sessions where member = %s and digest <> %s",
                [member, _digest(cookie)],
            )
            told: dict[str, JsonValue] = {"sessions": cursor.rowcount}
            await record_deed(connection, member, "ended other sessions", f"member {member}", told)
        return cursor.rowcount

    async def end_all(self, member: str, *, by: str) -> int:
        """They are signed in nowhere any more; how many sessions there were. Raises: `UnknownMemberError`."""
        member = clean_text(member)
        async with self._pool.connection() as connection:
            if await read_member(connection, member) is None:
                raise UnknownMemberError(f"there is no member {member!r}")
            ended = await end_sessions(connection, member)
            told: dict[str, JsonValue] = {"sessions": ended}
            await record_deed(connection, by, "signed out everywhere", f"member {member}", told)
        return ended

    async def end_everybodys(self, *, by: str) -> int:
        """Nobody of staff is signed in any more; how many sessions there were."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute("delete from staff_sessions")
            await connection.execute("delete from half_sign_ins")
            await connection.execute("delete from staff_passages")
            told: dict[str, JsonValue] = {"sessions": cursor.rowcount}
            await record_deed(connection, by, "signed everybody out", "members", told)
        return cursor.rowcount

    async def prove(self, cookie: str, session: UUID, member: str) -> str | None:
        """Whoever has this cookie proved themselves again: what it holds from now on, for the old one is over.

        None where that session is not theirs, or over.
        """
        new = secrets.token_urlsafe(32)
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "update staff_sessions set proved_at = %s, digest = %s"
                " where digest = %s and session = %s and member = %s",
                [self._now(), _digest(new), _digest(cookie), session, member],
            )
        return new if cursor.rowcount else None

    async def begin_half(self, member: str, leads_to: str) -> str:
        """They knew the password, which is not enough: what the cookie holds until the second factor is shown."""
        cookie, now = secrets.token_urlsafe(32), self._now()
        async with self._pool.connection() as connection:
            await connection.execute("delete from half_sign_ins where expires_at < %s", [now])
            await connection.execute(
                "insert into half_sign_ins (digest, member, leads_to, expires_at) values (%s, %s, %s, %s)",
                [_digest(cookie), member, leads_to, now + HALF],
            )
        return cookie

    async def half(self, cookie: str) -> HalfSignIn | None:
        """Who knew the password in this browser; nobody who has left since."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select member, leads_to from half_sign_ins h join members using (member)"
                " where digest = %s and expires_at > %s and left_at is null",
                [_digest(cookie), self._now()],
            )
            row = await cursor.fetchone()
        return HalfSignIn(**row) if row else None

    async def end_half(self, cookie: str) -> bool:
        """They are through; whether they still were on their way, which is so once."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "delete from half_sign_ins where digest = %s", [_digest(cookie)]
            )
        return bool(cursor.rowcount)

    async def begin_passage(self, member: str, how: str) -> str:
        """Whoever is signed in at the inbox goes to the page of histories: what they carry there."""
        passage, now = secrets.token_urlsafe(32), self._now()
        async with self._pool.connection() as connection:
            await connection.execute("delete from staff_passages where expires_at < %s", [now])
            await connection.execute(
                "insert into staff_passages (digest, member, how, expires_at) values (%s, %s, %s, %s)",
                [_digest(passage), member, how, now + PASSAGE],
            )
        return passage

    async def end_passage(self, passage: str) -> tuple[Member, str] | None:
        """Who arrives with it, and how they had signed in: once, and within a minute."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "delete from staff_passages where digest = %s returning member, how, expires_at",
                [_digest(passage)],
            )
            row = await cursor.fetchone()
            if row is None or row["expires_at"] <= self._now():
                return None
            member = await read_member(connection, row["member"])
        return (member, row["how"]) if member is not None and member.left_at is None else None

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
                "insert into openid_logins (digest, nonce, verifier, leads_to, again, began_at, expires_at)"
                " values (%s, %s, %s, %s, %s, %s, %s)",
                [
                    *(_digest(state), login.nonce, login.verifier, login.leads_to, login.again),
                    *(now if login.again else None, now + UNDER_WAY),
                ],
            )

    async def taken_openid(self, state: str) -> OpenIdLogin | None:
        """The login that this answer is of, once; None for any other."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "delete from openid_logins where digest = %s"
                " returning nonce, verifier, leads_to, again, began_at, expires_at",
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


def _session(row: dict[str, Any]) -> OpenSession:
    return OpenSession(**row)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
