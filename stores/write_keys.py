"""Write keys: who may send us touchpoints. Only a digest is kept; the key is shown once."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from stores.database import Pool, clean_text, one_statement


@dataclass(slots=True, frozen=True, kw_only=True)
class WriteKey:
    """A write key as it can be listed: never the key itself."""

    name: str
    created_at: datetime
    revoked_at: datetime | None = None


class WriteKeyStore:
    """Keys of 256 random bits; of such keys a plain SHA-256 gives nothing away."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def create(self, name: str) -> str:
        """Make a key under this name and return it; it cannot be read again."""
        key = secrets.token_urlsafe(32)
        await self.add(name, key)
        return key

    async def add(self, name: str, key: str) -> None:
        """Accept a key chosen elsewhere; adding it twice is adding it once."""
        async with one_statement(self._pool) as connection:
            await connection.execute(
                "insert into write_keys (digest, name) values (%s, %s)"
                " on conflict (digest) do update set name = excluded.name, revoked_at = null",
                [_digest(key), clean_text(name)],
            )

    async def name_of(self, key: str) -> str | None:
        """Whose key it is; None where it is unknown or revoked."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select name from write_keys where digest = %s and revoked_at is null",
                [_digest(key)],
            )
            row = await cursor.fetchone()
        return row["name"] if row else None

    async def revoke(self, name: str) -> int:
        """Accept no key of this name any more; returns how many there were."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "update write_keys set revoked_at = now() where name = %s and revoked_at is null",
                [name],
            )
            return cursor.rowcount

    async def keys(self) -> list[WriteKey]:
        """All keys, the newest first."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select name, created_at, revoked_at from write_keys order by created_at desc, name"
            )
            return [WriteKey(**row) for row in await cursor.fetchall()]


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
