"""Write keys: who may send us touchpoints. Only a digest is kept; the key is shown once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, LiteralString

from pydantic import JsonValue

from stores.audit import record_deed
from stores.database import Connection, Pool, clean_text, one_statement
from stores.sealed_secret import WRITE_KEY, digest, mistyped, new_secret

Scope = Literal["ingest", "devices"]
SCOPES: tuple[Scope, ...] = ("ingest", "devices")

# That it was used is written once an hour: whoever sends does it many times a second.
_NAME_OF: LiteralString = """
with good as (
    select digest, name, used_at from write_keys
     where digest = %s and revoked_at is null and (expires_at is null or expires_at > now()) and %s = any(scopes)),
used as (
    update write_keys k set used_at = now() from good
     where k.digest = good.digest and coalesce(good.used_at, '-infinity') < now() - interval '1 hour')
select name from good
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class WriteKey:
    """A write key as it can be listed: never the key itself. `used_at`: when it was good for something, to the hour."""

    name: str
    created_at: datetime
    revoked_at: datetime | None = None
    expires_at: datetime | None = None
    scopes: Sequence[str] = SCOPES
    used_at: datetime | None = None


class WriteKeyStore:
    """Keys, each for certain doors and until a certain time; several may have one name."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def create(
        self,
        name: str,
        *,
        scopes: Sequence[Scope] = SCOPES,
        lasts: timedelta | None = None,
        by: str = "",
    ) -> str:
        """Make a key under this name and return it; it cannot be read again."""
        key = new_secret(WRITE_KEY)
        async with self._pool.connection() as connection:
            await connection.execute(
                "insert into write_keys (digest, name, scopes, expires_at)"
                " values (%s, %s, %s, now() + %s)",
                [digest(key), clean_text(name), list(scopes), lasts],
            )
            await _record(connection, by, "made", name, scopes=list(scopes))
        return key

    async def add(self, name: str, key: str) -> None:
        """Accept a key chosen elsewhere; adding it twice is adding it once."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "insert into write_keys (digest, name) values (%s, %s)"
                " on conflict (digest) do update set name = excluded.name, revoked_at = null"
                " where write_keys.name <> excluded.name or write_keys.revoked_at is not null",
                [digest(key), clean_text(name)],
            )
            if cursor.rowcount:
                await _record(connection, "", "accepted", name)

    async def name_of(self, key: str, scope: Scope = "ingest") -> str | None:
        """Whose key it is; None where it is unknown, revoked, over, or not for this."""
        if mistyped(key, WRITE_KEY):
            return None
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(_NAME_OF, [digest(key), scope])
            row = await cursor.fetchone()
        return row["name"] if row else None

    async def rotate(self, name: str, *, overlap: timedelta, by: str = "") -> str | None:
        """A new key for the same doors, which ends when the old ones would have; None where there is none.

        Those of this name end after the overlap, or before it where they would have.
        """
        key = new_secret(WRITE_KEY)
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                with old as materialized (
                    select digest, scopes, expires_at from write_keys
                     where name = %(name)s and revoked_at is null
                       and (expires_at is null or expires_at > now())
                       for update),
                ended as (
                    update write_keys k set expires_at = least(k.expires_at, now() + %(overlap)s)
                      from old where k.digest = old.digest)
                insert into write_keys (digest, name, scopes, expires_at)
                select %(digest)s, %(name)s, array_agg(distinct scope),
                       case when not bool_or(expires_at is null) then max(expires_at) end
                  from old, unnest(old.scopes) scope having count(*) > 0
                """,
                {"name": clean_text(name), "overlap": overlap, "digest": digest(key)},
            )
            if not cursor.rowcount:
                return None
            await _record(connection, by, "rotated", name, overlap=f"{overlap}")
        return key

    async def revoke(self, name: str, *, by: str = "") -> int:
        """Accept no key of this name any more; returns how many there were."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "update write_keys set revoked_at = now() where name = %s and revoked_at is null",
                [clean_text(name)],
            )
            if cursor.rowcount:
                await _record(connection, by, "revoked", name, keys=cursor.rowcount)
            return cursor.rowcount

    async def keys(self) -> list[WriteKey]:
        """All keys, the newest first."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select name, created_at, revoked_at, expires_at, scopes, used_at from write_keys"
                " order by created_at desc, name"
            )
            return [WriteKey(**row) for row in await cursor.fetchall()]


async def _record(
    connection: Connection, by: str, did: str, name: str, **detail: JsonValue
) -> None:
    await record_deed(connection, by or "program", did, f"write key {name}", detail)
