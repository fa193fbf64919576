"""The API as it is wired for production, on a real database, with every door open."""

from collections.abc import AsyncIterator

import pytest_asyncio

from stores.database import Pool, open_pool


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database, name="test", most=8)
    yield opened
    await opened.close()
