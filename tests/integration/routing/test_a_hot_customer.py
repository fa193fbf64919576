"""A customer who does something all the time: their run is told as often as the server bears, and everything."""

import asyncio
import time

from stores.outbox import AT_ONCE, SIGNAL_PACE
from tests.integration.routing.conftest import PARCEL, Happens, MakeRouter, Publish
from tests.integration.routing.town import Town

MANY = 150


async def test_what_comes_faster_than_a_run_may_be_told_goes_in_few_signals(
    publish: Publish, router: MakeRouter, happens: Happens
) -> None:
    await publish(PARCEL)
    town, stop = Town(), asyncio.Event()
    routers = [router(town), router(town)]
    working = [asyncio.create_task(each.run(stop)) for each in routers]
    began = time.monotonic()

    names = [await happens("Ordered", "c_anna", order="7")]
    for _ in range(MANY):
        names.append(await happens("Asked", "c_anna"))
        for each in routers:
            each.heard.set()
    async with asyncio.timeout(60):
        while not town.runs or len(town.runs[0].ids) < len(names):
            await asyncio.sleep(0.01)
    took = time.monotonic() - began
    stop.set()
    await asyncio.gather(*working)

    [run] = town.runs
    assert run.ids == names
    assert 1 + town.signals <= 1 + AT_ONCE / SIGNAL_PACE + took / SIGNAL_PACE.total_seconds()
