"""Figures of journeys, as somebody looks at them: over a stretch of time, at an instant, hour by hour."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

from contracts.journey_figures import Counted, CountedThen, InStage, Standing
from stores.database import Pool, rows_of

HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 24

# Whole days within the stretch, and the hours that they leave at both ends: three ranges of the primary key.
_WITHIN: LiteralString = """
    (select * from journey_figures where journey = %(journey)s and span = 24
        and at >= %(first_day)s and at < %(last_day)s
     union all
     select * from journey_figures where journey = %(journey)s and span = 1
        and at >= %(since)s and at < %(first_day)s
     union all
     select * from journey_figures where journey = %(journey)s and span = 1
        and at >= %(last_day)s and at < %(until)s) j
"""

_COUNTED: LiteralString = (
    "select address, kind, way, sum(n)::bigint as n, sum(milliseconds)::bigint as milliseconds from"
    + _WITHIN
    + """
 where kind not in ('stands', 'in') and (%(version)s::text is null or version = %(version)s)
 group by 1, 2, 3 having sum(n) <> 0
"""
)

_STOOD: LiteralString = (
    "select address, sum(case kind when 'came' then n else -n end)::bigint as n from"
    + _WITHIN
    + """
 where kind in ('came', 'went') and (%(version)s::text is null or version = %(version)s)
 group by 1 having sum(case kind when 'came' then n else -n end) <> 0
"""
)

_STANDS: LiteralString = """
select address, at, sum(n)::bigint as n from journey_figures
 where journey = %(journey)s and kind = 'stands'
   and (%(version)s::text is null or version = %(version)s)
 group by 1, 2 having sum(n) <> 0
 order by 1, 2
"""

_IN_STAGES: LiteralString = """
select journey, version, address as stage, sum(n)::bigint as n from journey_figures
 where span = 1 and at = 0 and kind = 'in' and (%(journey)s::text is null or journey = %(journey)s)
 group by 1, 2, 3 having sum(n) <> 0
 order by 1, 2, 3
"""

_BEGAN: LiteralString = """
select min(at) as at from journey_figures where journey = %(journey)s and span = 1 and at > 0
"""

_SERIES: LiteralString = """
select journey, at, kind, way, sum(n)::bigint as n from journey_figures
 where span = %(span)s and at >= %(since)s and at < %(until)s and address = %(address)s and kind = any(%(kinds)s)
   and (%(journey)s::text is null or journey = %(journey)s)
   and (%(version)s::text is null or version = %(version)s)
 group by 1, 2, 3, 4 having sum(n) <> 0
 order by 1, 2, 3, 4
"""


class FigureLooks:
    """Reads what `JourneyFiguresStore` keeps: to the second as the last fold has it, to the hour in its bounds.

    `version`: of these runs alone; None is all.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def counted(
        self, journey: str, since: datetime, until: datetime, version: str | None = None
    ) -> list[Counted]:
        """What was recorded from the hour of `since` on, until the end of the hour before `until`."""
        asked = _stretch(hour_number(since), hour_number(until))
        rows = await rows_of(self._pool, _COUNTED, asked | {"journey": journey, "version": version})
        return [Counted(**row) for row in rows]

    async def stands(self, journey: str, version: str | None = None) -> list[Standing]:
        """Who stands where now, and since when."""
        rows = await rows_of(self._pool, _STANDS, {"journey": journey, "version": version})
        return [
            Standing(address=row["address"], since=hour_at(row["at"]), n=row["n"]) for row in rows
        ]

    async def stood(self, journey: str, at: datetime, version: str | None = None) -> dict[str, int]:
        """How many stood where at the beginning of the hour of `at`."""
        asked = _stretch(0, hour_number(at))
        rows = await rows_of(self._pool, _STOOD, asked | {"journey": journey, "version": version})
        return {row["address"]: row["n"] for row in rows}

    async def began(self, journey: str) -> datetime | None:
        """The first hour of which something is on record; None where nothing is."""
        rows = await rows_of(self._pool, _BEGAN, {"journey": journey})
        return hour_at(rows[0]["at"]) if rows[0]["at"] is not None else None

    async def in_stages(self, journey: str | None = None) -> list[InStage]:
        """How many runs under way are in which stage, also those that never told at which step."""
        return [
            InStage(**row) for row in await rows_of(self._pool, _IN_STAGES, {"journey": journey})
        ]

    async def series(
        self,
        kinds: Sequence[str],
        since: datetime,
        until: datetime,
        *,
        journey: str | None = None,
        address: str = "",
        version: str | None = None,
        by_day: bool = False,
    ) -> list[CountedThen]:
        """What was recorded at an address hour by hour, or day by day of UTC. '' is the journey as a whole."""
        asked: dict[str, Any] = {
            "span": _DAY if by_day else 1,
            "since": hour_number(since),
            "until": hour_number(until),
            "address": address,
            "kinds": list(kinds),
            "journey": journey,
            "version": version,
        }
        rows = await rows_of(self._pool, _SERIES, asked)
        return [CountedThen(at=hour_at(row.pop("at")), **row) for row in rows]


def hour_number(at: datetime) -> int:
    """The hour of an instant, counted from 1970 in UTC."""
    return (at - _EPOCH) // HOUR


def hour_at(number: int) -> datetime:
    """The instant with which an hour begins."""
    return _EPOCH + number * HOUR


def _stretch(since: int, until: int) -> dict[str, Any]:
    first, last = -(-since // _DAY) * _DAY, until // _DAY * _DAY
    if first >= last:  # no whole day in it: all are hours at its end
        first = last = since
    return {"since": since, "until": until, "first_day": first, "last_day": last}
