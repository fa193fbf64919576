"""Hours under a steady load beside very many open runs: whether memory and the database grow with time.

`python -m tests.faults.soak --minutes 120 --open 10000`. What is open waits and is left alone; beside it
customers order at a steady rate and are done. Each half minute the memory of each process and the size of the
database are written down; slopes are by least squares over the time after `--settle-minutes`. In the end the
ledger, the mails and all that was acknowledged are held against the rules, and so are the histories of some
thousand runs: to read all of them takes the better part of an hour.
"""

import argparse
import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.faults.killed_shop import Outcome
from tests.faults.quiet_shop import QuietShop, quiet_shop
from tests.faults.shop import event, known
from tests.scorecard import keep

IN_A_BATCH = 50
OPEN_FROM = 2_000_000
HISTORIES = 4_000
EACH_SECONDS = 30.0
NOISE_MB_AN_HOUR = 10.0
"""What a process may gain an hour and be called flat: an allocator's."""

JOURNEY = """
language: 1
journey: waits
title: waits
owner: tests
enter: {on: Wait Began, again: never}
stages:
  - stage: only
    steps:
      - wait: {any: [{on: Wait Ended, do: [{finish: done}]}], until: 30d}
      - finish: over
"""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """`open_runs` that wait, and orders at `per_second` for so many minutes."""

    minutes: float
    open_runs: int
    per_second: float = 2.0
    begin_per_second: float = 25.0
    settle_minutes: float = 2.0
    each_seconds: float = EACH_SECONDS


@dataclass(frozen=True, slots=True)
class Moment:
    """What was seen. `memory`: resident bytes by process; `database`: bytes; `done`: orders so far."""

    seconds: float
    memory: Mapping[str, int]
    database: int
    done: int


def slope(points: Sequence[tuple[float, float]]) -> float:
    """By least squares; 0 where there is nothing to fit."""
    if len(points) < 2:
        return 0.0
    x = sum(at for at, _ in points) / len(points)
    y = sum(value for _, value in points) / len(points)
    spread = sum((at - x) ** 2 for at, _ in points)
    return sum((at - x) * (value - y) for at, value in points) / spread if spread else 0.0


