"""Looking for customers by where they stand and what is known of them: who, how many, and in which stages.

A search never takes longer than `SECONDS`; what it has not found by then it says it has not.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString

from psycopg.errors import QueryCanceled

from stores.customers import find_customer
from stores.database import Connection, Pool
from stores.wanted_runs import WantedRuns

SECONDS = 3.0
MOST_COUNTED = 10_000
"""How many are counted exactly; beyond that it is only said that there are more."""

MOST_ON_PAGE = 50
MOST_TRAITS = 500
_AT_ONCE = 3
"""Searches of one process at once: whoever runs journeys does not take the connections of those who ingest."""

STANDING: LiteralString = """
       r.entry, r.customer, r.key, r.journey, r.version, r.stage, r.state, r.outcome, r.goal, r.entered_at,
       r.finished_at, r.wakes_at, r.needs_attention, r.waits_for,
       array(select k from jsonb_object_keys(r.stands) k where k is distinct from r.stage order by k) as steps,
       coalesce(r.finished_at, (r.stands ->> nullif(%(step)s, ''))::timestamptz,
                (select max(v::timestamptz) from jsonb_each_text(r.stands) s(k, v)), r.entered_at) as since
"""

_IDS: LiteralString = (
    "select customer from customers where customer = %(id)s or merged_into = %(id)s"
)


class TooWideError(Exception):
    """It takes too long to find. Narrow it: choose a journey, a stage, or since when they entered."""


@dataclass(slots=True, frozen=True, kw_only=True)
class FoundRun:
    """A run that was found. `since`: when it came to where it stands, or ended. Times are run time."""

    entry: int
    customer: str
    key: str | None
    journey: str
    version: str | None
    stage: str | None
    state: str
    outcome: str | None
    goal: bool
    entered_at: datetime
    finished_at: datetime | None
    wakes_at: datetime | None
    needs_attention: str | None
    waits_for: list[str]
    steps: list[str]
    since: datetime


@dataclass(slots=True, frozen=True, kw_only=True)
class InOneStage:
    """So many of those found are in one stage, or ended (`stage` is None). `version`: one of theirs."""

    journey: str
    version: str | None
    state: str
    stage: str | None
    goal: bool
    n: int


@dataclass(slots=True, frozen=True, kw_only=True)
class Spread:
    """How the found ones spread. `more`: there are more than were counted."""

    stages: list[InOneStage]
    counted: int
    more: bool


@dataclass(slots=True)
class RunSearch:
    """Finds runs; changes nothing. `seconds`: how long each statement may take."""

    pool: Pool
    seconds: float = SECONDS
    most_counted: int = MOST_COUNTED
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def page(
        self, wanted: WantedRuns, before: int | None = None, most: int = MOST_ON_PAGE
    ) -> list[FoundRun]:
        """Who is found, whoever entered last first; `before` an entry, to leaf on. Raises: `TooWideError`."""
        async with self._looking() as connection:
            where, values = await narrowed(connection, wanted)
            if where is None:
                return []
            cursor = await connection.execute(
                f"select {STANDING} {where} and (%(before)s::bigint is null or r.entry < %(before)s)"
                " order by r.entry desc limit %(most)s",
                {**values, "before": before, "most": most},
                prepare=False,
            )
            return [FoundRun(**row) for row in await cursor.fetchall()]

    async def spread(self, wanted: WantedRuns) -> Spread:
        """How many are found, by stage. Raises: `TooWideError`."""
        async with self._looking() as connection:
            where, values = await narrowed(connection, wanted)
            if where is None:
                return Spread(stages=[], counted=0, more=False)
            cursor = await connection.execute(
                f"""
                select journey, max(version) as version, state, stage, goal, count(*) as n
                  from (select r.journey, r.version, r.state, r.goal,
                               case when r.state = 'open' then r.stage end as stage
                          {where} limit %(most)s) found
                 group by journey, state, stage, goal order by n desc, journey, stage
                """,
                {**values, "most": self.most_counted + 1},
                prepare=False,
            )
            stages = [InOneStage(**row) for row in await cursor.fetchall()]
        counted = sum(each.n for each in stages)
        return Spread(
            stages=stages,
            counted=min(counted, self.most_counted),
            more=counted > self.most_counted,
        )

    async def traits(self) -> list[str]:
        """The names of traits that were ever reported, to choose from."""
        async with self._looking() as connection:
            cursor = await connection.execute(
                "select trait from trait_types order by trait limit %s", [MOST_TRAITS]
            )
            return [row["trait"] for row in await cursor.fetchall()]

    @asynccontextmanager
    async def _looking(self) -> AsyncGenerator[Connection]:
        async with self._turns, self.pool.connection() as connection:
            try:
                await hasten(connection, self.seconds)
                yield connection
            except QueryCanceled:
                raise TooWideError(TooWideError.__doc__) from None


async def hasten(connection: Connection, seconds: float) -> None:
    """No statement of this transaction takes longer; then it meets `QueryCanceled`."""
    await connection.execute(
        "select set_config('statement_timeout', %s, true)", [str(int(seconds * 1_000))]
    )


async def narrowed(
    connection: Connection, wanted: WantedRuns
) -> tuple[LiteralString | None, dict[str, Any]]:
    """`from … where …` of what is wanted, with its parameters; None where nobody can be found.

    Whoever has an identity, and the few who have a trait, are looked up first: then their runs are found
    by index, and the planner need not guess how many there are.
    """
    values, conditions = wanted.values(), wanted.conditions()
    joined: LiteralString = ""
    if wanted.identity:
        found = await find_customer(connection, wanted.identity)
        if found is None:
            return None, values
        cursor = await connection.execute(_IDS, {"id": found.customer})
        values["customers"] = [row["customer"] for row in await cursor.fetchall()]
        conditions.append("r.customer = any(%(customers)s)")
    few = await _few(connection, wanted) if wanted.narrows_by_trait else None
    if few is not None:
        values["customers"] = few
        conditions.append("r.customer = any(%(customers)s)")
        if not few:
            return None, values
    elif wanted.trait:
        joined = "join customers c on c.customer = r.customer"
        conditions.append(wanted.trait_condition())
    return f"from runs r {joined} where {' and '.join(conditions)}", values


async def _few(connection: Connection, wanted: WantedRuns) -> list[str] | None:
    """Those who have the trait; None where they are many."""
    cursor = await connection.execute(
        f"select c.customer from customers c where {wanted.trait_condition(of_few=True)} limit %(most)s",
        {**wanted.values(), "most": MOST_COUNTED + 1},
        prepare=False,
    )
    few = [row["customer"] for row in await cursor.fetchall()]
    return few if len(few) <= MOST_COUNTED else None
