"""How each number is measured, once per contender and round: each function answers with numbers for the page."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.side_by_side.contender import Ack, Contender, History, all_of
from benchmarks.side_by_side.postgres_meter import PostgresMeter, Reading, Texts, more_of
from benchmarks.side_by_side.programs import cpu_seconds
from benchmarks.side_by_side.scenario import (
    ASKED,
    BOUGHT,
    IGNORED,
    NOISE,
    STEPPED,
    STEPS,
    Scenario,
)
from benchmarks.side_by_side.sink import Sent

Figures = dict[str, Any]
REST_SECONDS = 3.0
"""After the last send a run has a few transactions left; this long after it, it has none."""
PATIENCE_SECONDS = 600.0


@dataclass(slots=True)
class Sizes:
    """How much of everything is done: the defaults are those of `--quick`."""

    runs: int = 40
    at_once: int = 40
    idle_seconds: float = 5.0
    asks: int = 40
    asks_a_second: float = 5.0
    posts: int = 300
    posts_at_once: int = 16
    open_runs: Sequence[int] = (200, 400)
    wave: int = 100
    long: int = 2
    kills: Sequence[str] = ("worker", "server", "database")
    scenario: Scenario = field(default_factory=Scenario)


@dataclass(slots=True)
class Names:
    """Customers nobody has met yet in this turn."""

    prefix: str
    count: int = 0

    def new(self, many: int) -> list[str]:
        """So many of them."""
        self.count += many
        return [f"{self.prefix}{n}" for n in range(self.count - many, self.count)]


async def carts(
    contender: Contender, meter: PostgresMeter | None, names: Names, sizes: Sizes
) -> Figures:
    """P1-P4, P6, P8: so many full carts, always so many under way, and what they cost beyond an idle installation."""
    await _some(contender, "cart", "handover", names.new(sizes.at_once), sizes)  # warm
    customers = names.new(sizes.runs)
    await contender.know(customers)
    idle = await _idle(meter, sizes)
    texts: Texts = await meter.texts() if meter else {}
    before, used = await _read(meter), _cpu(contender)
    sent = await _closed_loop(contender, customers, sizes)
    await asyncio.sleep(REST_SECONDS)
    after = await _read(meter)
    spent = {what: seconds - used[what] for what, seconds in _cpu(contender).items()}
    figures: Figures = {"n": sizes.runs, "P8": _rate(sent)}
    figures |= {f"cpu_ms_{what}": 1_000 * seconds / sizes.runs for what, seconds in spent.items()}
    figures["P6"] = figures.get("cpu_ms_worker")
    if before and after and idle:
        net = after.since(before).beyond(idle)
        figures["P4"] = {
            "write_transactions": net.transactions / sizes.runs,
            "statements": net.statements / sizes.runs,
            "wal_kb": net.wal_bytes / sizes.runs / 1_000,
            "commits": net.commits / sizes.runs,
        }
        if meter:
            figures["texts"] = _texts(more_of(await meter.texts(), texts), sizes.runs)
    return figures | _histories([await contender.history("cart", one) for one in customers[:50]])


async def bought(contender: Contender, names: Names, sizes: Sizes) -> Figures:
    """`cart-bought`: the purchase comes during the first wait."""
    customers = names.new(min(10, sizes.runs))
    await contender.know(customers)
    await all_of(contender, "cart", customers, len(customers))
    await asyncio.gather(*(contender.touch("cart", one, BOUGHT) for one in customers))
    await _until_ended(contender, "cart", customers)
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
    await _until_ended(contender, "long", customers)
    found = _histories([await contender.history("long", one) for one in customers])
    return {f"long_{name}": value for name, value in found.items()} | {
        "long_step_ms": 1_000 * took / STEPS
    }


async def answers(contender: Contender, names: Names, sizes: Sizes) -> Figures:
    """P7: from the touchpoint's post to the channel's call, at five a second and at seven tenths of what it can."""
    most = await _capacity(contender, names, sizes)
    quiet = await _latency(contender, names, sizes.asks, sizes.asks_a_second)
    busy = await _latency(contender, names, max(sizes.asks, int(0.7 * most * 4)), 0.7 * most)
    return {"P7": {"quiet": quiet, "busy": busy, "answers_a_second": most}}


async def ingest(contender: Contender, names: Names, sizes: Sizes) -> Figures:
    """P9: touchpoints taken durably, as many as it can (nobody waits for them), and how long each takes at 70 %."""
    waiting = await waiting_for_answers(contender, names, 20)

    async def post(n: int) -> Ack:
        return await contender.touch("answer", waiting[n % len(waiting)], IGNORED)

    began = time.monotonic()
    await _so_many_at_once(sizes.posts, sizes.posts_at_once, post)
    most = sizes.posts / (time.monotonic() - began)
    acks = await _open_loop(sizes.posts, 0.7 * most, post)
    return {"P9": {"acks_a_second": most, "ack_ms_at_70": _milliseconds([a.seconds for a in acks])}}


async def wave(contender: Contender, names: Names, sizes: Sizes) -> Figures:
    """P14: timers due in one second: how late each is told, and touchpoints' acknowledgements meanwhile."""
    customers, waiting = names.new(sizes.wave), await waiting_for_answers(contender, names, 20)
    await contender.know(customers)
    lead = 5 + sizes.wave / 20
    due = datetime.now(UTC) + timedelta(seconds=lead)
    due_at = time.monotonic() + lead
    people = iter(customers)

    async def begin(_: int) -> Ack:
        return await contender.begin("wave", next(people), due.isoformat())

    await _so_many_at_once(len(customers), 16, begin)
    await asyncio.sleep(max(0.0, due_at - time.monotonic()))
    acks: list[Ack] = []
    telling = asyncio.create_task(until_told(contender, customers, "due"))
    while not telling.done():
        acks.append(await contender.touch("answer", waiting[len(acks) % len(waiting)], IGNORED))
        await asyncio.sleep(0.05)
    late = [one.at - due_at for one in (await telling).values()]
    return {
        "P14": {
            "timers": len(customers),
            "drained_a_second": len(customers) / max(late),
            "late_s": {"p50": _quantile(late, 0.5), "p99": _quantile(late, 0.99)},
            "ack_ms": _milliseconds([ack.seconds for ack in acks]),
        }
    }


