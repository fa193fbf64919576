"""What one full cart costs beside the same by hand, counted on a real server; a time is never a pass."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from benchmarks.side_by_side.bare import Bare
from benchmarks.side_by_side.clew import Clew
from benchmarks.side_by_side.contender import Contender, History
from benchmarks.side_by_side.scenario import IGNORED, Scenario

SECONDS = 240
AT_MOST = {"events": 1.08, "bytes": 2.2, "transitions": 1.0}
"""× by hand, as measured; it only goes down. The gates are 1.15, 1.5 and 1.12 (docs/decisions/0031).

Bytes are counted to within 1 %: process ids and instants are written longer or shorter.
"""


async def _cart(contender: Contender, customer: str) -> History:
    await contender.know([customer])
    await contender.begin("cart", customer)
    await contender.sink.until("handover", [customer], SECONDS)
    async with asyncio.timeout(SECONDS):
        while not await contender.ended("cart", customer):
            await asyncio.sleep(0.1)
    history = await contender.history("cart", customer)
    assert history is not None
    return history


@pytest_asyncio.fixture(scope="module")
async def ours(tmp_path_factory) -> AsyncIterator[Clew]:
    async for contender in _started(Clew(Scenario(1), production=False), tmp_path_factory):
        yield contender


@pytest_asyncio.fixture(scope="module")
async def by_hand(tmp_path_factory) -> AsyncIterator[Bare]:
    async for contender in _started(Bare(Scenario(1), production=False), tmp_path_factory):
        yield contender


async def _started(contender, tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp(contender.name)
    try:
        await contender.start(folder)
        yield contender
    finally:
        await contender.stop()


async def test_a_full_cart_costs_little_more_history_than_by_hand(
    ours: Clew, by_hand: Bare
) -> None:
    found, floor = await _cart(ours, "anna"), await _cart(by_hand, "anna")

    ratios = {name: getattr(found, name) / getattr(floor, name) for name in AT_MOST}
    print({name: round(ratio, 2) for name, ratio in ratios.items()}, found, floor)
    assert {n: r for n, r in ratios.items() if r > AT_MOST[n]} == {}


async def test_a_touchpoint_that_nobody_wants_is_in_no_history(ours: Clew) -> None:
    await ours.know(["bert"])
    await ours.begin("answer", "bert")
    async with asyncio.timeout(SECONDS):
        while (before := await ours.history("answer", "bert")) is None or before.events < 5:
            await asyncio.sleep(0.1)
    await asyncio.sleep(1)  # what its first task writes after it
    before = await ours.history("answer", "bert")

    for _ in range(5):
        await ours.touch("answer", "bert", IGNORED)
    await ours.taken()

    assert await ours.history("answer", "bert") == before