@dataclass(frozen=True, kw_only=True)
class Soaked:
    """What was counted."""

    wish: Wish
    moments: Sequence[Moment]
    before: Moment
    opened: Moment
    outcome: Outcome

    @property
    def settled(self) -> Sequence[Moment]:
        return [m for m in self.moments if m.seconds >= 60 * self.wish.settle_minutes]

    def growth(self, moments: Sequence[Moment]) -> dict[str, float]:
        """Megabytes an hour, by process."""
        return {
            name: 3_600 * slope([(m.seconds, m.memory[name]) for m in moments]) / 1e6
            for name in self.opened.memory
        }

    def figures(self) -> dict[str, object]:
        first, last = self.moments[0], self.moments[-1]
        late = self.settled[len(self.settled) // 2 :]
        per_open = (self.opened.database - self.before.database) / max(1, self.wish.open_runs)
        return {
            "minutes": round((last.seconds - first.seconds) / 60, 1),
            "open_runs": self.wish.open_runs,
            "orders": last.done,
            "orders_a_second": self.wish.per_second,
            "memory_mb": {name: round(size / 1e6) for name, size in last.memory.items()},
            "memory_mb_an_hour": _rounded(self.growth(self.settled)),
            "memory_mb_an_hour_in_the_second_half": _rounded(self.growth(late)),
            "database_bytes_per_open_run": round(per_open),
            "database_bytes_per_order": round(_per_order(self.settled)),
            "database_bytes_per_order_in_the_second_half": round(_per_order(late)),
            "histories_read": self.outcome.histories,
            "lost": self.outcome.lost,
            "duplicated": self.outcome.duplicated,
        }

    @property
    def flat(self) -> bool:
        """Whether the processes of our own stay as they are."""
        return all(mb <= NOISE_MB_AN_HOUR for mb in self.growth(self.settled).values())


def _per_order(moments: Sequence[Moment]) -> float:
    """Bytes by which the database grew with each order."""
    return slope([(m.done, m.database) for m in moments])


def _rounded(megabytes: Mapping[str, float]) -> dict[str, float]:
    return {name: round(mb, 1) for name, mb in megabytes.items()}


async def soak(wish: Wish, state: Path) -> Soaked:
    """Open what waits, keep the load up, write down what is seen, then end everything and count."""
    began = time.monotonic()
    async with quiet_shop(state, histories=HISTORIES) as here:
        await here.publish("waits", JOURNEY)
        before = await _look(here, 0.0)
        await _tell_all(here, wish, "Wait Began", with_known=True)
        await _until_open(here, wish.open_runs)
        opened = await _look(here, 0.0)
        moments = await _watch(here, wish)
        await _tell_all(here, wish, "Wait Ended")
        outcome = await here.outcome(began)
    return Soaked(wish=wish, moments=moments, before=before, opened=opened, outcome=outcome)


async def _watch(here: QuietShop, wish: Wish) -> list[Moment]:
    began = time.monotonic()
    count = int(wish.minutes * 60 * wish.per_second)
    ordering = asyncio.create_task(here.shop.orders(1, count, wish.per_second))
    moments: list[Moment] = []
    while not ordering.done():
        moments.append(await _look(here, time.monotonic() - began))
        print(f"  {json.dumps(_line(moments[-1]))}", flush=True)
        await asyncio.wait({ordering}, timeout=wish.each_seconds)
    ordering.result()
    return moments


def _line(moment: Moment) -> dict[str, Any]:
    memory = {name: round(size / 1e6) for name, size in moment.memory.items()}
    megabytes = round(moment.database / 1e6)
    return {"s": round(moment.seconds), "done": moment.done, "db_mb": megabytes, **memory}


async def _look(here: QuietShop, seconds: float) -> Moment:
    memory = {
        name: psutil.Process(pid).memory_info().rss
        for name, pid in here.stack.pids.items()
        if pid is not None and name not in ("postgres", "temporal")
    }
    (row,) = await _rows(
        here,
        "select pg_database_size(current_database()) as bytes,"
        " (select count(*) from runs where journey = 'order' and state = 'finished') as done",
    )
    return Moment(seconds, memory, row["bytes"], row["done"])


async def _tell_all(here: QuietShop, wish: Wish, name: str, *, with_known: bool = False) -> None:
    began = time.monotonic()
    for first in range(0, wish.open_runs, IN_A_BATCH):
        people = [OPEN_FROM + n for n in range(first, min(wish.open_runs, first + IN_A_BATCH))]
        told = [event(n, name, f"{n}/{name}", {}) for n in people]
        await here.shop.tell([*(known(n) for n in people if with_known), *told])
        await asyncio.sleep(max(0.0, began + first / wish.begin_per_second - time.monotonic()))


async def _until_open(here: QuietShop, many: int) -> None:
    counting = "select count(*) as many from runs where journey = 'waits' and wakes_at is not null"
    while (await _rows(here, counting))[0]["many"] < many:
        await asyncio.sleep(1)


async def _rows(here: QuietShop, statement: Any) -> list[dict[str, Any]]:
    async with here.shop.pool.connection() as connection:
        return await (await connection.execute(statement)).fetchall()


def _wish() -> Wish:
    asking = argparse.ArgumentParser(description="A soak: docs/reliability.md, line R17.")
    asking.add_argument("--minutes", type=float, default=120)
    asking.add_argument("--open", type=int, default=10_000, dest="open_runs")
    asking.add_argument("--rate", type=float, default=2.0, dest="per_second")
    asking.add_argument("--begin-rate", type=float, default=25.0, dest="begin_per_second")
    asking.add_argument("--settle-minutes", type=float, default=2.0)
    return Wish(**vars(asking.parse_args()))


def main() -> None:
    """One soak; its figures are kept where CLEW_SCORECARD is set."""
    wish, state = _wish(), Path(tempfile.mkdtemp(prefix="soak-"))
    try:
        soaked = asyncio.run(soak(wish, state))
    finally:
        shutil.rmtree(state, ignore_errors=True)
    short = wish.minutes < 120 or wish.open_runs < 10_000
    why = f"{wish.minutes:g} minutes with {wish.open_runs} open runs only" if short else ""
    if not soaked.flat:
        why = f"a process grew by more than {NOISE_MB_AN_HOUR:g} MB an hour; {why}".rstrip("; ")
    met = soaked.flat and soaked.outcome.holds and not short
    keep("R17", soaked.figures(), met=met, why=why)
    raise SystemExit(0 if soaked.outcome.holds else 1)


if __name__ == "__main__":
    main()
