"""A house with staff, and browsers without scripts."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import httpx2 as httpx
import pytest_asyncio

from stores.database import Pool, open_pool
from tests.integration.inbox.staff_house import Browser, StaffHouse


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database, most=8)
    yield pool
    await pool.close()


@pytest_asyncio.fixture
async def house(pool: Pool) -> StaffHouse:
    house = StaffHouse(pool)
    await house.furnish()
    return house


@pytest_asyncio.fixture
async def browser(house: StaffHouse) -> AsyncIterator[Callable[[], Browser]]:
    """Makes browsers, each with cookies of its own."""
    app = house.app()
    async with AsyncExitStack() as parts:
        made = list[httpx.AsyncClient]()

        def new() -> Browser:
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(app=app), base_url="http://clew.test"
            )
            made.append(client)
            return Browser(client)

        async def close() -> None:
            for each in made:
                await each.aclose()

        parts.push_async_callback(close)
        yield new
