"""Those who run journeys at mission control in a real browser: at a desk and on a phone, by day and by night."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from insight.sorted_recording import our_id
from stores.database import open_pool
from tests.browser.test_inbox import ARGUMENTS, DESK, PHONE, PICTURES, Inbox, Theme, faults
from tests.integration.api.conftest import serving
from tests.integration.control.control_house import ControlHouse
from tests.integration.inbox.staff_house import HOSTILE
from workers.embedded.postgres_server import PostgresServer

PAGES = {
    "overview": "/control",
    "journey": "/control/journey/tea?since=28d",
    "people": "/control/journey/tea/people?at=tasting/2",
    "customer": f"/control/customer/{our_id('guest-0')}",
    "stops": "/control/stops",
    "source": "/control/journey/tea/source",
}


@pytest_asyncio.fixture(scope="module")
async def control(
    postgres: PostgresServer,
    migrated_template: str,
    chromium: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Inbox]:
    async with AsyncExitStack() as parts:
        url = await postgres.create_database("control_pages", template=migrated_template)
        pool = await open_pool(url, most=8)
        parts.push_async_callback(pool.close)
        house = ControlHouse(pool, url)
        await house.furnish()
        folder: Path = tmp_path_factory.mktemp("tea")
        await house.lived(url, folder, many=1_850)
        await parts.enter_async_context(house.ear)
        address = await parts.enter_async_context(serving(house.app()))
        parts.callback(house.stopping.set)
        playwright = await parts.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        parts.push_async_callback(browser.close)
        yield Inbox(house, address, browser)


async def test_from_all_journeys_to_those_who_stand_at_a_step(control: Inbox) -> None:
    page = await control.page("lena")
    await page.goto("/staff")
    await page.click("text=Mission control")
    await page.click("text=From the first cup to the second")
    await page.wait_for_selector('.map [data-step="tasting/2"]')

    await page.click('.map a:has([data-step="tasting/2"])')

    await page.wait_for_selector("h1:has-text('Who stands at')")
    assert await page.locator("tbody tr").count() > 1
    await page.context.close()


async def test_a_customer_is_found_by_what_they_are_called(control: Inbox) -> None:
    page = await control.page("lena")
    await page.goto("/control")
    await page.fill("#q", "guest-4")
    await page.press("#q", "Enter")

    await page.wait_for_selector(f"h1:has-text('{our_id('guest-4')}')")
    assert "guest-4" not in page.url
    assert await page.locator(".timeline li").count() > 3
    await page.context.close()


async def test_the_slider_goes_back_in_time(control: Inbox) -> None:
    page = await control.page("lena")
    await page.goto(PAGES["journey"])
    await page.wait_for_selector("#back:not([hidden])")

    await page.locator("#back").focus()
    await page.evaluate(
        "document.getElementById('back').value = 24 * 5;"
        "document.getElementById('back').dispatchEvent(new Event('input'));"
    )
    assert (await page.locator("#then").input_value()).startswith("2026-03-06T12:")
    await page.click("text=Show")

    await page.wait_for_selector("text=As it was on 2026-03-06 12:")
    await page.context.close()


async def test_an_open_page_shows_what_happens(control: Inbox) -> None:
    page = await control.page("lena")
    await page.goto("/control/journey/tea")
    await page.wait_for_selector("body[data-renewed]")
    house: Any = control.house
    [before] = await house.rows("select count(*) as n from runs where state = 'open'")
    async with house.pool.connection() as connection:
        await connection.execute(
            "update runs set state = 'finished', outcome = 'again', finished_at = recorded_at"
            " where entry in (select entry from runs where state = 'open' limit 3)"
        )
    await house.fold()

    await page.wait_for_selector(f"text={before['n'] - 3:,} are under way")
    await page.context.close()


async def test_a_source_is_checked_as_one_types(control: Inbox) -> None:
    page = await control.page("lena")
    await page.goto(PAGES["source"])
    written = await page.input_value("#source")

    await page.fill("#source", written.replace("until: 3d", "until: 3x"))
    await page.wait_for_selector("#found:has-text('What is wrong')")
    await page.fill("#source", written.replace("until: 3d", "until: 4d"))

    await page.wait_for_selector("#found:has-text('now 4d')")
    assert await page.locator("#found .map svg").count() == 1
    await page.context.close()


async def test_what_hostile_people_are_called_runs_nothing(control: Inbox) -> None:
    house: Any = control.house
    async with house.pool.connection() as connection:
        await connection.execute(
            "update runs set key = %s, needs_attention = %s"
            " where entry = (select max(entry) from runs where state = 'open')",
            [HOSTILE + "\u202e" * 9, HOSTILE * 1_000],
        )
    page = await control.page("lena")
    said: list[str] = []
    page.on("console", lambda told: said.append(told.text))
    page.on("pageerror", lambda error: said.append(str(error)))

    await page.goto("/control/journey/tea/people?stuck=yes")

    assert "owned" not in await page.title()
    assert HOSTILE in await page.inner_text("main")
    assert said == []
    await page.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("name", list(PAGES))
async def test_nothing_is_in_anybodys_way(
    control: Inbox, name: str, width: int, theme: Theme
) -> None:
    page = await control.page("lena", width, theme)
    await page.goto(PAGES[name])
    assert await faults(page) == []
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    await page.context.close()


@pytest.mark.pictures
@pytest.mark.parametrize(
    ("name", "width", "theme"),
    [
        ("overview", DESK, "light"),
        ("overview", PHONE, "dark"),
        ("journey", DESK, "light"),
        ("journey", DESK, "dark"),
        ("journey", PHONE, "light"),
        ("people", DESK, "light"),
        ("customer", DESK, "light"),
        ("customer", PHONE, "dark"),
        ("stops", DESK, "light"),
        ("source", DESK, "light"),
    ],
)
async def test_pictures_of_mission_control(
    control: Inbox, name: str, width: int, theme: Theme
) -> None:
    page = await control.page("lena", width, theme)
    await page.goto(PAGES[name])
    await page.wait_for_selector("body[data-renewed]")
    size = "-phone" if width == PHONE else ""
    shade = "-dark" if theme == "dark" else ""
    await page.screenshot(
        path=PICTURES / f"control-{name}{size}{shade}.png", full_page=name != "journey"
    )
    await page.context.close()
