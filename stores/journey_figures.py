"""Figures of journeys: folded from what moved, had again from the records, and compared with them.

What a fact is stands in `0035_journey_figures.sql`. Every row of runs, trace and stays stands for its facts, and
what erasure took out for those it kept; a figure is the sum of facts that have been folded. At every instant
figures and moves together are what the records say.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import LiteralString

from stores.database import Connection, Pool, jsonb, one_statement

CHANNEL = "clew_figures"
"""Told after each fold, with the journeys whose figures changed, one on each line; '' where they are too many."""

_MOST_MOVES = 5_000
_LOCK: LiteralString = "hashtextextended('figures of journeys', 0)"
_MOST_TOLD = 2_000

# What nobody asks for by the day is kept by the hour alone.
_SPANS: LiteralString = """(
    select 1 as span, hour as at
    union all select 24, hour - mod(hour, 24) where kind not in ('stands', 'in')) s"""

_BY_SPAN: LiteralString = (
    """
by_span as (
    select journey, s.span, s.at, version, address, kind, way, sum(n) as n, sum(milliseconds) as milliseconds
      from facts cross join lateral """
    + _SPANS
    + """
     group by 1, 2, 3, 4, 5, 6, 7
)
"""
)

_TO_DO: LiteralString = """
select s.counted_at is not null as counted,
       s.counted_at is null or exists (select from figure_moves) as to_do
  from figures_standing s
"""

_UNPACKED: LiteralString = """
    select journey, version, (f ->> 0)::integer as hour, f ->> 1 as address, f ->> 2 as kind,
           f ->> 3 as way, (f ->> 4)::bigint as n, (f ->> 5)::bigint as milliseconds"""

_FOLD: LiteralString = (
    """
with taken as (
    delete from figure_moves m
     where m.ctid = any(array(select ctid from figure_moves limit %(most)s))
    returning journey, version, facts
), facts as (
    """
    + _UNPACKED
    + """ from taken cross join lateral json_array_elements(facts) f
), """
    + _BY_SPAN
    + """, added as (
    insert into journey_figures as j (journey, span, at, version, address, kind, way, n, milliseconds)
    select * from by_span where n <> 0 or milliseconds <> 0
     order by journey, span, at, version, address, kind, way
    on conflict (journey, span, at, version, address, kind, way)
    do update set n = j.n + excluded.n, milliseconds = j.milliseconds + excluded.milliseconds
    returning j.*
)
select (select count(*) from taken) as moves,
       (select json_agg(a) from added a where n = 0 and milliseconds = 0) as nothing,
       coalesce((select string_agg(distinct journey, E'\\n') from taken), '') as journeys
"""
)


# What came to nothing is said by the statement that added it up: an index that finds it would be written to with
# each figure that changes.
_CLEAR: LiteralString = """
delete from journey_figures j
 using jsonb_to_recordset(%(nothing)s) as f(journey text, span smallint, at integer, version text, address text,
                                            kind text, way text)
 where (j.journey, j.span, j.at, j.version, j.address, j.kind, j.way)
     = (f.journey, f.span, f.at, f.version, f.address, f.kind, f.way)
"""


def _facts_of(which: LiteralString) -> LiteralString:
    """What the records of these runs say, row by row. `which` is a condition on `r`."""
    return (
        "select r.journey, coalesce(r.version, '') as version, f.* from runs r cross join lateral run_facts("
        " r.state, r.reason, r.held_out, r.goal, r.outcome, r.stage, r.stands, r.entered_at, r.finished_at) f"
        " where " + which + " union all "
        "select r.journey, coalesce(r.version, ''), f.* from trace t join runs r using (entry)"
        " cross join lateral trace_facts(t.at, t.address, t.kind, t.why) f where "
        + which
        + " union all "
        "select r.journey, coalesce(r.version, ''), f.* from stays s join runs r using (entry)"
        " cross join lateral stay_facts(s.address, s.since, s.until) f where " + which
    )


_RECORDS: LiteralString = (
    """
facts as (
    select journey, version, hour, address, kind, way, sum(n) as n, sum(milliseconds) as milliseconds
      from ("""
    + _facts_of("true")
    + """
            union all
            select journey, version, hour, address, kind, way, n, milliseconds from kept_figures) all_of_it
     group by 1, 2, 3, 4, 5, 6
)
"""
)

_REBUILD: LiteralString = (
    "with "
    + _RECORDS
    + ", "
    + _BY_SPAN
    + """
