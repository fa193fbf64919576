"""Who writes on a case just now: told by their page every few seconds, the same for every process of the API."""

from collections.abc import Callable
from datetime import datetime, timedelta

from stores.database import Pool, one_statement

FRESH = timedelta(seconds=15)
"""Whoever was not heard of for so long writes no more."""


class CaseWriterStore:
    """Who writes where. `now` is wall time."""

    def __init__(self, pool: Pool, now: Callable[[], datetime]) -> None:
        self._pool = pool
        self._now = now

    async def writes(self, case: str, member: str) -> None:
        """Somebody writes on a case."""
        now = self._now()
        async with self._pool.connection() as connection:
            await connection.execute("delete from case_writers where at < %s", [now - 4 * FRESH])
            await connection.execute(
                'insert into case_writers ("case", member, at) values (%s, %s, %s)'
                ' on conflict ("case", member) do update set at = excluded.at',
                [case, member, now],
            )

    async def stops(self, case: str, member: str) -> None:
        """They write no more."""
        async with one_statement(self._pool) as connection:
            await connection.execute(
                'delete from case_writers where "case" = %s and member = %s', [case, member]
            )

    async def all(self) -> dict[str, list[tuple[str, str]]]:
        """By case who writes there: the member, and what they are called."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                'select w."case", w.member, m.name from case_writers w join members m using (member)'
                " where w.at > %s order by m.name",
                [self._now() - FRESH],
            )
            rows = await cursor.fetchall()
        found: dict[str, list[tuple[str, str]]] = {}
        for row in rows:
            found.setdefault(row["case"], []).append((row["member"], row["name"]))
        return found
