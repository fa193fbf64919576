"""Those who run journeys at mission control in a real browser: at a desk and on a phone, by day and by night."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio

from insight.sorted_recording import our_id
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
from tests.integration.inbox.staff_house import HOSTILE

PAGES = {
    "overview": "/control",
    "journey": "/control/journey/tea?since=28d",
    "people": "/control/journey/tea/people?at=tasting/2",
    "customer": f"/control/customer/{our_id('guest-0')}",
    "stops": "/control/stops",
    "source": "/control/journey/tea/source",
}


@pytest_asyncio.fixture(scope="module")
async def control(places: Places) -> AsyncGenerator[Inbox]:
    async with (
        places.lived_in("control_pages", many=1_850) as house,
        places.mission_control(house) as pages,
    ):
        yield pages


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


@in_every_light
@in_every_width
@pytest.mark.parametrize("name", list(PAGES))
async def test_nothing_is_in_anybodys_way(
    control: Inbox, name: str, width: int, theme: Theme
) -> None:
    async with control.shown("lena", PAGES[name], width, theme) as page:
        await fits_everybody(page, width)


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
    async with control.shown("lena", PAGES[name], width, theme) as page:
        await page.wait_for_selector("body[data-renewed]")
        await picture(page, name, width, theme, whole=name != "journey")
