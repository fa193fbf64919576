"""The second factor of members who sign in by password: a key in their phone, and codes for when that is lost."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from contracts.sealing import MasterKeys, WrappedKey
from stores.audit import record_deed
from stores.database import Connection, Pool, clean_text, one_statement
from stores.members import UnknownMemberError
from stores.one_time_code import DIGITS, is_code, new_key, step_of
from stores.staff_signed_out import end_sessions, forget_second_factor

RECOVERY_CODES = 10
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_LENGTH = 24
"""Of 32 letters: 120 bits, of which a plain SHA-256 gives nothing away."""

ShownBy = Literal["a code", "a recovery code"]


class NoSecondFactorError(LookupError):
    """This member has no second factor."""


class SecondFactorStore:
    """Second factors. `keys` seal them; `now` is wall time."""

    def __init__(self, pool: Pool, keys: MasterKeys, now: Callable[[], datetime]) -> None:
        self._pool, self._keys, self._now = pool, keys, now

    async def has(self, member: str) -> bool:
        """Whether a second factor of theirs counts."""
        async with one_statement(self._pool) as connection:
            return await _row(connection, member, "counts") is not None

    async def recovery_codes_left(self, member: str) -> int:
        """How many of their recovery codes were not used."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select count(*) as n from recovery_codes where member = %s", [member]
            )
            row = await cursor.fetchone()
        return row["n"] if row else 0

    async def offer(self, member: str) -> None:
        """A new key for their phone; it counts once they show a code of it."""
        sealed = self._keys.wrap(new_key(), _owner(member), 1)
        async with self._pool.connection() as connection:
            await connection.execute(
                """
                insert into second_factors (member, state, master, secret, made_at)
                values (%s, 'offered', %s, %s, %s)
                on conflict (member, state) do update set master = excluded.master,
                       secret = excluded.secret, made_at = excluded.made_at, last_step = 0
                """,
                [member, sealed.master, sealed.wrapped, self._now()],
            )

    async def offered(self, member: str) -> bytes | None:
        """The key that waits for its first code."""
        async with one_statement(self._pool) as connection:
            row = await _row(connection, member, "offered")
        return self._opened(row) if row else None

    async def confirm(self, member: str, code: str) -> list[str] | None:
        """They show a code of the key that was offered: it counts now, and every session of theirs is over.

        The recovery codes, which are shown once and take the place of those before; None where the code is wrong.
        """
        step = step_of(self._now())
        async with self._pool.connection() as connection:
            row = await _row(connection, member, "offered", lock=True)
            if row is None or not is_code(self._opened(row), step, _plain(code)):
                return None
            await connection.execute(
                "delete from second_factors where member = %s and state = 'counts'", [member]
            )
            await connection.execute(
                "update second_factors set state = 'counts', last_step = %s where member = %s",
                [step, member],
            )
            await end_sessions(connection, member)
            codes = await _new_recovery_codes(connection, member)
            await record_deed(connection, member, "set a second factor", f"member {member}")
        return codes

    async def shown(self, member: str, code: str) -> ShownBy | None:
        """By what they show their second factor, which is used up by that; None where it is not theirs."""
        plain = _plain(code)
        async with self._pool.connection() as connection:
            if len(plain) != DIGITS:
                return await self._recovered(connection, member, plain)
            row = await _row(connection, member, "counts", lock=True)
            step = step_of(self._now())
            if (
                row is None
                or row["last_step"] >= step
                or not is_code(self._opened(row), step, plain)
            ):
                return None
            await connection.execute(
                "update second_factors set last_step = %s where member = %s and state = 'counts'",
                [step, member],
            )
        return "a code"

    async def reset(self, member: str, *, by: str) -> None:
        """They lost it: they set up a new one when they sign in, and are signed out everywhere.

        Raises: `UnknownMemberError`, `NoSecondFactorError`.
        """
        member = clean_text(member)
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select member from members where member = %s and left_at is null", [member]
            )
            if await cursor.fetchone() is None:
                raise UnknownMemberError(f"there is no member {member!r}")
            if not await forget_second_factor(connection, member):
                raise NoSecondFactorError(f"{member} has no second factor")
            await record_deed(connection, by, "reset the second factor", f"member {member}")

    async def rewrap(self) -> int:
        """Put every key under the newest master key; how many were not. May be repeated."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select member, state, master, secret from second_factors where master <> %s for update",
                [self._keys.newest],
            )
            rows = await cursor.fetchall()
            for row in rows:
                new = self._keys.wrap(self._opened(row), _owner(row["member"]), 1)
                await connection.execute(
                    "update second_factors set master = %s, secret = %s where member = %s and state = %s",
                    [new.master, new.wrapped, row["member"], row["state"]],
                )
        return len(rows)

    async def _recovered(
        self, connection: Connection, member: str, plain: str
    ) -> Literal["a recovery code"] | None:
        cursor = await connection.execute(
            "delete from recovery_codes where digest = %s and member = %s",
            [_digest(plain), member],
        )
        if not cursor.rowcount:
            return None
        await record_deed(connection, member, "used a recovery code", f"member {member}")
        return "a recovery code"

    def _opened(self, row: dict[str, Any]) -> bytes:
        kept = WrappedKey(row["master"], bytes(row["secret"]))
        return self._keys.unwrap(kept, _owner(row["member"]), 1)


async def _row(
    connection: Connection, member: str, state: str, *, lock: bool = False
) -> dict[str, Any] | None:
    query = "select member, master, secret, last_step from second_factors where member = %s and state = %s"
    locked = "select member, master, secret, last_step from second_factors where member = %s and state = %s for update"
    cursor = await connection.execute(locked if lock else query, [member, state])
    return await cursor.fetchone()


async def _new_recovery_codes(connection: Connection, member: str) -> list[str]:
    await connection.execute("delete from recovery_codes where member = %s", [member])
    codes = [
        "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)) for _ in range(RECOVERY_CODES)
    ]
    for each in codes:
        await connection.execute(
            "insert into recovery_codes (digest, member) values (%s, %s)", [_digest(each), member]
        )
    return ["-".join(each[at : at + 4] for at in range(0, _LENGTH, 4)) for each in codes]


def _plain(code: str) -> str:
    """As it was made, however it was typed."""
    return "".join(each for each in code.upper() if each.isascii() and each.isalnum())


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


def _owner(member: str) -> str:
    return f"second factor {member}"
