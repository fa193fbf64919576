"""A source is tried in a real browser before it is published: with and without scripts, at a desk and on a phone."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright

from stores.database import open_pool
from stores.messages import MessageStore
from tests.browser.test_inbox import ARGUMENTS, DESK, PHONE, PICTURES, Inbox, Theme, faults
from tests.integration.api.conftest import serving
from tests.integration.control.control_house import ControlHouse
from tests.integration.control.test_source_tried import STORIES
from tests.integration.inbox.staff_house import HOSTILE
from workers.embedded.postgres_server import PostgresServer

SOURCE = "/control/journey/tea/source"


@pytest_asyncio.fixture(scope="module")
async def house(
    postgres: PostgresServer,
    migrated_template: str,
    chromium: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Inbox]:
    async with AsyncExitStack() as parts:
        url = await postgres.create_database("control_tried", template=migrated_template)
        pool = await open_pool(url, most=8)
        parts.push_async_callback(pool.close)
        here = ControlHouse(pool, url)
        await here.furnish()
        folder: Path = tmp_path_factory.mktemp("tea")
        await here.lived(url, folder, many=1_200)
        await MessageStore(pool).publish(
            "how-was-it", '---\nsubject: "How was it?"\npurpose: marketing\n---\nTell us.\n'
        )
        async with pool.connection() as connection:
            await connection.execute(
                "update customers set traits = traits || jsonb_build_object('email', customer || '@tea.example')"
                " where left(md5(customer), 1) > '0'"
            )
        await parts.enter_async_context(here.ear)
        address = await parts.enter_async_context(serving(here.app()))
        parts.callback(here.stopping.set)
        playwright = await parts.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        parts.push_async_callback(browser.close)
        yield Inbox(here, address, browser)


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


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("what", [tried, played])
async def test_nothing_is_in_anybodys_way(
    house: Inbox, what: Any, width: int, theme: Theme
) -> None:
    page = await house.page("lena", width, theme)
    await what(page)
    assert await faults(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
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
    size = "-phone" if width == PHONE else ""
    shade = "-dark" if theme == "dark" else ""
    await page.screenshot(path=PICTURES / f"control-{name}{size}{shade}.png", full_page=True)
    await page.context.close()
