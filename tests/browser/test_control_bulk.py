"""All who wait at a step are acted on in a real browser: seen before it is ordered, and looked at while it goes on."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio

from contracts.bulk_acts import BulkAnswer, BulkDeed
from routing.bulk_acts import BulkActs
from stores.bulk_acts import BulkActStore
from tests.browser.staff_pages import (
    Inbox,
    Places,
    Theme,
    fits_everybody,
    in_every_light,
    in_every_width,
    picture,
)

STEP = "tasting/3/otherwise/0"
PAGES = {
    "bulk": f"/control/journey/tea/bulk?at={STEP}&act=end",
    "bulk-nudge": f"/control/journey/tea/bulk?at={STEP}&act=nudge",
    "bulk-act": "/control/journey/tea/bulk/1",
}


class Willing:
    """Runs that do what they are told; one in seven refuses."""

    async def tell(self, deed: BulkDeed) -> BulkAnswer:
        if deed.entry % 7 == 0:
            return BulkAnswer(became="refused", why="the run did not do it")
        return BulkAnswer(became="done")


@pytest_asyncio.fixture(scope="module")
async def control(places: Places) -> AsyncGenerator[Inbox]:
    async with (
        places.lived_in("control_bulk") as house,
        places.mission_control(house) as pages,
    ):
        await _ordered(pages)
        yield pages


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


async def test_those_who_wait_are_nudged_from_the_page(control: Inbox) -> None:
    page = await control.page("root")
    await page.goto(f"/control/journey/tea/bulk?at={STEP}")
    await page.select_option("#act", "nudge")
    await page.click("text=Show what would happen")
    words = await page.inner_text("main")
    assert "as if the time that it waits for were over" in words
    assert "go on at: finish: lost" in words
    await page.fill("#reason", "the shop is open again")
    await page.press("#reason", "Enter")
    await page.wait_for_selector("h1:has-text('Nudge all at')")
    assert "nudged" in await page.inner_text("main")
    await page.context.close()


@in_every_light
@in_every_width
@pytest.mark.parametrize("name", list(PAGES))
async def test_nothing_is_in_anybodys_way(
    control: Inbox, name: str, width: int, theme: Theme
) -> None:
    async with control.shown("root", PAGES[name], width, theme) as page:
        await fits_everybody(page, width)


@pytest.mark.pictures
@in_every_light
@in_every_width
@pytest.mark.parametrize("name", list(PAGES))
async def test_pictures_of_acting_on_all(
    control: Inbox, name: str, width: int, theme: Theme
) -> None:
    async with control.shown("root", PAGES[name], width, theme) as page:
        await picture(page, name, width, theme)
