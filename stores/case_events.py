"""What happened to cases, in order: one case's own thread, and everything since."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from pydantic import JsonValue

from stores.database import Pool, one_statement

SETTLED_SECONDS = 2
"""An event so young may have a sister with a lower number whose transaction is not over yet."""

_COLUMNS: LiteralString = """
    e.event, e."case", e.at, e.at_wall, e.who, e.did, e.why, e.detail, c.customer, c.queue,
    c.claimed_by
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class CaseEvent:
    """One thing that happened. `at` is the run's own time; `queue`, `claimed_by`: where the case is now."""

    event: int
    case: str
    at: datetime
    at_wall: datetime
    who: str
    did: str
    why: str
    detail: dict[str, JsonValue]
    customer: str
    queue: str
    claimed_by: str | None


class CaseEventStore:
    """Reads what happened."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of(self, case: str, most: int = 500, *, before: int | None = None) -> list[CaseEvent]:
        """What happened to one case last, the oldest first; `before`: only what has a lower number."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                f"""
                select * from (
                    select {_COLUMNS} from case_events e join cases c using ("case")
                     where e."case" = %(case)s and (%(before)s::bigint is null or e.event < %(before)s)
                     order by e.event desc limit %(most)s) newest
                 order by event
                """,
                {"case": case, "most": most, "before": before},
            )
            return [CaseEvent(**row) for row in await cursor.fetchall()]

    async def newest(self) -> int:
        """The number of the newest event; 0 where there is none. What changed since has a higher one."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select coalesce(max(event), 0) as newest from case_events"
            )
            row = await cursor.fetchone()
        return row["newest"] if row else 0

    async def after(self, event: int, most: int = 100) -> list[CaseEvent]:
        """What happened since, the oldest first, each once: what is too young waits for its sisters."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                f"""
                select {_COLUMNS} from case_events e join cases c using ("case")
                 where e.event > %s and e.at_wall < clock_timestamp() - %s * interval '1 second'
                 order by e.event limit %s
                """,
                [event, SETTLED_SECONDS, most],
            )
            return [CaseEvent(**row) for row in await cursor.fetchall()]
