"""A source is tried in a real browser before it is published: with and without scripts, at a desk and on a phone."""

from collections.abc import AsyncGenerator
from typing import Any

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
from tests.integration.control.test_source_tried import STORIES
from tests.integration.inbox.staff_house import HOSTILE

SOURCE = "/control/journey/tea/source"


@pytest_asyncio.fixture(scope="module")
async def house(places: Places) -> AsyncGenerator[Inbox]:
    async with places.lived_in("control_tried", many=1_200) as here:
        await MessageStore(here.pool).publish(
            "how-was-it", '---\nsubject: "How was it?"\npurpose: marketing\n---\nTell us.\n'
        )
        async with here.pool.connection() as connection:
            await connection.execute(
                "update customers set traits = traits || jsonb_build_object('email', customer || '@tea.example')"
                " where left(md5(customer), 1) > '0'"
            )
        async with places.mission_control(here) as pages:
            yield pages


async def tried(page: Page) -> None:
    """The four weeks, with a source that lets more in and waits for less long."""
    await page.goto(SOURCE)
    written = await page.input_value("#source")
    cheaper = written.replace("price >= 2.0", "price >= 0.5").replace("until: 3d", "until: 2d")
    await page.fill("#source", cheaper)
    await page.click("text=Play the last four weeks")
    await page.wait_for_selector("h2:has-text('The last four weeks')")


async def played(page: Page, stories: str = STORIES) -> None:
    """The scenarios on what is live."""
    await page.goto(SOURCE)
    await page.click("summary:has-text('Scenarios')")
    await page.fill("#scenarios", stories)
    await page.click("text=Play the scenarios")
    await page.wait_for_selector("h2:has-text('Its scenarios')")


@pytest.mark.parametrize("scripts", [True, False])
async def test_four_weeks_are_played_and_the_source_stays_as_it_was_typed(
    house: Inbox, scripts: bool
) -> None:
    page = await house.page("lena", scripts=scripts)
    await tried(page)

    assert "price >= 0.5" in await page.input_value("#source")
    assert await page.locator(".tried .differs").count() > 0
    assert await page.locator(".tried .tiles div").count() == 5
    await page.context.close()


async def test_what_is_typed_on_takes_away_what_was_played_before(house: Inbox) -> None:
    page = await house.page("lena")
    await tried(page)

    await page.fill("#source", (await page.input_value("#source")).replace("0.5", "0.7"))

    await page.wait_for_selector("body[data-checked]")
    assert await page.locator(".tried").count() == 0
    await page.context.close()


async def test_a_scenario_that_does_not_hold_shows_what_happened(house: Inbox) -> None:
    page = await house.page("lena")
    await played(page)

    assert "1 of 2 do not hold" in await page.inner_text("#found")
    assert await page.input_value("#scenarios") == STORIES
    assert await page.locator(".happened li").first.is_visible()
    await page.context.close()


async def test_what_is_written_there_runs_nothing(house: Inbox) -> None:
    page = await house.page("lena")
    said: list[str] = []
    page.on("console", lambda told: said.append(told.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    hostile = HOSTILE.replace('"', "'")

    said_so = "Whoever leaves is told nothing more"
    await played(page, STORIES.replace(said_so, f'"{hostile}"'))

    assert "owned" not in await page.title()
    assert hostile in await page.inner_text("#found")
    assert said == []
    await page.context.close()


@in_every_light
@in_every_width
@pytest.mark.parametrize("what", [tried, played])
async def test_nothing_is_in_anybodys_way(
    house: Inbox, what: Any, width: int, theme: Theme
) -> None:
    page = await house.page("lena", width, theme)
    await what(page)
    await fits_everybody(page, width)
    await page.context.close()


@pytest.mark.pictures
@pytest.mark.parametrize(
    ("name", "what", "width", "theme"),
    [
        ("tried", tried, DESK, "light"),
        ("tried", tried, DESK, "dark"),
        ("tried", tried, PHONE, "light"),
        ("scenarios", played, DESK, "light"),
        ("scenarios", played, PHONE, "dark"),
    ],
)
async def test_pictures_of_what_is_tried(
    house: Inbox, name: str, what: Any, width: int, theme: Theme
) -> None:
    page = await house.page("lena", width, theme)
    await what(page)
    await picture(page, name, width, theme)
    await page.context.close()
