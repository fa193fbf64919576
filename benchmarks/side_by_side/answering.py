"""How soon something is answered, taken and told: P7, P9 and P14."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from benchmarks.side_by_side.contender import Ack, Contender
from benchmarks.side_by_side.loads import (
    milliseconds,
    open_loop,
    quantile,
    so_many_at_once,
    until_told,
    waiting_for_answers,
)
from benchmarks.side_by_side.scenario import ASKED, IGNORED
from benchmarks.side_by_side.sizes import Figures, Names, Sizes


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
    await so_many_at_once(sizes.posts, sizes.posts_at_once, post)
    most = sizes.posts / (time.monotonic() - began)
    acks = await open_loop(sizes.posts, 0.7 * most, post)
    return {"P9": {"acks_a_second": most, "ack_ms_at_70": milliseconds([a.seconds for a in acks])}}


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

    await so_many_at_once(len(customers), 16, begin)
    await contender.taken()
    quiet = await open_loop(20, 10, lambda n: contender.touch("answer", waiting[n], IGNORED))
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
            "late_s": {"p50": quantile(late, 0.5), "p99": quantile(late, 0.99)},
            "ack_ms": milliseconds([ack.seconds for ack in acks]),
            "quiet_ack_ms": milliseconds([ack.seconds for ack in quiet]),
        }
    }


async def _capacity(contender: Contender, names: Names, sizes: Sizes) -> float:
    """Answers a second when all of these ask at once."""
    customers = await waiting_for_answers(contender, names, max(60, sizes.asks))
    began = time.monotonic()
    people = iter(customers)
    await so_many_at_once(
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

    await open_loop(many, a_second, ask)
    told = await until_told(contender, customers, "answer")
    times = [told[one].at - asked[one] for one in customers]
    return {"n": many, "a_second": a_second, **milliseconds(times)}
