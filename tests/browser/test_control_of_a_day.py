"""Mission control as a visitor of the demo walks through it, while a day of flights is flown."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from tests.browser.test_control import PICTURES
from tests.browser.test_flight_page import ARGUMENTS, clock, phase
from tests.browser.test_inbox import faults
from tests.integration.flown_demo import FlownDemo

LONG = 150_000
AFTERNOON = 12 * 60
UNDER_WAY = re.compile(r"([\d,]+) are under way")


async def under_way(page: Page) -> int:
    found = UNDER_WAY.search(await page.inner_text("main"))
    assert found is not None, await page.inner_text("main")
    return int(found[1].replace(",", ""))


@pytest.mark.timeout(600)
async def test_a_visitor_sees_the_day_from_the_whole_to_the_one(
    chromium: str, tmp_path: Path
) -> None:
    async with (
        await FlownDemo.begin(tmp_path, "--passengers", "40", "--speed", "500") as demo,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        context = await browser.new_context(
            viewport={"width": 1280, "height": 900}, color_scheme="light", locale="en-GB"
        )
        context.set_default_timeout(LONG)
        complaints: list[str] = []
        context.on("weberror", lambda told: complaints.append(str(told.error)))
        day = await context.new_page()
        await day.goto(await demo.page())
        await phase(day, "flying", seconds=150)

        # The way in stands on the demo's page.
        await day.wait_for_selector("#control:not([hidden])")
        name, password = await day.locator("#control code").all_inner_texts()
        async with context.expect_page() as opened:
            await day.click("#control a")
        page = await opened.value
        page.on(
            "console",
            lambda said: complaints.append(said.text) if "Content Security" in said.text else None,
        )
        await page.fill("input[name=name]", name)
        await page.fill("input[name=password]", password)
        await page.click("main button, form button")

        # The whole: everybody who booked is under way, and the page tells by itself.
        await page.wait_for_selector("h1:has-text('All journeys')")
        await page.wait_for_selector("td:has-text('40')")
        assert await faults(page) == []
        await page.click("text=A flight, from booking to the carousel")
        await page.wait_for_selector(".map [data-step]")
        assert await under_way(page) == 40
        await clock(day, AFTERNOON)
        await page.wait_for_function("!document.body.innerText.includes('40 are under way')")
        assert await under_way(page) < 40
        assert await faults(page) == []
        await page.screenshot(path=tmp_path / "control-of-a-day.png")

        # Those who stand at one step, and one of them.
        await page.locator(".map a:has([data-step])").first.click()
        await page.wait_for_selector("h1:has-text('Who stands at')")
        await page.goto(page.url.split("/people")[0] + "/people")
        await page.locator("tbody th a").first.click()
        await page.wait_for_selector(".timeline li:has-text('Flight Booked')")
        assert await page.locator("text=In Temporal").count() > 0
        assert await faults(page) == []

        # A stop: what is held back says so where the operator looks, and goes out when it may.
        await page.goto(page.url.split("/customer")[0] + "/stops")
        await page.select_option("#what", "journey flight")
        await page.fill("#reason", "The storm is over.")
        await page.click("text=Stop it")
        await page.wait_for_selector("td:has-text('The storm is over.')")
        await page.click("text=Let it send again")
        await page.wait_for_selector("text=Nothing is stopped.")

        await phase(day, "over", seconds=300)
        account = await demo.account()
        await browser.close()

    assert complaints == []
    assert (account["lost"], account["twice"]) == (0, 0)


@pytest.mark.pictures
@pytest.mark.timeout(900)
async def test_pictures_of_a_day_at_mission_control(chromium: str, tmp_path: Path) -> None:
    async with await FlownDemo.begin(tmp_path) as demo, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        context = await browser.new_context(
            viewport={"width": 1280, "height": 900}, color_scheme="light", locale="en-GB"
        )
        context.set_default_timeout(LONG)
        day, page = await context.new_page(), await context.new_page()
        await day.goto(await demo.page())
        await phase(day, "flying", seconds=150)
        name, password = await day.locator("#control code").all_inner_texts()
        await page.goto(str(await day.locator("#control a").get_attribute("href")))
        await page.fill("input[name=name]", name)
        await page.fill("input[name=password]", password)
        await page.click("main button, form button")
        await page.click("text=A flight, from booking to the carousel")
        await clock(day, 15 * 60 + 20)
        await page.wait_for_selector("body[data-renewed]")
        await page.screenshot(path=PICTURES / "control-day.png")
        await phase(day, "over", seconds=400)
        await demo.account()
        await browser.close()