# -- pieces


async def _some(
    contender: Contender, journey: str, last: str, customers: Sequence[str], sizes: Sizes
) -> None:
    await contender.know(customers)
    await all_of(contender, journey, customers, sizes.at_once)
    await until_told(contender, customers, last)
    await asyncio.sleep(REST_SECONDS)


async def _closed_loop(
    contender: Contender, customers: Sequence[str], sizes: Sizes
) -> dict[str, Sent]:
    """Always so many under way: the next begins when one is handed over."""
    waiting, under_way, done = iter(customers), asyncio.Semaphore(sizes.at_once), asyncio.Event()
    told: dict[str, Sent] = {}
    mine = set(customers)

    async def watch() -> None:
        while len(told) < len(customers):
            for one in contender.sink.look():
                if one.message == "handover" and one.customer in mine:
                    told[one.customer] = one
                    under_way.release()
            await asyncio.sleep(0.01)
        done.set()

    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as work:
        work.create_task(watch())
        for customer in waiting:
            await under_way.acquire()
            work.create_task(contender.begin("cart", customer))
    return told


async def _capacity(contender: Contender, names: Names, sizes: Sizes) -> float:
    """Answers a second when all of these ask at once."""
    customers = await waiting_for_answers(contender, names, max(60, sizes.asks))
    began = time.monotonic()
    people = iter(customers)
    await _so_many_at_once(
        len(customers), 16, lambda _: contender.touch("answer", next(people), ASKED)
    )
    told = await until_told(contender, customers, "answer")
    return len(customers) / (max(one.at for one in told.values()) - began)


async def _latency(contender: Contender, names: Names, many: int, a_second: float) -> Figures:
    customers = await waiting_for_answers(contender, names, many)
    people = iter(customers)
    asked: dict[str, float] = {}

    async def ask(_: int) -> Ack:
        customer = next(people)
        asked[customer] = time.monotonic()
        return await contender.touch("answer", customer, ASKED)

    await _open_loop(many, a_second, ask)
    told = await until_told(contender, customers, "answer")
    times = [told[one].at - asked[one] for one in customers]
    return {"n": many, "a_second": a_second, **_milliseconds(times)}


async def waiting_for_answers(contender: Contender, names: Names, many: int) -> list[str]:
    """So many new customers whose run `answer` waits for their question."""
    customers = names.new(many)
    await contender.know(customers)
    await all_of(contender, "answer", customers, 16)
    await asyncio.sleep(REST_SECONDS)
    return customers


async def _open_loop(many: int, a_second: float, do: Callable[[int], Awaitable[Ack]]) -> list[Ack]:
    """So many a second, whether the ones before are done or not."""
    began = time.monotonic()
    tasks: list[asyncio.Task[Ack]] = []
    for n in range(many):
        await asyncio.sleep(max(0.0, began + n / a_second - time.monotonic()))
        tasks.append(asyncio.ensure_future(do(n)))
    return list(await asyncio.gather(*tasks))


async def _so_many_at_once(many: int, at_once: int, do: Callable[[int], Awaitable[Any]]) -> None:
    turns = iter(range(many))

    async def some() -> None:
        for n in turns:
            await do(n)

    await asyncio.gather(*(some() for _ in range(at_once)))


async def until_told(
    contender: Contender, customers: Sequence[str], message: str
) -> dict[str, Sent]:
    """Until each of them was sent the message."""
    return await contender.sink.until(message, customers, PATIENCE_SECONDS)


async def until_sent(contender: Contender, customer: str, message: str, times: int) -> float:
    """Until a customer was sent a message so many times; when the last of them was."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            contender.sink.look()
            same = contender.sink.of(customer, message)
            if len(same) >= times:
                return same[times - 1].at
            await asyncio.sleep(0.005)


async def _until_ended(contender: Contender, journey: str, customers: Sequence[str]) -> None:
    async with asyncio.timeout(60):
        for customer in customers:
            while not await contender.ended(journey, customer):  # noqa: ASYNC110 -- seen by asking
                await asyncio.sleep(0.1)


async def _idle(meter: PostgresMeter | None, sizes: Sizes) -> Reading | None:
    if meter is None:
        return None
    await meter.settle()
    before = await meter.read()
    await asyncio.sleep(sizes.idle_seconds)
    return (await meter.read()).since(before)


async def _read(meter: PostgresMeter | None) -> Reading | None:
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
        "P1": statistics.median(one.events for one in known),
        "P2": statistics.median(one.bytes for one in known),
        "P3": statistics.median(one.transitions for one in known),
        "histories": statistics.median(one.histories for one in known),
    }


def _milliseconds(seconds: Sequence[float]) -> Figures:
    return {"p50": 1_000 * _quantile(seconds, 0.5), "p99": 1_000 * _quantile(seconds, 0.99)}


def _quantile(values: Sequence[float], which: float) -> float:
    return sorted(values)[min(len(values) - 1, int(which * len(values)))]


def _texts(more: dict[tuple[str, str], int], runs: int) -> list[Figures]:
    return [
        {"who": who, "text": text, "per_run": round(count / runs, 2)}
        for (who, text), count in list(more.items())[:80]
    ]
