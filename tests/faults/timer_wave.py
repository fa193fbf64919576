"""Very many runs that are due in one second, and what ingest answers meanwhile."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.faults.hot_customer import ms, p50, p99
from tests.faults.killed_shop import Outcome
from tests.faults.quiet_shop import QuietShop, quiet_shop
from tests.faults.shop import event, known

IN_A_BATCH = 50
BYSTANDER = 8_000_000
PATIENCE_SECONDS = 3_600.0

JOURNEY = """
language: 1
journey: wave
title: wave
owner: tests
enter: {on: Wave Began, again: never}
keep: {due: event.properties.due}
stages:
  - stage: waiting
    steps:
      - wait: {until: timestamp(run.due)}
      - SENDfinish: told
"""
SENDS = "send: {message: confirmed, purpose: service}\n      - "


@dataclass(frozen=True, kw_only=True)
class Wish:
    """`timers` due at once, begun at `per_second`; touchpoints of others at `asks_per_second` before and meanwhile.

    `sends`: whether each is then written to, beside coming to its end.
    """

    timers: int
    per_second: float
    asks_per_second: float = 10
    quiet_seconds: float = 30
    sends: bool = True


@dataclass(frozen=True, kw_only=True)
class Drained:
    """What was counted. Seconds are told and judge nothing."""

    outcome: Outcome
    late: Sequence[float]
    quiet: Sequence[float]
    meanwhile: Sequence[float]

    @property
    def ratio(self) -> float:
        """Of ingest's answers at the 99th percentile: during the wave, and before it."""
        return p99(self.meanwhile) / p99(self.quiet)

    def figures(self) -> dict[str, object]:
        return {
            "timers": len(self.late),
            "lost": self.outcome.lost,
            "duplicated": self.outcome.duplicated,
            "drained_in_seconds": round(max(self.late), 1),
            "drained_a_second": round(len(self.late) / max(self.late), 1),
            "late_p50_seconds": round(p50(self.late), 1),
            "late_p99_seconds": round(p99(self.late), 1),
            "answers_p50_ms": [ms(p50(self.quiet)), ms(p50(self.meanwhile))],
            "answers_p99_ms": [ms(p99(self.quiet)), ms(p99(self.meanwhile))],
            "answers_p99_ratio": round(self.ratio, 2),
            "seconds": round(self.outcome.seconds),
        }


async def drain(wish: Wish, state: Path) -> Drained:
    """Begin them all, let them come due, and count."""
    began = time.monotonic()
    async with quiet_shop(state) as here:
        await here.publish("wave", JOURNEY.replace("SEND", SENDS if wish.sends else ""))
        # Admission of the last takes a while after its post: nobody begins who is due already.
        lead = wish.timers / wish.per_second + wish.timers / 100 + wish.quiet_seconds + 20
        due = datetime.now(UTC) + timedelta(seconds=lead)
        await _begin(here, wish, due)
        await _until(here, "state = 'open' and wakes_at is not null", wish.timers)
        asking = Asking(here, wish)
        quiet = await asking.until(asyncio.create_task(asyncio.sleep(wish.quiet_seconds)))
        await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
        ended = asyncio.create_task(_until(here, "state = 'finished'", wish.timers))
        meanwhile = await asking.until(ended)
        rows = await _rows(here, "select updated_at from runs where journey = 'wave'")
        late = [(row["updated_at"] - due).total_seconds() for row in rows]
        outcome = await here.outcome(began)
    return Drained(outcome=outcome, late=late, quiet=quiet, meanwhile=meanwhile)


@dataclass
class Asking:
    """Touchpoints of a bystander, at a steady rate whether they are answered or not."""

    here: QuietShop
    wish: Wish
    count: int = 0

    async def until(self, done: asyncio.Task[None]) -> list[float]:
        """Seconds until each was acknowledged that was posted before this was done."""
        took: list[float] = []
        asked: set[asyncio.Task[None]] = set()
        began, first = time.monotonic(), self.count
        while not done.done():
            self.count += 1
            asked.add(asyncio.create_task(self._ask(self.count, took)))
            after = (self.count - first) / self.wish.asks_per_second
            await asyncio.sleep(max(0.0, began + after - time.monotonic()))
        done.result()
        await asyncio.gather(*asked)
        return took

    async def _ask(self, n: int, took: list[float]) -> None:
        began = time.monotonic()
        await self.here.shop.tell([event(BYSTANDER, "Looked Around", f"bystander/{n}", {})])
        took.append(time.monotonic() - began)


async def _begin(here: QuietShop, wish: Wish, due: datetime) -> None:
    began = time.monotonic()
    for first in range(1, wish.timers + 1, IN_A_BATCH):
        people = range(first, min(wish.timers + 1, first + IN_A_BATCH))
        told = {"due": due.isoformat()}
        batch = [event(n, "Wave Began", f"w{n}/began", told) for n in people]
        await here.shop.tell([*(known(n) for n in people), *batch])
        await asyncio.sleep(max(0.0, began + first / wish.per_second - time.monotonic()))
    if datetime.now(UTC) > due:
        raise AssertionError("they could not begin as fast: ask for fewer a second")


async def _until(here: QuietShop, so: str, many: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        counting = f"select count(*) as many from runs where journey = 'wave' and {so}"
        while (await _rows(here, counting))[0]["many"] < many:
            await asyncio.sleep(0.5)


async def _rows(here: QuietShop, statement: Any) -> list[dict[str, Any]]:
    async with here.shop.pool.connection() as connection:
        return await (await connection.execute(statement)).fetchall()
