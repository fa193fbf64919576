"""Who did what to what, and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from stores.database import Connection, Pool, jsonb


@dataclass(slots=True, frozen=True, kw_only=True)
class Deed:
    """One thing that a person or a program did."""

    at: datetime
    who: str
    did: str
    what: str
    detail: dict[str, JsonValue]


class AuditStore:
    """What was done, for ever."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def record(
        self, who: str, did: str, what: str, detail: Mapping[str, JsonValue] | None = None
    ) -> None:
        """Write down one deed."""
        async with self._pool.connection() as connection:
            await record_deed(connection, who, did, what, detail)

    async def latest(self, *, what: str | None = None, most: int = 100) -> list[Deed]:
        """The newest deeds first, of one thing where it is given."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                select at, who, did, object as what, detail from audit
                 where %(what)s::text is null or object = %(what)s
                 order by audit desc limit %(most)s
                """,
                {"what": what, "most": most},
            )
            return [Deed(**row) for row in await cursor.fetchall()]


async def record_deed(
    connection: Connection,
    who: str,
    did: str,
    what: str,
    detail: Mapping[str, JsonValue] | None = None,
) -> None:
    """Write down one deed in the transaction that does it."""
    await connection.execute(
        "insert into audit (who, did, object, detail) values (%s, %s, %s, %s)",
        [who, did, what, jsonb(dict(detail or {}))],
    )
