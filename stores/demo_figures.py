"""What a demo counts in the database: how many stand where, and what was neither lost nor sent twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from stores.database import Connection, Pool

_PEOPLE: LiteralString = """
select r.key, r.state, r.stage, r.outcome, r.customer, r.entry, r.workflow_id,
       r.needs_attention is not null as stuck,
       exists (select from cases c where c.entry = r.entry and c.under_way)
           as with_staff
  from runs r where r.journey = %s and r.state <> 'not_admitted'
"""

_DELIVERIES = """
select state, reason, count(*) as deliveries
  from deliveries where journey = %s group by state, reason
"""

_PROMISES = """
select p.state, p.reason, count(*) as promises
  from promises p join runs r using (entry) where r.journey = %s group by p.state, p.reason
"""

_CASES = "select state, count(*) as cases from cases where journey = %s group by state"

# How long the oldest touchpoint has waited for the router, and the first alarm that is overdue.
_WAITING = """
select coalesce((select extract(epoch from now() - min(received_at)) from outbox), 0)::float8
           as unrouted,
       (select min(wakes_at) from runs where journey = %s and state = 'open'
           and needs_attention is null) as wakes_at
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class PersonStands:
    """Where one customer's run of a journey stands."""

    key: str | None
    state: str
    stage: str | None
    outcome: str | None
    customer: str
    entry: int
    workflow_id: str
    with_staff: bool
    stuck: bool


@dataclass(slots=True, frozen=True, kw_only=True)
class DeliveryCount:
    """How many deliveries ended so."""

    state: str
    reason: str
    deliveries: int


@dataclass(slots=True, frozen=True, kw_only=True)
class PromiseCount:
    """How many promises stand so."""

    state: str
    reason: str
    promises: int


@dataclass(slots=True, frozen=True, kw_only=True)
class Standing:
    """A journey's figures at one moment.

    `unrouted_seconds`: how long the oldest touchpoint has waited for a router. `wakes_at`: the
    earliest alarm of an open run, in run time.
    """

    people: tuple[PersonStands, ...]
    deliveries: tuple[DeliveryCount, ...]
    promises: tuple[PromiseCount, ...]
    cases: dict[str, int]
    unrouted_seconds: float
    wakes_at: datetime | None


@dataclass(slots=True, frozen=True, kw_only=True)
class RunDelivery:
    """One delivery of one run. `provider_id` is the mail's Message-ID once it was accepted."""

    message: str
    state: str
    words: str
    run_time: datetime
    provider_id: str | None


@dataclass(slots=True, frozen=True, kw_only=True)
class NewCase:
    """A case as staff first see it, in the queue that it was opened in."""

    case: str
    customer: str
    queue: str
    brief: str
    opened_at: datetime
    opened_wall: datetime


class DemoFigures:
    """Counts. Reads only."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def standing(self, journey: str) -> Standing:
        """How everything of a journey stands."""
        async with self._pool.connection() as connection:
            people = await _rows(connection, _PEOPLE, [journey])
            deliveries = await _rows(connection, _DELIVERIES, [journey])
            promises = await _rows(connection, _PROMISES, [journey])
            cases = await _rows(connection, _CASES, [journey])
            waiting = (await _rows(connection, _WAITING, [journey]))[0]
        return Standing(
            people=tuple(PersonStands(**row) for row in people),
            deliveries=tuple(DeliveryCount(**row) for row in deliveries),
            promises=tuple(PromiseCount(**row) for row in promises),
            cases={row["state"]: row["cases"] for row in cases},
            unrouted_seconds=waiting["unrouted"],
            wakes_at=waiting["wakes_at"],
        )

    async def not_stored(self, message_ids: Sequence[str]) -> list[str]:
        """Which of these touchpoints are not in the database: those that were lost."""
        async with self._pool.connection() as connection:
            rows = await _rows(
                connection,
                "select id from unnest(%s::text[]) id"
                " where not exists (select from message_ids m where m.message_id = id)",
                [list(message_ids)],
            )
        return [row["id"] for row in rows]

    async def doubtful(self, journey: str) -> set[str]:
        """The keys of deliveries of which the ledger says that nobody can tell."""
        async with self._pool.connection() as connection:
            rows = await _rows(
                connection,
                "select key from deliveries"
                " where journey = %s and (uncertain or state = 'unknown')",
                [journey],
            )
        return {row["key"] for row in rows}

    async def deliveries(self, journey: str) -> list[dict[str, Any]]:
        """Every delivery: key of its run, message, state, reason, words."""
        return await self._all(
            "select r.key, d.message, d.state, d.reason, d.words"
            " from deliveries d join runs r using (entry) where d.journey = %s order by d.run_time",
            journey,
        )

    async def promises(self, journey: str) -> list[dict[str, Any]]:
        """Every promise: name, state, reason."""
        return await self._all(
            "select p.name, p.state, p.reason from promises p join runs r using (entry)"
            " where r.journey = %s",
            journey,
        )

    async def decisions(self, journey: str) -> list[dict[str, Any]]:
        """Every case: the queue it was opened in, state, decision."""
        return await self._all(
            "select coalesce(escalations->0->>'from', queue) as queue, state, decision"
            " from cases where journey = %s",
            journey,
        )

    async def cases_since(self, journey: str, wall: datetime) -> list[NewCase]:
        """The cases that were opened since that wall time, in the order of opening."""
        async with self._pool.connection() as connection:
            rows = await _rows(
                connection,
                "select \"case\", customer, coalesce(escalations->0->>'from', queue) as queue,"
                " brief, opened_at, opened_wall from cases"
                " where journey = %s and opened_wall >= %s order by opened_wall",
                [journey, wall],
            )
        return [NewCase(**row) for row in rows]

    async def deliveries_of(self, entry: int) -> list[RunDelivery]:
        """What a run has sent or not, in the order of asking."""
        async with self._pool.connection() as connection:
            rows = await _rows(
                connection,
                "select message, state, words, run_time, provider_id from deliveries"
                " where entry = %s order by run_time, n",
                [entry],
            )
        return [RunDelivery(**row) for row in rows]

    async def _all(self, statement: LiteralString, journey: str) -> list[dict[str, Any]]:
        async with self._pool.connection() as connection:
            return await _rows(connection, statement, [journey])


async def _rows(
    connection: Connection, statement: LiteralString, values: Sequence[object]
) -> list[dict[str, Any]]:
    cursor = await connection.execute(statement, values)
    return await cursor.fetchall()
