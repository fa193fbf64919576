"""Search in a real browser: at a desk and on a phone, by day and by night, with and without a script."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio

from tests.browser.staff_pages import (
    Inbox,
    Places,
    Theme,
    fits_everybody,
    in_every_light,
    in_every_width,
    picture,
)
from tests.integration.inbox.staff_house import HOSTILE

FOUND = "/control/search?journey=tea"


@pytest_asyncio.fixture(scope="module")
async def control(places: Places) -> AsyncGenerator[Inbox]:
    async with (
        places.lived_in("search_pages", many=1_850) as house,
        places.mission_control(house) as pages,
    ):
        yield pages


@pytest_asyncio.fixture
async def kept(control: Inbox) -> None:
    """A search that is kept, with a file, and people who are called what hostile people are called."""
    house: Any = control.house
    async with house.pool.connection() as connection:
        await connection.execute(
            "insert into saved_searches (name, conditions, traits, format, every, weekday, hour, zone,"
            " saved_by, next_at)"
            " values ('Who waits in tea', '{\"journey\": \"tea\"}', '{}', 'csv', 'day', 0, 6, 'Europe/Prague', 'edith',"
            " '2026-11-29 05:00Z') on conflict do nothing"
        )
        await connection.execute(
            "insert into search_files (search, due_at, made_at, rows, cut, customers, content, failed)"
            " select search, '2026-11-28 05:00Z', now(), 1234, false, '{}', '\\x00', '' from saved_searches"
            " on conflict do nothing"
        )


async def test_a_search_is_filled_in_and_leads_to_a_customer(control: Inbox) -> None:
    page = await control.page("lena")
    await page.goto("/control")
    await page.click("nav >> text=Search")
    await page.select_option("#journey", "tea")
    await page.click("button:has-text('Search')")
    await page.wait_for_selector("#stage")
    await page.select_option("#stage", "tasting")
    await page.select_option("#state", "under_way")
    await page.click("button:has-text('Search')")

    await page.wait_for_selector("h2:has-text('are found')")
    assert "stage=tasting" in page.url
    await page.click("[aria-label='Who is found'] tbody a >> nth=0")
    await page.wait_for_selector("#line")
    await page.context.close()


async def test_what_is_found_is_downloaded(control: Inbox) -> None:
    page = await control.page("lena")
    await page.goto(FOUND)
    await page.click("summary:has-text('As a file')")
    async with page.expect_download() as started:
        await page.click("button:has-text('Download')")
    file = await started.value
    assert file.suggested_filename.endswith(".csv")
    await page.context.close()


async def test_what_hostile_people_are_called_runs_nothing(control: Inbox) -> None:
    house: Any = control.house
    async with house.pool.connection() as connection:
        await connection.execute(
            "update runs set key = %s, needs_attention = %s"
            " where entry = (select max(entry) from runs where state = 'open')",
            [HOSTILE + "\u202e" * 9, HOSTILE * 1_000],
        )
        await connection.execute(
            "insert into trait_types (trait) values (%s) on conflict do nothing", [HOSTILE]
        )
    page = await control.page("lena")
    told: list[str] = []
    page.on("console", lambda each: told.append(each.text))
    page.on("pageerror", lambda error: told.append(str(error)))

    await page.goto(f"{FOUND}&state=stuck")

    assert HOSTILE in await page.inner_text("main")
    assert "owned" not in await page.title()
    assert told == []
    async with house.pool.connection() as connection:
        await connection.execute("update runs set key = null, needs_attention = null")
        await connection.execute("delete from trait_types where trait = %s", [HOSTILE])
    await page.context.close()


@pytest.mark.usefixtures("kept")
@in_every_light
@in_every_width
@pytest.mark.parametrize("address", ["/control/search", FOUND])
async def test_nothing_is_in_anybodys_way(
    control: Inbox, address: str, width: int, theme: Theme
) -> None:
    page = await control.page("lena", width, theme)
    await page.goto(address)
    for each in await page.locator("details.card > summary").all():
        await each.click()
    await fits_everybody(page, width)
    await page.context.close()


@pytest.mark.pictures
@pytest.mark.usefixtures("kept")
@in_every_light
@in_every_width
async def test_pictures_of_search(control: Inbox, width: int, theme: Theme) -> None:
    page = await control.page("lena", width, theme)
    await page.goto(FOUND)
    await picture(page, "search", width, theme, whole=False)
    await page.context.close()
