"""Tokens of staff and their programs: named, with a role; only a digest is kept, the token is shown once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from journey.staff_roles import Role
from stores.audit import record_deed
from stores.database import Pool, clean_text
from stores.sealed_secret import STAFF_TOKEN, digest, mistyped, new_secret


@dataclass(slots=True, frozen=True, kw_only=True)
class StaffToken:
    """A token as it can be listed: never the token itself."""

    name: str
    role: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class StaffTokenStore:
    """Tokens beside the installation's own."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def create(
        self, name: str, role: Role, *, lasts: timedelta | None = None, by: str
    ) -> str:
        """Make a token and return it; it cannot be read again."""
        token, named = new_secret(STAFF_TOKEN), clean_text(name)
        async with self._pool.connection() as connection:
            await connection.execute(
                "insert into staff_tokens (digest, name, role, expires_at)"
                " values (%s, %s, %s, now() + %s)",
                [digest(token), named, role, lasts],
            )
            await record_deed(connection, by, "made", f"staff token {named}", {"role": role})
        return token

    async def holder(self, token: str) -> tuple[str, Role] | None:
        """Whose token it is and how far it goes; None where it is unknown, revoked or over."""
        if mistyped(token, STAFF_TOKEN):
            return None
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select name, role from staff_tokens where digest = %s and revoked_at is null"
                " and (expires_at is null or expires_at > now())",
                [digest(token)],
            )
            row = await cursor.fetchone()
        return (row["name"], cast("Role", row["role"])) if row else None

    async def revoke(self, name: str, *, by: str) -> int:
        """Accept no token of this name any more; returns how many there were."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "update staff_tokens set revoked_at = now() where name = %s and revoked_at is null",
                [clean_text(name)],
            )
            if cursor.rowcount:
                await record_deed(connection, by, "revoked", f"staff token {clean_text(name)}")
            return cursor.rowcount

    async def tokens(self) -> list[StaffToken]:
        """All tokens, the newest first."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select name, role, created_at, expires_at, revoked_at from staff_tokens"
                " order by created_at desc, name"
            )
            return [StaffToken(**row) for row in await cursor.fetchall()]
