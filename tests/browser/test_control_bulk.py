"""All who wait at a step are acted on in a real browser: seen before it is ordered, and looked at while it goes on."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from contracts.bulk_acts import BulkAnswer, BulkDeed
from routing.bulk_acts import BulkActs
from stores.bulk_acts import BulkActStore
from stores.database import open_pool
from tests.browser.test_inbox import ARGUMENTS, DESK, PHONE, PICTURES, Inbox, Theme, faults
from tests.integration.api.conftest import serving
from tests.integration.control.control_house import ControlHouse
from workers.embedded.postgres_server import PostgresServer

STEP = "tasting/3/otherwise/0"
PAGES = {
    "bulk": f"/control/journey/tea/bulk?at={STEP}&act=end",
    "bulk-act": "/control/journey/tea/bulk/1",
}


class Willing:
    """Runs that do what they are told; one in seven refuses."""

    async def tell(self, deed: BulkDeed) -> BulkAnswer:
        if deed.entry % 7 == 0:
            return BulkAnswer(became="refused", why="the run did not do it")
        return BulkAnswer(became="done")


@pytest_asyncio.fixture(scope="module")
async def control(
    postgres: PostgresServer,
    migrated_template: str,
    chromium: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Inbox]:
    async with AsyncExitStack() as parts:
        url = await postgres.create_database("control_bulk", template=migrated_template)
        pool = await open_pool(url, most=8)
        parts.push_async_callback(pool.close)
        house = ControlHouse(pool, url)
        await house.furnish()
        await house.lived(url, tmp_path_factory.mktemp("tea"))
        await parts.enter_async_context(house.ear)
        address = await parts.enter_async_context(serving(house.app()))
        parts.callback(house.stopping.set)
        playwright = await parts.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        parts.push_async_callback(browser.close)
        inbox = Inbox(house, address, browser)
        await _ordered(inbox)
        yield inbox


async def _ordered(control: Inbox) -> None:
    """From who stands at the step to an order, of which two portions are carried out."""
    house: Any = control.house
    page = await control.page("root")
    await page.goto(f"/control/journey/tea/people?at={STEP}")
    await page.click("text=Act on all of them")
    await page.click("text=Show what would happen")
    await page.wait_for_selector("h2:has-text('What would happen')")
    await page.fill("#reason", "the shop is closed for a week")
    await page.press("#reason", "Enter")
    await page.wait_for_selector("h1:has-text('End all at')")
    await page.context.close()
    work = BulkActs(BulkActStore(house.pool), Willing())
    assert await work.round()
    assert await work.round()


async def test_an_order_shows_how_far_it_is(control: Inbox) -> None:
    page = await control.page("root")
    await page.goto(PAGES["bulk-act"])
    assert "the run did not do it" in await page.inner_text("main")
    assert await page.locator("progress").get_attribute("value") == "40"
    assert await page.locator("text=Halt it").count() == 1
    await page.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("name", list(PAGES))
async def test_nothing_is_in_anybodys_way(
    control: Inbox, name: str, width: int, theme: Theme
) -> None:
    page = await control.page("root", width, theme)
    await page.goto(PAGES[name])
    assert await faults(page) == []
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    await page.context.close()


@pytest.mark.pictures
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("name", list(PAGES))
async def test_pictures_of_acting_on_all(
    control: Inbox, name: str, width: int, theme: Theme
) -> None:
    page = await control.page("root", width, theme)
    await page.goto(PAGES[name])
    size = "-phone" if width == PHONE else ""
    shade = "-dark" if theme == "dark" else ""
    await page.screenshot(path=PICTURES / f"control-{name}{size}{shade}.png", full_page=True)
    await page.context.close()
