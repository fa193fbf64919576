"""Mission control as a visitor of the demo walks through it, while a day of flights is flown."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from tests.browser.staff_pages import PICTURES, faults
from tests.browser.test_flight_page import ARGUMENTS, THE_STORM, clock, phase
from tests.integration.flown_demo import FlownDemo

LONG = 150_000
PASSENGERS = 40
AFTERNOON = 12 * 60
UNDER_WAY = re.compile(r"([\d,]+) are under way")


async def under_way(page: Page) -> int:
    found = UNDER_WAY.search(await page.inner_text("main"))
    assert found is not None, await page.inner_text("main")
    return int(found[1].replace(",", ""))


@asynccontextmanager
async def a_day(
    chromium: str, folder: Path, *options: str
) -> AsyncGenerator[tuple[FlownDemo, Page, Page]]:
    """A demo that flies, its page, and a page that is signed in at mission control."""
    async with (
        await FlownDemo.begin(folder, *options) as demo,
        async_playwright() as playwright,
        await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS) as browser,
    ):
        context = await browser.new_context(
            viewport={"width": 1280, "height": 900}, color_scheme="light", locale="en-GB"
        )
        context.set_default_timeout(LONG)
        day, page = await context.new_page(), await context.new_page()
        await day.goto(await demo.page())
        await phase(day, "flying", seconds=150)
        await day.wait_for_selector("#control:not([hidden])")
        name, password = await day.locator("#control code").all_inner_texts()
        await page.goto(str(await day.locator("#control a").get_attribute("href")))
        await page.fill("input[name=name]", name)
        await page.fill("input[name=password]", password)
        await page.click("form:has(#password) button")
        await page.wait_for_selector("h1:has-text('All journeys')")
        yield demo, day, page


async def sees_the_whole_and_the_one(day: Page, page: Page) -> None:
    """From all journeys over the map, which tells by itself, to one passenger."""
    await page.wait_for_selector(f"td:has-text('{PASSENGERS}')")
    assert await faults(page) == []
    await page.click("text=A flight, from booking to the carousel")
    await page.wait_for_selector(".map [data-step]")
    before = await under_way(page)
    await clock(day, AFTERNOON)
    await page.wait_for_function(
        f"!document.querySelector('main').innerText.includes('{before} are under way')"
    )
    assert await under_way(page) < before
    assert await faults(page) == []
    journey = page.url
    await page.locator(".map a:has([data-step])").first.click()
    await page.wait_for_selector("h1:has-text('Who stands at')")
    await page.goto(f"{journey.split('?')[0]}/people")
    await page.locator("tbody th a").first.click()
    await page.wait_for_selector(".timeline li:has-text('Flight Booked')")
    assert await page.locator("text=In Temporal").count() > 0
    assert await faults(page) == []


async def stops_and_lets_send_again(page: Page) -> None:
    """What is held back says so where it was stopped."""
    await page.click("text=Stops")
    await page.select_option("#what", "journey flight")
    await page.fill("#reason", "The storm is over.")
    await page.click("text=Stop it")
    await page.wait_for_selector("td:has-text('The storm is over.')")
    await page.click("text=Let it send again")
    await page.wait_for_selector("text=Nothing is stopped.")


@pytest.mark.timeout(600)
async def test_a_visitor_sees_the_day_from_the_whole_to_the_one(
    chromium: str, tmp_path: Path
) -> None:
    complaints: list[str] = []
    asked = ("--passengers", str(PASSENGERS), "--speed", "500")
    async with a_day(chromium, tmp_path, *asked) as (demo, day, page):
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: complaints.append(said.text) if "Content Security" in said.text else None,
        )
        await sees_the_whole_and_the_one(day, page)
        await stops_and_lets_send_again(page)
        await phase(day, "over", seconds=300)
        account = await demo.account()

    assert complaints == []
    assert (account["lost"], account["twice"]) == (0, 0)


@pytest.mark.pictures
@pytest.mark.timeout(900)
async def test_pictures_of_a_day_at_mission_control(chromium: str, tmp_path: Path) -> None:
    async with a_day(chromium, tmp_path) as (demo, day, page):
        await page.click("text=A flight, from booking to the carousel")
        await clock(day, THE_STORM)
        await page.wait_for_selector("body[data-renewed]")
        await page.screenshot(path=PICTURES / "control-day.png")
        await phase(day, "over", seconds=400)
        await demo.account()
