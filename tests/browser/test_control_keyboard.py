"""Mission control by keyboard alone: Tab comes to whatever can be pressed or typed into, and shows where it is."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.browser.staff_pages import DESK, PHONE, Inbox, Places, in_every_width

PAGES = [
    "/control/journey/tea?since=28d",
    "/control/journey/tea/source",
    "/control/search?journey=tea",
]

PLACES = """() => {
    document.querySelectorAll('details').forEach(each => { each.open = true; });
    window.places = [...document.querySelectorAll(
        'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
        .filter(each => each.checkVisibility({visibilityProperty: true}) && !each.disabled);
    return places.map(each => each.outerHTML.slice(0, 120));
}"""
HERE = """() => {
    const here = document.activeElement, shown = getComputedStyle(here), box = here.getBoundingClientRect();
    return {
        place: places.indexOf(here), html: here.outerHTML.slice(0, 120), body: here === document.body,
        light: shown.outlineStyle !== 'none' && parseFloat(shown.outlineWidth) >= 2,
        seen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    };
}"""
MOST_STOPS = 600
NARROW = 320


@pytest_asyncio.fixture(scope="module")
async def house(places: Places) -> AsyncGenerator[Inbox]:
    async with places.lived_in("control_keyboard") as here, places.mission_control(here) as pages:
        yield pages


async def walked(page: Page) -> list[dict[str, Any]]:
    """Where Tab comes to, one after another, until it leaves the page."""
    stops: list[dict[str, Any]] = []
    for _ in range(MOST_STOPS):
        await page.keyboard.press("Tab")
        stop = await page.evaluate(HERE)
        if stop["body"] or (stops and stop["place"] == stops[0]["place"]):
            return stops
        stops.append(stop)
    raise AssertionError(f"the keyboard is caught: {stops[-3:]}")


@in_every_width
@pytest.mark.parametrize("path", PAGES)
async def test_tab_comes_to_everything_and_shows_where_it_is(
    house: Inbox, path: str, width: int
) -> None:
    async with house.shown("root", path, width, "light") as page:
        there = await page.evaluate(PLACES)

        stops = await walked(page)

    reached = {stop["place"] for stop in stops}
    assert [html for at, html in enumerate(there) if at not in reached] == []
    assert [stop["html"] for stop in stops if not stop["light"]] == []
    assert [stop["html"] for stop in stops if not stop["seen"]] == []


async def test_the_first_stop_leads_past_the_navigation(house: Inbox) -> None:
    async with house.shown("root", PAGES[0], PHONE, "dark") as page:
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "main"

        await page.keyboard.press("Tab")

        assert await page.evaluate("document.activeElement.closest('main') !== null")


async def test_a_step_on_the_map_looks_otherwise_where_the_keyboard_is(house: Inbox) -> None:
    async with house.shown("root", PAGES[0], DESK, "light") as page:
        step = page.locator(".map a").first
        await step.scroll_into_view_if_needed()
        before = await step.screenshot()

        await page.locator(".map").focus()
        await page.keyboard.press("Tab")

        assert await step.evaluate("each => each === document.activeElement")
        assert await step.screenshot() != before


async def test_shares_of_outcomes_stand_on_one_line_on_a_narrow_phone(house: Inbox) -> None:
    async with house.shown("root", PAGES[0], NARROW, "light") as page:
        lines = await page.evaluate(
            """() => {
                document.querySelector('.shares th[scope=row]').textContent = 'came back after the second-reminder';
                return [...document.querySelectorAll('.shares :is(thead th, td)')].map(each => {
                    const range = document.createRange(); range.selectNodeContents(each);
                    return [each.textContent, new Set([...range.getClientRects()].map(box => box.top)).size];
                });
            }"""
        )
        assert len(lines) > 3
        assert [each for each in lines if each[1] != 1] == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= NARROW
