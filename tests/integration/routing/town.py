"""A town of runs without Temporal: they are signalled, admitted a little later, and can be away."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from contracts.ids import workflow_id
from journey.touchpoint import Touchpoint, read_touchpoint
from routing.signals import RunClosedError, RunStart, RunsUnreachableError, Told
from stores.database import Connection, Pool, jsonb
from stores.rerouting import route_again, route_subjects_again


@dataclass
class TownRun:
    """A run that keeps what a real one keeps: each number once, and none below what it had."""

    workflow_id: str
    first_run_id: str
    start: RunStart
    told: list[dict[str, Any]] = field(default_factory=list)
    applied: list[dict[str, Any]] = field(default_factory=list)
    open: bool = True
    watermark: int = 0

    def tell(self, touchpoint: Told) -> None:
        self.told.append(dict(touchpoint))
        number = touchpoint["number"]
        assert isinstance(number, int)
        if number > self.watermark:
            self.watermark = number
            self.applied.append(dict(touchpoint))

    @property
    def ids(self) -> list[str]:
        return [touchpoint["message_id"] for touchpoint in self.applied]

    @property
    def heard(self) -> list[Touchpoint]:
        """What the router sent it with its start, as it tells admission."""
        sent = [each for each in self.told if each["number"]]
        return [read_touchpoint(each, datetime.now(UTC), "unused") for each in sent]

    @property
    def numbers(self) -> list[int]:
        return [touchpoint["number"] for touchpoint in self.applied]

    @property
    def repeated(self) -> list[str]:
        """Ids of touchpoints applied more than once: there must be none."""
        return [one for one in set(self.ids) if self.ids.count(one) > 1]

    @property
    def since_entry(self) -> list[dict[str, Any]]:
        """All it was told but what its customer did before it began."""
        return [each for each in self.told if each["number"] >= self.told[0]["number"]]

    @property
    def missed(self) -> set[str]:
        """Ids that it was told, but only under a number that it took for a repetition."""
        return {touchpoint["message_id"] for touchpoint in self.since_entry} - set(self.ids)


class Town:
    """The signals of all runs. `mishap` is asked before and after each call and may raise."""

    def __init__(self, mishap: Callable[[], None] = lambda: None) -> None:
        self.runs: list[TownRun] = []
        self.by_id: dict[str, TownRun] = {}
        self.mishap = mishap
        self.signals = 0
        self.after_signal: Callable[[], Awaitable[None]] | None = None
        self.begun: asyncio.Queue[TownRun] = asyncio.Queue()

    async def signal(self, workflow_id: str, touchpoints: Sequence[Told]) -> None:
        await asyncio.sleep(0)
        self.mishap()
        run = self.by_id.get(workflow_id)
        if run is None or not run.open:
            raise RunClosedError(workflow_id)
        self.signals += 1
        for touchpoint in touchpoints:
            run.tell(touchpoint)
        if self.after_signal is not None:
            await self.after_signal()
        self.mishap()

    async def start(self, start: RunStart) -> str:
        await asyncio.sleep(0)
        self.mishap()
        run = self.by_id.get(start.workflow_id)
        if run is None or not run.open:
            run = TownRun(start.workflow_id, f"first-{len(self.runs)}", start)
            self.runs.append(run)
            self.by_id[start.workflow_id] = run
            self.begun.put_nowait(run)
        run.tell(start.touchpoint)
        self.mishap()
        return run.first_run_id

    async def started_by_another(self, version: str, customer: str, entering: str) -> TownRun:
        """A run that some client started by itself, with a touchpoint that the router knows too."""
        touchpoint: Told = {"message_id": entering, "event": "Ordered", "number": 0}
        named = workflow_id("parcel", customer, "7")
        start = RunStart(
            workflow_id=named,
            journey="parcel",
            version=version,
            customer=customer,
            key="7",
            title="",
            touchpoint=touchpoint,
        )
        await self.start(start)
        return self.by_id[named]


def now_and_then(chance: float, seed: int) -> Callable[[], None]:
    """A mishap: runs cannot be reached at some of the calls."""
    dice = random.Random(seed)

    def mishap() -> None:
        if dice.random() < chance:
            raise RunsUnreachableError("the town is away")

    return mishap


async def admit(pool: Pool, run: TownRun, listens: dict[str, tuple[str, ...]] | None = None) -> int:
    """Admit a run as admission does: open it, let it listen, put back what came meanwhile."""
    async with pool.connection() as connection:
        since, entry = await _open(connection, run)
        if listens:
            pairs = [{"kind": kind, "id": one} for kind, ids in listens.items() for one in ids]
            await connection.execute(
                "insert into listening select w.kind, w.id, %s, %s, %s"
                " from jsonb_to_recordset(%s) as w(kind text, id text)",
                [entry, run.start.customer, run.workflow_id, jsonb(pairs)],
            )
        customer = run.start.customer
        again: dict[str, Any] = {"customer": customer, "run": run.workflow_id, "since": since}
        await route_subjects_again(connection, subjects=listens or {}, **again)
        await route_again(connection, heard=run.heard, **again)
    return entry


async def finish(pool: Pool, run: TownRun) -> None:
    """End a run: its record first, as a real one does."""
    async with pool.connection() as connection:
        await connection.execute(
            "update runs set state = 'finished' where first_run_id = %s", [run.first_run_id]
        )
    run.open = False


async def _open(connection: Connection, run: TownRun) -> tuple[Any, int]:
    cursor = await connection.execute(
        """
        insert into runs (workflow_id, first_run_id, journey, version, customer, key, engine, state,
                          entering_message_id, entered_at, began_at)
        values (%s, %s, %s, %s, %s, %s, 1, 'open', %s, now(), now())
        returning entry,
                  (select received_at from message_ids m where m.message_id = entering_message_id)
                      as since
        """,
        [
            run.workflow_id,
            run.first_run_id,
            run.start.journey,
            run.start.version,
            run.start.customer,
            run.start.key,
            run.told[0]["message_id"],
        ],
    )
    row = await cursor.fetchone()
    assert row is not None
    return row["since"], row["entry"]
