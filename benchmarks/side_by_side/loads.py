"""The loads that every measurement is made of: closed loops, open loops, and waits for what was sent."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from benchmarks.side_by_side.contender import Ack, Contender, all_of
from benchmarks.side_by_side.programs import cpu_seconds
from benchmarks.side_by_side.sink import Sent
from benchmarks.side_by_side.sizes import PATIENCE_SECONDS, REST_SECONDS, Figures, Names, Sizes

AT_MOST_SECONDS = 60.0
LITTLE = 0.2
"""Seconds of a processor in a second: who polls uses some of it always."""


async def warmed(
    contender: Contender, journey: str, last: str, customers: Sequence[str], sizes: Sizes
) -> None:
    """The same beforehand, so that nothing is done for the first time while it is measured."""
    await contender.know(customers)
    await all_of(contender, journey, customers, sizes.at_once)
    await until_told(contender, customers, last)
    await asyncio.sleep(REST_SECONDS)


async def closed_loop(
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


async def waiting_for_answers(contender: Contender, names: Names, many: int) -> list[str]:
    """So many new customers whose run `answer` waits for their question."""
    customers = names.new(many)
    await contender.know(customers)
    await all_of(contender, "answer", customers, 16)
    await at_rest(contender)
    return customers


async def at_rest(contender: Contender) -> None:
    """Until what was begun waits: all of it has arrived, and the workers have little to do."""
    await contender.taken()
    ends = time.monotonic() + AT_MOST_SECONDS
    await asyncio.sleep(REST_SECONDS)
    while time.monotonic() < ends:
        before = cpu_seconds(contender.pids()["worker"])
        await asyncio.sleep(1)
        if cpu_seconds(contender.pids()["worker"]) - before < LITTLE:
            return


async def open_loop(many: int, a_second: float, do: Callable[[int], Awaitable[Ack]]) -> list[Ack]:
    """So many a second, whether the ones before are done or not."""
    began = time.monotonic()
    tasks: list[asyncio.Task[Ack]] = []
    for n in range(many):
        await asyncio.sleep(max(0.0, began + n / a_second - time.monotonic()))
        tasks.append(asyncio.ensure_future(do(n)))
    return list(await asyncio.gather(*tasks))


async def so_many_at_once(many: int, at_once: int, do: Callable[[int], Awaitable[Any]]) -> None:
    """So many in all, so many of them at a time."""
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


async def until_ended(contender: Contender, journey: str, customers: Sequence[str]) -> None:
    """Until the run of each is over."""
    async with asyncio.timeout(60):
        for customer in customers:
            while not await contender.ended(journey, customer):  # noqa: ASYNC110 -- seen by asking
                await asyncio.sleep(0.1)


def milliseconds(seconds: Sequence[float]) -> Figures:
    """The middle and the slowest hundredth."""
    return {"p50": 1_000 * quantile(seconds, 0.5), "p99": 1_000 * quantile(seconds, 0.99)}


def quantile(values: Sequence[float], which: float) -> float:
    """The value below which this share of them lies."""
    return sorted(values)[min(len(values) - 1, int(which * len(values)))]
