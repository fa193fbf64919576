"""The demo's page, walked in a real browser on the real installation."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.integration.flown_demo import CLONE, FlownDemo

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking",
]  # fmt: skip
PICTURES = CLONE / "docs" / "pictures"
THE_STORM = 15 * 60 + 20
MINUTES = "document.getElementById('clock').textContent.split(':').reduce((h, m) => h * 60 + +m)"

COUNT_LINES_PUT_IN_AGAIN = """
  window.mailsSeen = new Set(document.getElementById('mails').children), window.mailsAgain = 0;
  new MutationObserver((changes) => {
    for (const line of changes.flatMap((change) => [...change.addedNodes])) {
      window.mailsAgain += window.mailsSeen.has(line);
      window.mailsSeen.add(line);
    }
  }).observe(document.getElementById('mails'), { childList: true });
"""


@pytest_asyncio.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        await browser.close()


async def look(browser: Browser, address: str, theme: str = "dark") -> tuple[Page, list[str]]:
    """The page, and whatever it complains about."""
    page = await browser.new_page(
        viewport={"width": 1440, "height": 1000},
        color_scheme="light" if theme == "light" else "dark",
    )
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if "Content Security" in said.text else None,
    )
    await page.goto(address)
    return page, complaints


async def phase(page: Page, *wanted: str, seconds: float = 150) -> None:
    either = ", ".join(f"body[data-phase={name}]" for name in wanted)
    await page.wait_for_selector(either, timeout=seconds * 1000)


async def decide(page: Page, decision: str) -> None:
    await page.click(f".case button[data-decision='{decision}']", timeout=150_000)
    await page.wait_for_selector("#cases >> text=(you)", timeout=60_000)


async def clock(page: Page, minutes: int) -> None:
    """Wait until the day has come that far; the page's policy allows no other way of waiting."""
    await phase(page, "flying")
    while await page.evaluate(MINUTES) < minutes:
        await asyncio.sleep(0.2)


@pytest.mark.timeout(600)
async def test_a_visitor_decides_a_case_and_kills_everything_and_nothing_is_lost(
    browser: Browser, tmp_path: Path
) -> None:
    async with await FlownDemo.begin(tmp_path, "--passengers", "20", "--speed", "700") as demo:
        page, complaints = await look(browser, await demo.page())
        await phase(page, "rehearsing", "flying", seconds=60)
        assert await page.locator("#storm .mark").count() == 930
        await phase(page, "flying")
        await page.evaluate(COUNT_LINES_PUT_IN_AGAIN)

        await decide(page, "follows-later")
        await page.wait_for_selector(".moments li.message >> text=comes after you", timeout=60_000)
        links = await page.locator("#links a").count()
        await page.click("#kill")
        await phase(page, "dead", "returning")
        said = await page.inner_text("#outage")
        await page.wait_for_selector("#outage-lost", timeout=150_000)
        await phase(page, "over", seconds=300)

        assert "Everything is dead" in said or "was killed" in said
        assert await page.inner_text("#outage-lost") == "0"
        assert await page.inner_text("#outage-twice") == "0"
        assert "account balances" in await page.inner_text("#report")
        assert links == 2
        assert complaints == []
        assert await page.evaluate("window.mailsSeen.size") > 20
        assert await page.evaluate("window.mailsAgain") == 0, "what is there flickers"
        account = await demo.account()

    assert (account["lost"], account["twice"], account["kills"]) == (0, 0, 1)


@pytest.mark.pictures
@pytest.mark.timeout(900)
async def test_pictures_of_the_storm_and_of_one_run_as_a_story(
    browser: Browser, tmp_path: Path
) -> None:
    PICTURES.mkdir(exist_ok=True)
    async with await FlownDemo.begin(tmp_path) as demo:
        address = await demo.page()
        page, _ = await look(browser, address)
        light, _ = await look(browser, address, "light")
        await decide(page, "follows-later")
        await clock(page, THE_STORM)
        for each, name in ((page, "demo-dark.png"), (light, "demo-light.png")):
            await shoot(each, name)
        run = await page.locator("#links a").first.get_attribute("href")
        await story(browser, str(run))
        await page.click("#kill")
        await phase(page, "dead")
        await shoot(page, "demo-killed.png")
        await phase(page, "over", seconds=400)
        await shoot(page, "demo-over.png")
        await demo.account()


async def shoot(page: Page, name: str) -> None:
    await page.evaluate("scrollTo(0, 0)")
    await asyncio.sleep(1)  # marks are on their way
    await page.screenshot(path=PICTURES / name)


async def story(browser: Browser, address: str) -> None:
    page = await browser.new_page(viewport={"width": 1440, "height": 1400})
    await page.goto(address, wait_until="networkidle", timeout=60_000)
    await asyncio.sleep(3)  # its timeline is drawn a while after it has loaded
    await page.screenshot(path=PICTURES / "run-in-temporal.png")
    await page.close()