insert into journey_figures (journey, span, at, version, address, kind, way, n, milliseconds)
select * from by_span where n <> 0 or milliseconds <> 0
"""
)

_DIFFERENCES: LiteralString = (
    "with "
    + _RECORDS
    + ", "
    + _BY_SPAN
    + """, moving as (
    """
    + _UNPACKED
    + """ from figure_moves cross join lateral json_array_elements(facts) f
), held as (
    select journey, span, at, version, address, kind, way, sum(n) as n, sum(milliseconds) as milliseconds
      from (select journey, span, at, version, address, kind, way, n, milliseconds from journey_figures
            union all
            select journey, s.span, s.at, version, address, kind, way, n, milliseconds
              from moving cross join lateral """
    + _SPANS
    + """) both_of_it
     group by 1, 2, 3, 4, 5, 6, 7
)
select journey, span, at, version, address, kind, way, coalesce(h.n, 0) as held, coalesce(r.n, 0) as recorded,
       coalesce(h.milliseconds, 0) as held_milliseconds, coalesce(r.milliseconds, 0) as recorded_milliseconds
  from held h full join by_span r using (journey, span, at, version, address, kind, way)
 where coalesce(h.n, 0) <> coalesce(r.n, 0) or coalesce(h.milliseconds, 0) <> coalesce(r.milliseconds, 0)
 order by journey, span, at, version, address, kind, way
 limit %(most)s
"""
)

_KEEP: LiteralString = (
    """
insert into kept_figures as k (journey, version, hour, address, kind, way, n, milliseconds)
select journey, version, hour, address, kind, way, sum(n), sum(milliseconds)
  from ("""
    + _facts_of("r.entry = any(%(entries)s)")
    + """) theirs
 group by 1, 2, 3, 4, 5, 6
    on conflict (journey, hour, version, address, kind, way)
    do update set n = k.n + excluded.n, milliseconds = k.milliseconds + excluded.milliseconds
"""
)


@dataclass(slots=True, frozen=True, kw_only=True)
class Difference:
    """A figure that is not what the records say. `span`: of so many hours, `at`: since that hour since 1970 UTC."""

    journey: str
    span: int
    at: int
    version: str
    address: str
    kind: str
    way: str
    held: int
    recorded: int
    held_milliseconds: int
    recorded_milliseconds: int


class JourneyFiguresStore:
    """Keeps the figures. One process folds or counts at a time; what moves meanwhile waits."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def fold(self) -> bool:
        """Add up what moved, a portion of it; whether there is more. Nothing, where another process is at it.

        The first time, what is on record already is counted as by `rebuild`.
        """
        async with one_statement(self._pool) as connection:
            row = await (await connection.execute(_TO_DO)).fetchone()
        if row is None or not row["to_do"]:
            return False
        async with self._pool.connection() as connection:
            if not await _alone(connection):
                return False
            if row["counted"]:
                return await _fold(connection)
        await self.rebuild()
        return True

    async def rebuild(self) -> int:
        """Count all of it anew from the records, while runs go on; how many figures there are then.

        Waits for another process that is at it.
        """
        async with self._one_snapshot() as connection:
            await connection.execute("delete from figure_moves")
            await connection.execute("delete from journey_figures")
            cursor = await connection.execute(_REBUILD)
            await connection.execute("update figures_standing set counted_at = clock_timestamp()")
            await connection.execute("select pg_notify(%s, '')", [CHANNEL])
            return cursor.rowcount

    async def differences(self, most: int = 100) -> list[Difference]:
        """Where figures and records differ; none, as long as nobody wrote figures by hand."""
        async with self._one_snapshot() as connection:
            cursor = await connection.execute(_DIFFERENCES, {"most": most})
            return [Difference(**row) for row in await cursor.fetchall()]

    @asynccontextmanager
    async def _one_snapshot(self) -> AsyncGenerator[Connection]:
        """One look at everything, as it is at an instant at which nobody folds."""
        async with self._pool.connection() as guard, self._pool.connection() as connection:
            await guard.execute(f"select pg_advisory_xact_lock({_LOCK})")
            await connection.execute("set transaction isolation level repeatable read")
            yield connection


async def keep_figures(connection: Connection, entries: Sequence[int]) -> None:
    """The rows of these runs go, and what they counted stays: to be called before they go, in their transaction."""
    await connection.execute(_KEEP, {"entries": list(entries)})
    await connection.execute("set local clew.figures_are_kept = 'yes'")


async def _alone(connection: Connection) -> bool:
    cursor = await connection.execute(f"select pg_try_advisory_xact_lock({_LOCK}) as got")
    row = await cursor.fetchone()
    return bool(row and row["got"])


async def _fold(connection: Connection) -> bool:
    cursor = await connection.execute(_FOLD, {"most": _MOST_MOVES})
    row = await cursor.fetchone()
    if row is None or row["moves"] == 0:
        return False
    if row["nothing"]:
        await connection.execute(_CLEAR, {"nothing": jsonb(row["nothing"])})
    told: str = row["journeys"]
    await connection.execute(
        "select pg_notify(%s, %s)", [CHANNEL, told if len(told) < _MOST_TOLD else ""]
    )
    return row["moves"] == _MOST_MOVES
