"""How one run stands, as its customer is told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from journey.effects import PromiseRecord
from stores.database import Pool, one_statement

MOST_HAPPENINGS = 200

_RUN: LiteralString = """
select r.customer, r.journey, r.key, r.state, r.stage, r.entered_at, r.finished_at, d.canonical
  from runs r left join definitions d on d.version = r.version
 where r.entry = %s and r.state in ('open', 'finished')
"""

_STAGES: LiteralString = """
select * from (select address as stage, at, sequence from trace where entry = %s and kind = 'stage'
                order by sequence desc limit %s) newest order by sequence
"""

_SENT: LiteralString = """
select * from (
    select d.message, d.channel, d.run_time as at, d.n, m.source
      from deliveries d left join messages m on m.name = d.message and m.revision = d.revision
     where d.entry = %s and d.state = 'accepted' order by d.run_time desc, d.n desc limit %s) newest
 order by at, n
"""

_CASES: LiteralString = """
select opened_at, first_answer_by, state from cases
 where entry = %s and under_way order by opened_at
"""

# Whatever a page shows, this changes with it: one row, by keys only.
_MARK: LiteralString = """
select r.sequence, r.state, r.stage,
       (select count(*) || ' ' || coalesce(max(d.settled_at)::text, '')
          from deliveries d where d.entry = r.entry and d.state = 'accepted') as sent,
       (select string_agg(c.n || c.state || coalesce(c.first_answer_by::text, ''), ' ' order by c.n)
          from cases c where c.entry = r.entry) as cases,
       (select string_agg(p.n || p.state || coalesce(p.by::text, ''), ' ' order by p.n)
          from promises p where p.entry = r.entry) as promises
  from runs r where r.entry = %s
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class Reached:
    """A stage that the customer came to."""

    stage: str
    at: datetime


@dataclass(slots=True, frozen=True, kw_only=True)
class Told:
    """A message that went out; `source` is its file, where we still have it."""

    message: str
    channel: str | None
    source: str | None
    at: datetime


@dataclass(slots=True, frozen=True, kw_only=True)
class WithAPerson:
    """Somebody of staff has it (`claimed`), or will have (`open`)."""

    state: str
    since: datetime
    answer_by: datetime | None


@dataclass(slots=True, frozen=True, kw_only=True)
class RunStanding:
    """All that a page tells of a run. Times are the run's own; `canonical` is its definition."""

    customer: str
    journey: str
    key: str | None
    state: str
    stage: str | None
    entered_at: datetime
    finished_at: datetime | None
    canonical: bytes | None
    stages: list[Reached]
    told: list[Told]
    promises: list[PromiseRecord]
    people: list[WithAPerson]


class RunStandingStore:
    """Reads how runs stand."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of(self, entry: int) -> RunStanding | None:
        """How a run stands; None where there is no such run."""
        async with self._pool.connection() as connection:
            await connection.execute("set transaction isolation level repeatable read, read only")

            async def rows(query: LiteralString, *values: object) -> list[dict[str, Any]]:
                return await (await connection.execute(query, [entry, *values])).fetchall()

            found = await rows(_RUN)
            if not found:
                return None
            stages = await rows(_STAGES, MOST_HAPPENINGS)
            told = await rows(_SENT, MOST_HAPPENINGS)
            promises = await rows(
                "select n, name, by, state, at, reason from promises where entry = %s order by n"
            )
            people = await rows(_CASES)
        run = found[0]
        run["canonical"] = bytes(run["canonical"]) if run["canonical"] else None
        return RunStanding(
            **run,
            stages=[Reached(stage=row["stage"], at=row["at"]) for row in stages],
            told=[
                Told(message=r["message"], channel=r["channel"], source=r["source"], at=r["at"])
                for r in told
            ],
            promises=[PromiseRecord(**row) for row in promises],
            people=[
                WithAPerson(
                    state=row["state"], since=row["opened_at"], answer_by=row["first_answer_by"]
                )
                for row in people
            ],
        )

    async def mark(self, entry: int) -> str:
        """A text that is another one once the page would be."""
        async with one_statement(self._pool) as connection:
            row = await (await connection.execute(_MARK, [entry])).fetchone()
        return repr(tuple(row.values())) if row else ""
