"""What a contender costs while runs wait, and how it comes back: P10 to P13, P15."""

import asyncio
import math
import statistics
import time
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from benchmarks.side_by_side.contender import Ack, Contender, all_of
from benchmarks.side_by_side.loads import at_rest, until_sent, until_told, waiting_for_answers
from benchmarks.side_by_side.postgres_meter import Meter
from benchmarks.side_by_side.programs import resident_megabytes
from benchmarks.side_by_side.scenario import ASKED, STEPPED
from benchmarks.side_by_side.sizes import REST_SECONDS, Figures, Names, Sizes


@runtime_checkable
class HasVisibility(Protocol):
    """A contender whose broker gives a task to somebody else when it is not acknowledged in time."""

    async def begin_far(self, customers: Sequence[str], seconds: int) -> None:
        """One task `due` each, so far away, with a visibility timeout of 4 s and two workers."""
        ...


STILL_TRANSACTIONS = 5.0
"""So few write transactions a second, in so many looks in a row, are rest."""

STILL_LOOKS = 3
STILL_AT_MOST_SECONDS = 180

STEPS_BEFORE_COLD = 5
"""So many steps of `long` make a history of about fifty events."""


async def open_runs(
    contender: Contender, meter: Meter | None, names: Names, sizes: Sizes
) -> Figures:
    """P10, P11, P12: memory of the workers, bytes in the database, and statements a second, by how many runs wait."""
    empty = await _bytes(meter)
    opened, found = 0, list[Figures]()
    for wanted in sizes.open_runs:
        customers = names.new(wanted - opened)
        await contender.know(customers)
        known = await _bytes(meter)
        empty = empty if opened else known  # customers are not runs
        await all_of(contender, "answer", customers, 16)
        opened = wanted
        await at_rest(contender)
        await _still(meter)
        told: Figures = {
            "open": wanted,
            "worker_mb": resident_megabytes(contender.pids()["worker"]),
            "largest_worker_mb": max(resident_megabytes([p]) for p in contender.pids()["worker"]),
        }
        if meter is not None and empty is not None:
            now = await meter.bytes()
            told["database_bytes_a_run"] = (now - empty) / wanted
            before = await meter.read()
            await asyncio.sleep(sizes.idle_seconds)
            idle = (await meter.read()).since(before)
            told["idle_statements_a_second"] = idle.statements / idle.seconds
            if not math.isnan(idle.transactions):
                told["idle_write_transactions_a_second"] = idle.transactions / idle.seconds
        found.append(told)
    return {"open_runs": found}


async def _still(meter: Meter | None) -> None:
    """Until the database has little to write for a while: what is done for later is no cost of waiting.

    A server moves tasks on for a minute after a thousand runs began, when its workers rest long since.
    """
    ends, quiet = time.monotonic() + STILL_AT_MOST_SECONDS, 0
    while meter is not None and quiet < STILL_LOOKS and time.monotonic() < ends:
        before = await meter.read()
        await asyncio.sleep(REST_SECONDS)
        did = (await meter.read()).since(before)
        quiet = quiet + 1 if did.transactions / did.seconds < STILL_TRANSACTIONS else 0


async def recovery(contender: Contender, names: Names, sizes: Sizes) -> Figures:
    """P13: from the kill to the first answer to somebody who asked after it, while ten a second ask."""
    there = [what for what in sizes.kills if what in contender.pids()]
    return {"P13": {what: await _back_after(contender, names, sizes, what) for what in there}}


async def _back_after(contender: Contender, names: Names, sizes: Sizes, what: str) -> float:
    customers = await waiting_for_answers(contender, names, sizes.asking_after_a_kill)
    people, asking = iter(customers), list[asyncio.Task[None]]()
    killed = time.monotonic()
    killing = asyncio.create_task(contender.kill(what))
    asked = set[str]()
    try:
        while True:
            customer = next(people, None)
            if customer is not None:
                asked.add(customer)
                asking.append(asyncio.create_task(_until_taken(contender, customer)))
            contender.sink.look()
            answered = [s for s in contender.sink.sent if s.customer in asked]
            if answered:
                return min(one.at for one in answered) - killed
            if time.monotonic() - killed > 120:
                raise TimeoutError(
                    f"{contender.name}: nothing was sent 120 s after its {what} was killed"
                )
            await asyncio.sleep(0.1)
    finally:
        await killing
        await asyncio.gather(*asking)
        await asyncio.sleep(REST_SECONDS)


async def _until_taken(contender: Contender, customer: str) -> None:
    """As a client does: the same again until it is taken."""
    async with asyncio.timeout(120):
        while True:
            try:
                await contender.touch("answer", customer, ASKED)
            except Exception:
                await asyncio.sleep(0.2)
            else:
                return


async def far_times(contender: Contender, names: Names, sizes: Sizes) -> Figures:
    """How often each task runs whose time is further away than the broker's visibility timeout."""
    if not isinstance(contender, HasVisibility):
        return {}
    customers = names.new(sizes.far)
    await contender.begin_far(customers, sizes.far_seconds)
    await until_told(contender, customers, "due")
    await asyncio.sleep(2 * REST_SECONDS)
    contender.sink.look()
    runs = sum(len(contender.sink.of(one, "due")) for one in customers)
    return {"eta": {"tasks": len(customers), "executions": runs}}


async def cold(contender: Contender, names: Names, sizes: Sizes) -> Figures:
    """P15: a run of about fifty events that no worker remembers, against one that it does: touchpoint to send."""
    customers = names.new(max(10, sizes.asks // 2))
    await contender.know(customers)
    await all_of(contender, "long", customers, 16)
    await at_rest(contender)
    for step in range(1, STEPS_BEFORE_COLD + 1):
        await asyncio.gather(*(_step(contender, one, step) for one in customers))
    cached = [await _step(contender, one, STEPS_BEFORE_COLD + 1) for one in customers]
    await contender.kill("worker")
    warm = await waiting_for_answers(contender, names, 5)
    for one in warm:
        await contender.touch("answer", one, ASKED)
    await until_told(contender, warm, "answer")
    # Nobody's history is on its way to the worker that was killed any more.
    await asyncio.sleep(15)
    forgotten = [await _step(contender, one, STEPS_BEFORE_COLD + 2) for one in customers]
    return {
        "P15": {
            "cached_ms": 1_000 * statistics.median(cached),
            "cold_ms": 1_000 * statistics.median(forgotten),
        }
    }


async def _step(contender: Contender, customer: str, number: int) -> float:
    ack: Ack = await contender.touch("long", customer, STEPPED)
    at = await until_sent(contender, customer, "step", number)
    return at - ack.asked


async def _bytes(meter: Meter | None) -> int | None:
    return await meter.bytes() if meter else None
