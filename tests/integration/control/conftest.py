"""A house with staff, mission control, and browsers without scripts."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import pytest_asyncio

from insight.backtest_figures import Figures
from stores.database import open_pool
from tests.integration.control.control_house import ControlHouse
from tests.integration.inbox.staff_house import Browser


@dataclass
class Control:
    """The house, what a backtest counted while it was played, and a lead's browser."""

    house: ControlHouse
    played: Figures
    lead: Browser
    agent: Browser


@pytest_asyncio.fixture
async def control(database: str, tmp_path: Path) -> AsyncIterator[Control]:
    pool = await open_pool(database, most=8)
    house = ControlHouse(pool, database)
    await house.furnish()
    played = await house.lived(database, tmp_path)
    transport = httpx.ASGITransport(app=house.app())
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://clew.test") as lead,
        httpx.AsyncClient(transport=transport, base_url="http://clew.test") as agent,
    ):
        await house.signed_in(lead, "lena")
        await house.signed_in(agent, "eva")
        yield Control(house, played, Browser(lead), Browser(agent))
    await pool.close()
