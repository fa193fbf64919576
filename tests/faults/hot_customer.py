"""One customer who does more than everybody else together, among customers who each order once.

What a neighbour waits is told as a ratio within one run: from the post to the relay's ledger, without
the hot customer and beside them.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from contracts.names import SIGNAL_TOUCHPOINT, SIGNAL_TOUCHPOINTS
from insight.told_runs import history_of
from tests.faults.killed_shop import Outcome
from tests.faults.opened_history import opening_client
from tests.faults.quiet_shop import QuietShop, quiet_shop
from tests.faults.shop import event, known

HOT = 9_000_000
WINDOW_SECONDS = 10
"""Signals a second are counted over so long: a burst of a few at once is no rate."""

JOURNEY = """
language: 1
journey: hot
title: hot
owner: tests
enter: {on: Hot Began, again: never}
keep: {seen: '0'}
whenever:
  - {on: Viewed, mode: queue, do: [{set: {run.seen: run.seen + 1}}]}
stages:
  - stage: counting
    steps:
      - wait: {any: [{on: Hot Ended, do: [{go: judged}]}], until: 1d}
      - finish: never-ended
  - stage: judged
    steps:
      - choose:
          - {when: run.seen == EXPECTED, do: [{finish: each-counted-once}]}
      - finish: miscounted
