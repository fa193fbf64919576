"""What whoever runs journeys looks at beside the figures: who needs them, what is late, who stands at a step."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from stores.database import Pool, one_statement
from stores.figure_looks import hour_number

MOST_PEOPLE = 100

_STUCK: LiteralString = """
select journey, count(*) as n from runs where state = 'open' and needs_attention is not null group by 1
"""

_LATE_CASES: LiteralString = """
select journey, count(*) as n from cases
 where under_way and coalesce(due_at, 'infinity'::timestamptz) < %(now)s group by 1
"""

_SAID: LiteralString = """
select j.journey, f.kind, f.n from unnest(%(journeys)s::text[]) j(journey)
 cross join lateral (
       select kind, sum(n)::bigint as n from journey_figures
        where journey = j.journey and span = 1 and at >= %(since)s and at < %(until)s and kind = any(%(kinds)s)
        group by 1) f
"""

_PEOPLE: LiteralString = """
select entry, customer, key, version, stage, entered_at, wakes_at, needs_attention, waits_for,
       (stands ->> %(address)s)::timestamptz as since
  from runs
 where journey = %(journey)s and state = 'open'
   and (%(stage)s::text is null or stage = %(stage)s)
   and (%(address)s::text is null or stands ? %(address)s)
   and (%(version)s::text is null or version = %(version)s)
   and (not %(stuck)s or needs_attention is not null)
   and (%(before)s::bigint is null or entry < %(before)s)
 order by entry desc limit %(most)s
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class Person:
    """A run that stands at a step: whose it is, since when, what it waits for and when it wakes.

    `since` is None where no step was asked for. Times are run time.
    """

    entry: int
    customer: str
    key: str | None
    version: str
    stage: str | None
    entered_at: datetime
    wakes_at: datetime | None
    needs_attention: str | None
    waits_for: list[str]
    since: datetime | None


class ControlLooks:
    """Reads what is looked at; changes nothing."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def stuck(self) -> dict[str, int]:
        """By journey, how many runs cannot go on without people."""
        return await self._counts(_STUCK, {})

    async def late_cases(self, now: datetime) -> dict[str, int]:
        """By journey, how many cases are past the deadline that they have next. `now`: wall time."""
        return await self._counts(_LATE_CASES, {"now": now})

    async def said(
        self, journeys: Sequence[str], kinds: Sequence[str], since: datetime, until: datetime
    ) -> dict[str, dict[str, int]]:
        """By journey and kind, how many decisions of these kinds were noted anywhere in it."""
        asked = {
            "journeys": list(journeys),
            "kinds": list(kinds),
            "since": hour_number(since),
            "until": hour_number(until),
        }
        found: dict[str, dict[str, int]] = {}
        async with one_statement(self._pool) as connection:
            for row in await (await connection.execute(_SAID, asked)).fetchall():
                found.setdefault(row["journey"], {})[row["kind"]] = row["n"]
        return found

    async def people(
        self,
        journey: str,
        *,
        address: str | None = None,
        stage: str | None = None,
        version: str | None = None,
        stuck: bool = False,
        before: int | None = None,
        most: int = MOST_PEOPLE,
    ) -> list[Person]:
        """Who is under way in a journey, whoever entered last first; `before` an entry, to leaf on.

        `address`: who stands there. `stage`: who is in it, which finds who stands at a step of it sooner.
        """
        asked = {
            "journey": journey,
            "address": address,
            "stage": stage,
            "version": version,
            "stuck": stuck,
            "before": before,
            "most": most,
        }
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(_PEOPLE, asked)
            return [Person(**row) for row in await cursor.fetchall()]

    async def _counts(self, query: LiteralString, asked: dict[str, object]) -> dict[str, int]:
        async with one_statement(self._pool) as connection:
            rows = await (await connection.execute(query, asked)).fetchall()
        return {row["journey"]: row["n"] for row in rows}
