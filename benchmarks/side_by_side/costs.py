"""What one run costs: P1 to P6 and P8, and the journeys that buy, ignore and walk."""

import asyncio
import math
import statistics
import time
from collections.abc import Sequence

from benchmarks.side_by_side.contender import Contender, History, all_of
from benchmarks.side_by_side.loads import (
    closed_loop,
    until_ended,
    until_sent,
    waiting_for_answers,
    warmed,
)
from benchmarks.side_by_side.postgres_meter import Meter, Reading, Texts, more_of
from benchmarks.side_by_side.programs import cpu_seconds
from benchmarks.side_by_side.scenario import BOUGHT, IGNORED, NOISE, STEPPED, STEPS
from benchmarks.side_by_side.sink import Sent
from benchmarks.side_by_side.sizes import REST_SECONDS, Figures, Names, Sizes


async def carts(contender: Contender, meter: Meter | None, names: Names, sizes: Sizes) -> Figures:
    """P1-P4, P6, P8: so many full carts, always so many under way, and what they cost beyond an idle installation."""
    if meter is not None:
        await (
            meter.settle()
        )  # what a page's first change writes beyond itself falls into the warming
    await warmed(contender, "cart", "handover", names.new(sizes.at_once), sizes)  # warm
    customers = names.new(sizes.runs)
    await contender.know(customers)
    idle = await _idle(meter, sizes)
    texts: Texts = await meter.texts() if meter else {}
    before, used = await _read(meter), _cpu(contender)
    sent = await closed_loop(contender, customers, sizes)
    await asyncio.sleep(REST_SECONDS)
    after = await _read(meter)
    spent = {what: seconds - used[what] for what, seconds in _cpu(contender).items()}
    figures: Figures = {"n": sizes.runs, "P8": _rate(sent)}
    figures |= {f"cpu_ms_{what}": 1_000 * seconds / sizes.runs for what, seconds in spent.items()}
    figures["P6"] = figures.get("cpu_ms_worker")
    if before and after and idle:
        net = after.since(before).beyond(idle)
        counted = {
            "write_transactions": net.transactions / sizes.runs,
            "statements": net.statements / sizes.runs,
            "wal_kb": net.wal_bytes / sizes.runs / 1_000,
            "commits": net.commits / sizes.runs,
        }
        figures["P4"] = {what: n for what, n in counted.items() if not math.isnan(n)}
        if meter:
            figures["texts"] = _texts(more_of(await meter.texts(), texts), sizes.runs)
    return figures | _histories([await contender.history("cart", one) for one in customers[:50]])


async def bought(contender: Contender, names: Names, sizes: Sizes) -> Figures:
    """`cart-bought`: the purchase comes during the first wait."""
    customers = names.new(min(10, sizes.runs))
    await contender.know(customers)
    await all_of(contender, "cart", customers, len(customers))
    await asyncio.gather(*(contender.touch("cart", one, BOUGHT) for one in customers))
    await until_ended(contender, "cart", customers)
    contender.sink.look()
    told = {one.customer for one in contender.sink.sent}
    found = _histories([await contender.history("cart", one) for one in customers])
    return {f"bought_{name}": value for name, value in found.items()} | {
        "bought_and_told": len(told & set(customers))
    }


async def noise(contender: Contender, names: Names) -> Figures:
    """P5: events for each of fifty touchpoints that the journey does not know."""
    (customer,) = await waiting_for_answers(contender, names, 1)
    before = await contender.history("answer", customer)
    for _ in range(NOISE):
        await contender.touch("answer", customer, IGNORED)
    await asyncio.sleep(REST_SECONDS)
    after = await contender.history("answer", customer)
    return {"P5": (after.events - before.events) / NOISE} if before and after else {}


async def long(contender: Contender, names: Names, sizes: Sizes) -> Figures:
    """`long`: forty steps, and what they cost in history."""
    customers = names.new(sizes.long)
    await contender.know(customers)
    await all_of(contender, "long", customers, len(customers))

    async def walk(customer: str) -> None:
        for step in range(1, STEPS + 1):
            await contender.touch("long", customer, STEPPED)
            await until_sent(contender, customer, "step", step)

    began = time.monotonic()
    await asyncio.gather(*(walk(one) for one in customers))
    took = time.monotonic() - began
    await until_ended(contender, "long", customers)
    found = _histories([await contender.history("long", one) for one in customers])
    return {f"long_{name}": value for name, value in found.items()} | {
        "long_step_ms": 1_000 * took / STEPS
    }


async def _idle(meter: Meter | None, sizes: Sizes) -> Reading | None:
    if meter is None:
        return None
    before = await meter.read()
    await asyncio.sleep(sizes.idle_seconds)
    return (await meter.read()).since(before)


async def _read(meter: Meter | None) -> Reading | None:
    return await meter.read() if meter else None


def _cpu(contender: Contender) -> dict[str, float]:
    return {what: cpu_seconds(pids) for what, pids in contender.pids().items()}


def _rate(sent: dict[str, Sent]) -> float:
    """Runs a second in the middle three fifths: neither the first wait nor the last counts."""
    times = sorted(one.at for one in sent.values())
    first, last = len(times) // 5, len(times) * 4 // 5
    return (last - first) / (times[last] - times[first])


def _histories(found: Sequence[History | None]) -> Figures:
    known = [one for one in found if one is not None]
    if not known:
        return {}
    return {
        name: statistics.median(values)
        for name, values in {
            "P1": [one.events for one in known],
            "P2": [one.bytes for one in known if one.bytes],  # not every engine counts them
            "P3": [one.transitions for one in known if one.transitions],
            "histories": [one.histories for one in known],
        }.items()
        if values
    }


def _texts(more: dict[tuple[str, str], int], runs: int) -> list[Figures]:
    return [
        {"who": who, "text": text, "per_run": round(count / runs, 2)}
        for (who, text), count in list(more.items())[:80]
    ]
