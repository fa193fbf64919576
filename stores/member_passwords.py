"""Passwords of members of staff: scrypt, each with a salt of its own, and compared in the same time for whomever."""

import asyncio
import base64
import hashlib
import hmac
import re
import secrets

from zxcvbn import zxcvbn

from stores.audit import record_deed
from stores.database import Connection, Pool, clean_text, one_statement
from stores.members import UnknownMemberError
from stores.staff_signed_out import end_sessions

SHORTEST, LONGEST = 12, 200
"""Characters of a password."""

HOUSE_WORDS = ("clew",)
SHORTEST_WORD = 4
"""Words of ours, of the member and of their address, from so many letters on, are in no password."""

LEAST_GUESSES = 1e8
"""So many tries it takes at least somebody who begins with the 30,000 passwords that most people have, with names,
words, keys beside each other, dates and all of them put together: zxcvbn (Wheeler 2016, USENIX Security)."""

_LOOKED_AT = 72
"""Characters that are looked at; more only take time."""

_LOG2_N, _R, _P = 15, 8, 3
"""As OWASP writes for scrypt with 32 MB: 2^15, 8, 3."""

_AT_ONCE = asyncio.Semaphore(2)
"""Each takes 32 MB and a core: whoever tries many at once waits."""


class WeakPasswordError(ValueError):
    """The password is too short, too long, or made of what everybody knows; the message says how it must be."""


class MemberPasswordStore:
    """Sets passwords, and tells who knows theirs."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def set(self, member: str, password: str, *, by: str) -> None:
        """A new password; whoever was signed in as this member is out.

        Raises: `WeakPasswordError`, `UnknownMemberError`.
        """
        if not SHORTEST <= len(password) <= LONGEST:
            raise WeakPasswordError(f"a password has {SHORTEST} to {LONGEST} characters")
        if await asyncio.to_thread(_guesses, password) < LEAST_GUESSES:
            raise WeakPasswordError(
                "a password is not made of what very many use: take a few words that have nothing to do with each other"
            )
        written = await _made(password, secrets.token_bytes(16), (_LOG2_N, _R, _P))
        async with self._pool.connection() as connection:
            await _refuse_what_everybody_knows(connection, clean_text(member), password)
            cursor = await connection.execute(
                "update members set password = %s where member = %s and left_at is null",
                [written, clean_text(member)],
            )
            if not cursor.rowcount:
                raise UnknownMemberError(f"there is no member {member!r}")
            await end_sessions(connection, clean_text(member))
            await record_deed(connection, by, "set a password", f"member {clean_text(member)}")

    async def has(self, member: str) -> bool:
        """Whether they have a password."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select password is not null as has from members where member = %s", [member]
            )
            row = await cursor.fetchone()
        return bool(row and row["has"])

    async def knows(self, name: str, password: str) -> str | None:
        """The member of this name or e-mail address whose password it is; None for anybody else.

        It takes as long for a name that nobody has.
        """
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select member, password from members"
                " where left_at is null and (member = %(name)s or lower(email) = lower(%(name)s))"
                " order by member = %(name)s desc limit 1",
                {"name": clean_text(name)},
            )
            row = await cursor.fetchone()
        kept = row["password"] if row and row["password"] else _NOBODYS
        right = await _same(kept, password[: LONGEST + 1])
        return row["member"] if row and right and kept is not _NOBODYS else None


def _guesses(password: str) -> float:
    return float(zxcvbn(password[:_LOOKED_AT])["guesses"])


async def _refuse_what_everybody_knows(connection: Connection, member: str, password: str) -> None:
    cursor = await connection.execute(
        "select member, name, coalesce(email, '') as email from members where member = %s", [member]
    )
    row = await cursor.fetchone()
    known = " ".join(row.values()) if row else ""
    words = {*HOUSE_WORDS, *re.findall(rf"\w{{{SHORTEST_WORD},}}", known.casefold())}
    used = [each for each in sorted(words) if each in password.casefold()]
    if used:
        raise WeakPasswordError(f"a password does not hold {used[0]!r}: everybody here knows that")


async def _made(password: str, salt: bytes, costs: tuple[int, int, int]) -> str:
    log2_n, r, p = costs
    async with _AT_ONCE:
        digest = await asyncio.to_thread(
            hashlib.scrypt, password.encode(), salt=salt, n=1 << log2_n, r=r, p=p,
            maxmem=2 * 128 * r * (1 << log2_n), dklen=32,
        )  # fmt: skip
    shown = "$".join(base64.b64encode(each).decode() for each in (salt, digest))
    return f"scrypt${log2_n}${r}${p}${shown}"


async def _same(kept: str, password: str) -> bool:
    _, log2_n, r, p, salt, _ = kept.split("$")
    costs = (int(log2_n), int(r), int(p))
    return hmac.compare_digest(kept, await _made(password, base64.b64decode(salt), costs))


_NOBODYS = f"scrypt${_LOG2_N}${_R}${_P}${base64.b64encode(bytes(16)).decode()}$"
"""What the password of a name is compared with that nobody has: no password makes it."""
