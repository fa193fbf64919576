"""Runs as people look at them: which there are, how one stands, and why it came to that."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString

from journey.effects import PromiseRecord, TraceEntry
from stores.database import Connection, Pool, one_statement

_COLUMNS: LiteralString = """
    entry, workflow_id, journey, version, customer, key, engine, state, reason, detail, held_out,
    entered_at, began_at, stage, waits_for, wakes_at, needs_attention, outcome, goal,
    finished_at, updated_at
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class OpenRun:
    """A run that is under way: where to signal it, and which version says what it listens to."""

    entry: int
    workflow_id: str
    journey: str
    version: str
    customer: str
    key: str | None
    gives_way: bool = False
    """Another run of the same customer goes on in its place; it is told so, and nothing else."""
    entering: str | None = None
    """The message id of the touchpoint by which it entered."""
    moved: bool = False
    """It goes on under another version than it began with."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Run:
    """One admission, as its newest record tells it.

    `entered_at`, `wakes_at` and `finished_at` are run time, `began_at` and `updated_at` wall time.
    `version` is None only where the journey had none that could be entered.
    """

    entry: int
    workflow_id: str
    journey: str
    version: str | None
    customer: str
    key: str | None
    engine: int
    state: str
    reason: str | None
    detail: str
    held_out: bool
    entered_at: datetime
    began_at: datetime
    stage: str | None
    waits_for: list[str]
    wakes_at: datetime | None
    needs_attention: str | None
    outcome: str | None
    goal: bool
    finished_at: datetime | None
    updated_at: datetime


@dataclass(slots=True, frozen=True, kw_only=True)
class RunStory:
    """A run with every decision it took, its promises, and the subjects it listens to."""

    run: Run
    trace: list[TraceEntry]
    promises: list[PromiseRecord]
    listens: dict[str, list[str]] = field(default_factory=dict[str, list[str]])


@dataclass(slots=True, frozen=True, kw_only=True)
class StageCount:
    """How many runs of a journey stand where: open ones by stage, ended ones by outcome."""

    state: str
    stage: str | None
    outcome: str | None
    runs: int


class RunStore:
    """Reads runs; `AdmissionStore` begins them, and `RunRecordStore` writes how they stand."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def open_runs_of(self, customer: str) -> list[OpenRun]:
        """The customer's runs that are under way, the oldest first."""
        async with one_statement(self._pool) as connection:
            return await open_runs_of(connection, customer)

    async def listening_to(self, kind: str, id: str) -> list[OpenRun]:  # noqa: A002 -- a subject's id
        """The runs under way that listen to a subject, the oldest first."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                """
                select r.entry, r.workflow_id, r.journey, r.version, r.customer, r.key
                  from listening l join runs r using (entry)
                 where l.kind = %s and l.id = %s and r.state = 'open' order by r.entry
                """,
                [kind, id],
            )
            return [OpenRun(**row) for row in await cursor.fetchall()]

    async def runs(
        self,
        *,
        journey: str | None = None,
        state: str | None = None,
        stage: str | None = None,
        outcome: str | None = None,
        customer: str | None = None,
        needing_attention: bool = False,
        before: int | None = None,
        most: int = 100,
    ) -> list[Run]:
        """Runs that fit, the newest first; `before` an entry, to leaf on."""
        chosen: list[tuple[object, LiteralString]] = [
            (journey, "journey = %(journey)s"),
            (state, "state = %(state)s"),
            (stage, "stage = %(stage)s"),
            (outcome, "outcome = %(outcome)s"),
            (customer, "customer = %(customer)s"),
            (needing_attention or None, "needs_attention is not null and state = 'open'"),
            (before, "entry < %(before)s"),
        ]
        conditions = " and ".join(["true", *(sql for value, sql in chosen if value is not None)])
        values = {
            "journey": journey,
            "state": state,
            "stage": stage,
            "outcome": outcome,
            "customer": customer,
            "before": before,
            "most": most,
        }
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                f"select {_COLUMNS} from runs where {conditions}"
                " order by entry desc limit %(most)s",
                values,
            )
            return [Run(**row) for row in await cursor.fetchall()]

    async def run(self, run: int | str) -> RunStory | None:
        """One run with its trace: by entry, or the newest under a workflow id."""
        column = "entry" if isinstance(run, int) else "workflow_id"
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                f"select {_COLUMNS} from runs where {column} = %s order by entry desc limit 1",
                [run],
            )
            row = await cursor.fetchone()
            return await _story(connection, row) if row else None

    async def oldest_and_newest(self, most: int) -> list[str]:
        """Workflow ids of runs under way: half of them the oldest, half the newest."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                """
                (select entry, workflow_id from runs where state = 'open' order by entry limit %(old)s)
                union
                (select entry, workflow_id from runs where state = 'open'
                  order by entry desc limit %(new)s)
                order by entry
                """,
                {"old": (most + 1) // 2, "new": most // 2},
            )
            return [row["workflow_id"] for row in await cursor.fetchall()]

    async def standing(self, journey: str) -> list[StageCount]:
        """How many runs of a journey stand where."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                """
                select state, stage, outcome, count(*) as runs
                  from runs where journey = %s group by state, stage, outcome
                 order by state, stage, outcome
                """,
                [journey],
            )
            return [StageCount(**row) for row in await cursor.fetchall()]


async def open_runs_of(connection: Connection, customer: str) -> list[OpenRun]:
    """As `RunStore.open_runs_of`, in the caller's transaction."""
    cursor = await connection.execute(
        """
        select entry, workflow_id, journey, version, customer, key,
               gives_way_to is not null as gives_way, entering_message_id as entering,
               moved_at is not null as moved
          from runs where customer = %s and state = 'open' order by entry
        """,
        [customer],
    )
    return [OpenRun(**row) for row in await cursor.fetchall()]


async def _story(connection: Connection, row: dict[str, Any]) -> RunStory:
    run = Run(**row)
    trace = await connection.execute(
        """
        select sequence, at, address, kind, why from trace where entry = %s order by sequence
        """,
        [run.entry],
    )
    entries = [TraceEntry(**each) for each in await trace.fetchall()]
    promises = await connection.execute(
        "select n, name, by, state, at, reason from promises where entry = %s order by n",
        [run.entry],
    )
    promised = [PromiseRecord(**each) for each in await promises.fetchall()]
    listening = await connection.execute(
        "select kind, id from listening where entry = %s order by kind, id", [run.entry]
    )
    listens: dict[str, list[str]] = {}
    for each in await listening.fetchall():
        listens.setdefault(each["kind"], []).append(each["id"])
    return RunStory(run=run, trace=entries, promises=promised, listens=listens)
