"""Scenarios that are kept hold the next version to them, in a real browser, also without scripts and on a phone."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from playwright.async_api import Page

from stores.messages import MessageStore
from tests.browser.staff_pages import (
    DESK,
    PHONE,
    Inbox,
    Places,
    Theme,
    fits_everybody,
    in_every_light,
    in_every_width,
    picture,
)
from tests.integration.control.test_scenarios_kept import HOLDS, SECOND_CUP
from tests.unit.insight.recordings import TEA

SOURCE = "/control/journey/tea/source"


@pytest_asyncio.fixture(scope="module")
async def house(places: Places) -> AsyncGenerator[Inbox]:
    async with places.lived_in("control_kept") as here:
        await MessageStore(here.pool).publish(
            "how-was-it", '---\nsubject: "How was it?"\npurpose: marketing\n---\nTell us.\n'
        )
        await here.hire("edith", "Edith", "editor", [])
        async with places.mission_control(here) as pages:
            yield pages


async def keeps(house: Inbox) -> None:
    """The live version is as it was at first, with two scenarios, which hold."""
    page = await house.page("edith")
    await page.goto(SOURCE)
    if not await page.locator("#scenarios").is_visible():
        await page.click("summary:has-text('Scenarios')")
    await page.fill("#source", TEA)
    await page.fill("#scenarios", HOLDS)
    async with page.expect_navigation():
        await page.click("#draft button:has-text('Publish')")
    assert await page.locator("text=These are kept with version").count() == 1
    await page.context.close()


async def warned(page: Page) -> None:
    """A source with which one of them does not hold is to be published."""
    await page.goto(SOURCE)
    await page.fill("#source", TEA.replace("until: 3d", "until: 12h"))
    await page.click("#draft button:has-text('Publish')")
    await page.wait_for_selector("h2:has-text('It is not published yet')")


@pytest.mark.parametrize("scripts", [True, False])
async def test_who_is_warned_publishes_all_the_same_only_by_saying_so(
    house: Inbox, scripts: bool
) -> None:
    await keeps(house)
    page = await house.page("edith", scripts=scripts)
    await warned(page)
    assert f"does not hold: {SECOND_CUP}" in await page.inner_text("#found")
    assert await page.input_value("#scenarios") == HOLDS

    async with page.expect_navigation():
        await page.click("#found button:has-text('Publish')")
    assert await page.locator("text=It is not published yet").count() == 1
    await page.check("#found input[name=anyway]")
    async with page.expect_navigation():
        await page.click("#found button:has-text('Publish')")

    assert "This is what is live" in await page.inner_text("#found")
    assert "until: 12h" in await page.input_value("#source")
    assert await page.input_value("#scenarios") == HOLDS
    await page.context.close()


async def test_what_is_typed_on_takes_the_warning_away(house: Inbox) -> None:
    await keeps(house)
    page = await house.page("edith")
    await warned(page)

    await page.fill("#source", (await page.input_value("#source")).replace("12h", "13h"))

    await page.wait_for_selector("body[data-checked]")
    assert await page.locator("text=It is not published yet").count() == 0
    await page.context.close()


@in_every_light
@in_every_width
async def test_the_warning_is_in_nobodys_way(house: Inbox, width: int, theme: Theme) -> None:
    await keeps(house)
    page = await house.page("edith", width, theme)
    await warned(page)
    await fits_everybody(page, width)
    await page.context.close()


@pytest.mark.pictures
@pytest.mark.parametrize(("width", "theme"), [(DESK, "light"), (PHONE, "dark")])
async def test_pictures_of_a_warning(house: Inbox, width: int, theme: Theme) -> None:
    await keeps(house)
    page = await house.page("edith", width, theme)
    await warned(page)
    await picture(page, "kept", width, theme, whole=width == DESK)
    await page.context.close()
