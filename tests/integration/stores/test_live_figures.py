"""Open pages go on as figures change, and a hundred of them cost the database what one does."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from console.control_live import LiveFigures, Shared
from contracts.journey_run import RunReference
from stores.figures_ear import FiguresEar
from stores.journey_figures import JourneyFiguresStore
from tests.integration.stores.conftest import CART, Shop, added


@pytest_asyncio.fixture
async def ear(database: str) -> AsyncIterator[FiguresEar]:
    async with FiguresEar(database) as ear:
        async with asyncio.timeout(60):
            await ear.listening.wait()
        yield ear


class Visited:
    """A visit as far as it is asked."""

    def __init__(self, **query: str) -> None:
        self.request: Any = type("Request", (), {"query_params": query})


async def enters(shop: Shop, who: str) -> RunReference:
    order = shop.order("cart", await shop.known(who), added(f"m-{who}"))
    return shop.reference(order, await shop.enters(order))


async def test_a_page_of_a_journey_hears_of_it_and_of_no_other(shop: Shop, ear: FiguresEar) -> None:
    await shop.publish(CART)
    figures = JourneyFiguresStore(shop.pool)
    while await figures.fold():
        pass
    async with asyncio.timeout(60):
        while ear.count() < 2:  # that it listens, and that all was counted
            await ear.heard()
    live = LiveFigures(changes=ear, every_seconds=0)
    cart, other = live.told("cart"), live.told("other")
    assert b"event: here" in await anext(cart)
    assert b"event: here" in await anext(other)
    before = ear.count("other")

    await enters(shop, "anna")
    await figures.fold()

    async with asyncio.timeout(60):
        assert await anext(cart) == b"event: changed\ndata: {}\n\n"
    assert ear.count("other") == before
    await cart.aclose()
    await other.aclose()
    assert live.listening == 0


async def test_a_hundred_who_look_cost_one_reading_for_each_change(
    shop: Shop, ear: FiguresEar
) -> None:
    await shop.publish(CART)
    figures, readings = JourneyFiguresStore(shop.pool), list[int]()
    shared = Shared(ear)

    async def read() -> int:
        rows = await shop.rows("select count(*) as n from runs")
        readings.append(rows[0]["n"])
        return rows[0]["n"]

    async def look() -> int:
        return await shared.once("page", "cart", read)

    first = await asyncio.gather(*(look() for _ in range(100)))
    heard = ear.count("cart")
    await enters(shop, "anna")
    while await figures.fold():
        pass
    async with asyncio.timeout(60):
        while ear.count("cart") == heard:
            await ear.heard()
    second = await asyncio.gather(*(look() for _ in range(100)))

    assert (set(first), set(second)) == ({0}, {1})
    assert readings == [0, 1]


async def test_a_page_looks_again_after_a_while_in_which_nothing_changed(ear: FiguresEar) -> None:
    live = LiveFigures(changes=ear, every_seconds=0, quiet_seconds=0.01, stale_seconds=0.03)
    told = live.told("cart")

    async with asyncio.timeout(60):
        heard = [await anext(told) for _ in range(20)]

    assert b"event: changed\ndata: {}\n\n" in heard
    assert b":\n\n" in heard
    await told.aclose()


async def test_a_reading_that_failed_is_tried_again(ear: FiguresEar) -> None:
    shared, tries = Shared(ear), list[int]()

    async def read() -> str:
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError("away")
        return "there"

    [failed] = await asyncio.gather(shared.once("page", None, read), return_exceptions=True)
    assert isinstance(failed, ConnectionError)
    assert await shared.once("page", None, read) == "there"


async def test_a_process_that_ends_lets_its_listeners_go(ear: FiguresEar) -> None:
    live = LiveFigures(changes=ear)
    told = live.told(None)
    await anext(told)
    live.stopping.set()
    async with asyncio.timeout(60):
        left = [part async for part in told]
    assert all(part in (b":\n\n", b"event: changed\ndata: {}\n\n") for part in left)
    visit: Any = Visited()
    assert (await live.events(visit)).status_code == 503