"""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """`touchpoints` to one customer at `per_minute`, and `neighbours` over the same time; as many before it."""

    touchpoints: int
    per_minute: int
    neighbours: int
    seed: int
    in_a_batch: int = 20
    copies: int = 1

    @property
    def seconds(self) -> float:
        """How long the flood lasts."""
        return self.touchpoints / self.per_minute * 60


@dataclass(frozen=True, kw_only=True)
class Flooded:
    """What was counted. Seconds are told and judge nothing."""

    outcome: Outcome
    ended: str
    signals: Sequence[float]
    in_one_execution: int
    executions: int
    refused: int
    quiet: Sequence[float]
    beside: Sequence[float]

    @property
    def most_a_second(self) -> float:
        """Signals into the hot run, over the worst ten seconds."""
        times = sorted(self.signals)
        most = max(
            (sum(at <= each < at + WINDOW_SECONDS for each in times) for at in times), default=0
        )
        return most / WINDOW_SECONDS

    @property
    def ratio(self) -> float:
        """Of what neighbours wait at the 99th percentile: beside the hot customer, and without them."""
        return p99(self.beside) / p99(self.quiet)

    def figures(self) -> dict[str, object]:
        return {
            "touchpoints": self.outcome.touchpoints,
            "refused": self.refused,
            "lost": self.outcome.lost,
            "counted_twice": len(self.outcome.broken.twice),
            "ended": self.ended,
            "signals": len(self.signals),
            "signals_a_second_over_ten": self.most_a_second,
            "signals_in_one_execution": self.in_one_execution,
            "executions": self.executions,
            "neighbours": len(self.beside),
            "neighbours_p50_ms": [ms(p50(self.quiet)), ms(p50(self.beside))],
            "neighbours_p99_ms": [ms(p99(self.quiet)), ms(p99(self.beside))],
            "neighbours_p99_ratio": round(self.ratio, 2),
            "seconds": round(self.outcome.seconds),
        }

    @property
    def holds(self) -> bool:
        """Nothing refused, everything counted once, and the run told in few signals."""
        counted = self.ended == "each-counted-once" and self.outcome.holds
        told = self.most_a_second <= 5 and self.in_one_execution < 2_000
        return counted and told and self.refused == 0


async def flood(wish: Wish, state: Path) -> Flooded:
    """Neighbours by themselves, then beside the flood, then everything counted."""
    began = time.monotonic()
    async with quiet_shop(state, copies=wish.copies) as here:
        await here.publish("hot", JOURNEY.replace("EXPECTED", str(wish.touchpoints)))
        await here.shop.tell([known(HOT), event(HOT, "Hot Began", "hot/began", {})])
        neighbours = Neighbours(here, wish)
        await neighbours.order(100_000, min(20, wish.neighbours), seconds=6)  # warm
        first, second = 1, 1 + wish.neighbours
        await neighbours.order(first, wish.neighbours, seconds=wish.seconds)
        async with asyncio.TaskGroup() as group:
            group.create_task(neighbours.order(second, wish.neighbours, seconds=wish.seconds))
            group.create_task(_pour(here, wish))
        await here.shop.tell([event(HOT, "Hot Ended", "hot/ended", {})])
        outcome = await here.outcome(began)
        (run,) = await _rows(
            here, "select workflow_id, first_run_id, outcome from runs where journey = 'hot'"
        )
        client = await opening_client(here.stack, here.shop.pool)
        signals = await signalled(client, run["workflow_id"], run["first_run_id"])
        return Flooded(
            outcome=outcome,
            ended=run["outcome"],
            signals=[at for _, at in signals],
            in_one_execution=max(Counter(execution for execution, _ in signals).values()),
            executions=len({execution for execution, _ in signals}),
            refused=await _refused(here),
            quiet=neighbours.waited(first, wish.neighbours),
            beside=neighbours.waited(second, wish.neighbours),
        )


class Neighbours:
    """Customers who order once each, and when each did."""

    def __init__(self, here: QuietShop, wish: Wish) -> None:
        self._here, self._chance = here, random.Random(wish.seed)
        self._asked: dict[int, float] = {}

    async def order(self, first: int, count: int, *, seconds: float) -> None:
        """So many, at random moments within the time."""
        began = time.monotonic()
        moments = sorted(self._chance.uniform(0, seconds) for _ in range(count))
        async with asyncio.TaskGroup() as group:
            for n, moment in enumerate(moments, first):
                await asyncio.sleep(max(0.0, began + moment - time.monotonic()))
                group.create_task(self._order(n))

    async def _order(self, n: int) -> None:
        self._asked[n] = time.time()
        order = {"order": f"o{n}"}
        await self._here.shop.tell([known(n), event(n, "Order Placed", f"o{n}/placed", order)])

    def waited(self, first: int, count: int) -> list[float]:
        """Seconds from the post until the relay had the first mail, for each of these."""
        mailed: dict[str, float] = {}
        for taken in self._here.sink.taken:
            mailed.setdefault(taken.to, taken.at)
        return [mailed[f"{n}@example.com"] - self._asked[n] for n in range(first, first + count)]


async def _pour(here: QuietShop, wish: Wish) -> None:
    began, per_second = time.monotonic(), wish.per_minute / 60
    posting = asyncio.Semaphore(4)

    async def post(first: int, last: int) -> None:
        async with posting:
            await here.shop.tell(
                [event(HOT, "Viewed", f"hot/{n}", {"page": n}) for n in range(first, last)]
            )

    async with asyncio.TaskGroup() as group:
        for first in range(0, wish.touchpoints, wish.in_a_batch):
            await asyncio.sleep(max(0.0, began + first / per_second - time.monotonic()))
            group.create_task(post(first, min(wish.touchpoints, first + wish.in_a_batch)))


async def signalled(client: Client, workflow_id: str, first_run_id: str) -> list[tuple[str, float]]:
    """Each signal with touchpoints that a run was sent: to which execution, and when."""
    found: list[tuple[str, float]] = []
    async for each, execution in history_of(client, workflow_id, first_run_id):
        if each.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            named = each.workflow_execution_signaled_event_attributes.signal_name
            if named in (SIGNAL_TOUCHPOINT, SIGNAL_TOUCHPOINTS):
                found.append((execution, each.event_time.ToNanoseconds() / 1e9))
    return found


async def _refused(here: QuietShop) -> int:
    (row,) = await _rows(
        here,
        "select count(*) as refused from arrivals a cross join jsonb_array_elements(a.fates) f"
        " where f ->> 'fate' in ('refused', 'too_late')",
    )
    return int(row["refused"])


async def _rows(here: QuietShop, statement: Any) -> list[dict[str, Any]]:
    async with here.shop.pool.connection() as connection:
        return await (await connection.execute(statement)).fetchall()


def p50(seconds: Sequence[float]) -> float:
    return sorted(seconds)[len(seconds) // 2]


def p99(seconds: Sequence[float]) -> float:
    return sorted(seconds)[min(len(seconds) - 1, int(0.99 * len(seconds)))]


def ms(seconds: float) -> int:
    return round(1_000 * seconds)
