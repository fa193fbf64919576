"""Scenarios that are kept hold the next version to them, in a real browser: with and without scripts, at a desk and on a phone."""

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
    """The live version has two scenarios, which hold."""
    page = await house.page("edith")
    await page.goto(SOURCE)
    if not await page.locator("#scenarios").is_visible():
        await page.click("summary:has-text('Scenarios')")
    await page.fill("#scenarios", HOLDS)
    await page.click("#draft >> text=Publish")
    await page.wait_for_selector("text=These are kept with version")
    await page.context.close()


async def warned(page: Page, until: str = "12h") -> None:
    """A source with which one of them does not hold is to be published."""
    await page.goto(SOURCE)
    written = await page.input_value("#source")
    await page.fill("#source", written.replace("until: 3d", f"until: {until}"))
    await page.click("#draft >> text=Publish")
    await page.wait_for_selector("h2:has-text('It is not published yet')")


@pytest.mark.parametrize("scripts", [True, False])
async def test_who_is_warned_publishes_all_the_same_only_by_saying_so(
    house: Inbox, scripts: bool
) -> None:
    await keeps(house)
    page = await house.page("edith", scripts=scripts)
    await warned(page, "11h" if scripts else "10h")
    assert f"does not hold: {SECOND_CUP}" in await page.inner_text("#found")
    assert await page.input_value("#scenarios") == HOLDS

    await page.click("#found >> text=Publish >> visible=true")
    await page.wait_for_selector("h2:has-text('It is not published yet')")
    await page.check("text=Publish it all the same")
    await page.click("#found button:has-text('Publish')")

    await page.wait_for_selector("text=This is what is live")
    assert await page.input_value("#scenarios") == HOLDS
    await page.fill(
        "#source", (await page.input_value("#source")).replace("until: 1", "until: 3d #")
    )
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
