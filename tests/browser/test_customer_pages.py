"""Customers at their own pages: on a phone and at a desk, by day and by night, in three languages, without a mouse."""

import re
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Locator, Page, async_playwright
from starlette.types import ASGIApp, Receive, Scope, Send

from api.customer_words import LANGUAGES
from api.status_events import LiveStatus
from stores.cases import CaseStore
from stores.consents import ConsentStore
from stores.customer_wishes import WishStore
from stores.database import open_pool
from tests.browser.followed_links import follow, put_in
from tests.integration.api.conftest import serving
from tests.integration.api.guest_house import NOW, GuestHouse
from workers.embedded.postgres_server import PostgresServer

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
PAGES = ("preferences", "data", "status", "person", "unsubscribe", "survey", "expired", "opening")
PHONE, DESK = 390, 1280
THUMB = 44
"""Pixels that a thumb needs each way (WCAG 2.2, 2.5.5)."""

Theme = Literal["light", "dark"]


class Overheard:
    """Stands where a proxy does, and writes down what its log has: addresses, and what leads to them."""

    def __init__(self, app: ASGIApp, asked: list[str]) -> None:
        self._app, self._asked = app, asked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http":
            path, query = scope["raw_path"].decode(), scope["query_string"].decode()
            referrer = dict(scope["headers"]).get(b"referer", b"").decode()
            self._asked.append(f"{scope['method']} {path}{'?' if query else ''}{query} {referrer}")
        await self._app(scope, receive, send)


@pytest_asyncio.fixture(scope="module")
async def hotel(postgres: PostgresServer, migrated_template: str) -> AsyncIterator[GuestHouse]:
    async with AsyncExitStack() as parts:
        url = await postgres.create_database("hotel_pages", template=migrated_template)
        pool = await open_pool(url)
        parts.push_async_callback(pool.close)
        # A link is made for an address, and the address is known once it is served: only its end is signed.
        hotel, live = GuestHouse(pool, "http://127.0.0.1:1"), LiveStatus(every_seconds=0.05)
        await hotel.open()
        app = Overheard(hotel.app(live), hotel.asked)
        hotel.address = await parts.enter_async_context(serving(app))
        parts.callback(live.stopping.set)
        yield hotel


@pytest_asyncio.fixture(scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        await browser.close()


async def new_page(
    browser: Browser, width: int = PHONE, theme: Theme = "light", *, scripts: bool = True
) -> Page:
    context = await browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme=theme,
        java_script_enabled=scripts,
        device_scale_factor=2 if width == PHONE else 1,
        locale="en-GB",
    )
    return await context.new_page()


def link(hotel: GuestHouse, page: str, language: str = "en") -> str:
    links = hotel.links
    url = {
        "preferences": lambda: links.url("preferences", hotel.anna),
        "data": lambda: links.url("data", hotel.anna),
        "status": lambda: links.url("status", hotel.anna, hotel.stay),
        "person": lambda: links.url("person", hotel.anna, hotel.stay),
        "opening": lambda: links.url("data", hotel.anna).partition("#")[0],
        "unsubscribe": lambda: hotel.unsubscribe(hotel.anna),
        "survey": lambda: hotel.survey(hotel.anna, "in a browser"),
        "expired": lambda: links.url("data", hotel.anna) + "x",
    }[page]()
    return f"{url}?lang={language}"


async def look_at(page: Page, hotel: GuestHouse, name: str, language: str) -> None:
    """Come to a page by its link; to where links are opened, without one."""
    come = page.goto if name == "opening" else partial(follow, page)
    await come(link(hotel, name, language))


async def faults(page: Page) -> list[str]:
    """What axe finds wrong, by rule and place."""
    found = await Axe().run(page)
    return [
        f"{rule['id']}: {place['html'][:200]}"
        for rule in found.response["violations"]
        for place in rule["nodes"]
    ]


async def unfold(page: Page) -> None:
    await page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")


async def wrong_at(
    browser: Browser, hotel: GuestHouse, language: str, theme: Theme, widths: tuple[int, ...]
) -> dict[str, Any]:
    """What is wrong with each page: what axe finds, what is wider than the screen, too small for a thumb,
    or complained of by the browser.
    """
    page, complaints = await new_page(browser, theme=theme), list[str]()
    page.on(
        "console", lambda said: complaints.append(said.text) if "404" not in said.text else None
    )
    page.on("pageerror", lambda error: complaints.append(f"{error}"))
    wrong: dict[str, Any] = {}
    for name in PAGES:
        await look_at(page, hotel, name, language)
        await unfold(page)
        for width in widths:
            await page.set_viewport_size({"width": width, "height": 844})
            wide = await page.evaluate("document.documentElement.scrollWidth")
            found = await faults(page) + ([f"{wide} pixels wide"] if wide != width else [])
            if width == PHONE:
                found += await small_targets(page)
            wrong |= {f"{name} at {width}": found} if found else {}
    await page.context.close()
    return wrong | ({"complaints": complaints} if complaints else {})


@pytest.mark.parametrize(
    ("language", "theme", "width"),
    [("en", "light", PHONE), ("de", "dark", PHONE), ("fr", "light", DESK)],
)
async def test_every_page_can_be_used_by_everybody(
    browser: Browser, hotel: GuestHouse, language: str, theme: Theme, width: int
) -> None:
    assert await wrong_at(browser, hotel, language, theme, (width,)) == {}


@pytest.mark.faults_full
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_every_page_in_every_language_and_light_at_every_width(
    browser: Browser, hotel: GuestHouse, language: str, theme: Theme
) -> None:
    assert await wrong_at(browser, hotel, language, theme, (PHONE, DESK)) == {}


async def small_targets(page: Page) -> list[str]:
    return await page.evaluate(
        """least => [...document.querySelectorAll('button, select, textarea, summary, .switch, footer a,'
            + ' .field input, .scale label')]
          .filter(each => each.checkVisibility() && each.getBoundingClientRect().height < least)
          .map(each => each.outerHTML.slice(0, 120))""",
        THUMB,
    )


async def test_a_page_at_twice_its_size_is_still_as_wide_as_the_screen(
    browser: Browser, hotel: GuestHouse
) -> None:
    """As a browser zooms: 200 % of a window of 390 pixels has 195 of them, 640 has 320 (WCAG 1.4.10)."""
    page = await new_page(browser, 320)

    widths: dict[str, int] = {}
    for name in PAGES:
        await look_at(page, hotel, name, "de")
        await unfold(page)
        widths[name] = await page.evaluate("document.documentElement.scrollWidth")
        await page.set_viewport_size({"width": 195, "height": 422})
        widths[f"{name} at 200 %"] = await page.evaluate("document.documentElement.scrollWidth")
        await page.set_viewport_size({"width": 320, "height": 844})

    assert {
        name for name, width in widths.items() if width > (195 if "%" in name else 320)
    } == set()


async def outline(target: Locator) -> tuple[str, str]:
    """How it is shown that the keyboard is here."""
    style = await target.evaluate(
        "it => [getComputedStyle(it).outlineStyle, getComputedStyle(it).outlineWidth]"
    )
    return style[0], style[1]


async def test_wishes_are_told_with_the_keyboard_alone_and_without_a_script(
    browser: Browser, hotel: GuestHouse
) -> None:
    guest = await hotel.known("at the keyboard")
    page = await new_page(browser, scripts=False)
    await put_in(page, hotel.links.url("preferences", guest))
    keys, seen = page.keyboard, list[tuple[str, str]]()

    await keys.press("Tab")
    await keys.press("Space")  # e-mail off
    seen.append(await outline(page.locator("input[value=email]")))
    await keys.press("Tab")
    await keys.press("Space")  # text messages on
    for _ in range(4):
        await keys.press("Tab")
    seen.append(await outline(page.locator("#pause")))
    await page.locator("main button").focus()
    seen.append(await outline(page.locator("main button")))
    await keys.press("Enter")
    await page.wait_for_selector("text=Saved")

    wishes = await WishStore(hotel.pool).wishes(guest)
    assert (wishes.wants("email"), wishes.wants("sms")) == (False, True)
    assert set(seen) == {("solid", "3px")}


async def test_a_customer_finds_a_person_from_the_status_page(
    browser: Browser, hotel: GuestHouse
) -> None:
    guest = await hotel.known("wants a person")
    entry = await hotel.stays(guest, "P-1")
    page = await new_page(browser)

    await follow(page, hotel.links.url("status", guest, entry))
    await page.get_by_role("button", name="Talk to a person").click()
    await page.get_by_label("What is it about?").fill("My cot,\nplease")
    await page.get_by_role("button", name="Send").click()
    await page.wait_for_selector("text=You have an answer by")
    await page.reload()  # a browser sends the form again, and it is still one case

    cases = [
        each for each in await CaseStore(hotel.pool).cases(customer=guest) if not each.of_a_run
    ]
    assert [case.brief.split("\n\n")[0] for case in cases] == ["My cot,\nplease"]


async def test_unsubscribing_is_one_click_and_so_is_taking_it_back(
    browser: Browser, hotel: GuestHouse
) -> None:
    guest = await hotel.known("unsubscribes")
    page = await new_page(browser, scripts=False)

    await page.goto(hotel.unsubscribe(guest))
    await page.get_by_role("button", name="Unsubscribe").click()
    await page.wait_for_selector("text=You get no more")
    off = await WishStore(hotel.pool).wishes(guest)
    await page.get_by_role("button", name="undo").click()
    await page.wait_for_selector("text=as before")

    assert not off.wants("email")
    assert [each.given for each in await ConsentStore(hotel.pool).of(guest)] == [True]


async def test_a_correction_is_made_and_the_file_taken_along(
    browser: Browser, hotel: GuestHouse
) -> None:
    guest = await hotel.known("corrects")
    await hotel.run('update customers set traits = \'{"city": "Bron"}\' where customer = %s', guest)
    page = await new_page(browser, scripts=False)

    await put_in(page, hotel.links.url("data", guest))
    await page.get_by_text("Correct something").click()
    await page.get_by_label("City").fill("Brno")
    await page.get_by_role("button", name="Save").click()
    await page.wait_for_selector("text=It is corrected")
    async with page.expect_download() as taken:
        await page.get_by_role("button", name="Download").click()

    assert "You told us here" in await page.inner_text("main")
    assert (await taken.value).suggested_filename == "what-we-hold-about-you.json"


async def test_the_status_page_changes_while_it_is_looked_at(
    browser: Browser, hotel: GuestHouse
) -> None:
    guest = await hotel.known("looks on")
    entry = await hotel.stays(guest, "L-1")
    page = await new_page(browser)
    await follow(page, hotel.links.url("status", guest, entry))
    before = await page.inner_text("h1")

    await hotel.run("update runs set stage = 'booked', sequence = 50 where entry = %s", entry)
    await page.wait_for_selector("h1:has-text('Your room is booked')")
    await hotel.run(
        "update runs set state = 'finished', finished_at = %s where entry = %s", NOW, entry
    )
    await page.wait_for_selector("h1:has-text('This is finished')")

    assert before == "We prepare your room"
    assert await page.title() == "This is finished"


async def test_without_a_script_the_status_page_is_loaded_again_by_itself(
    browser: Browser, hotel: GuestHouse
) -> None:
    page = await new_page(browser, scripts=False)

    await put_in(page, link(hotel, "status"))

    assert await page.locator("noscript meta[http-equiv=refresh]").get_attribute("content") == "60"
    assert "We prepare your room" in await page.inner_text("main")


async def test_no_address_that_a_browser_sends_has_what_opens_the_page(
    browser: Browser, hotel: GuestHouse
) -> None:
    """Proxies, logs and whoever reads them have the addresses, and get nowhere with them."""
    hotel.asked.clear()
    page, elsewhere = await new_page(browser), await new_page(browser)
    url = hotel.links.url("data", hotel.anna)

    await follow(page, url)
    shown, asked = await page.inner_text("main"), list(hotel.asked)
    read = [each.split(" ")[1] for each in asked if each.startswith(("GET /d", "POST /d"))]
    refused = [await elsewhere.goto(f"{hotel.address}{each}") for each in dict.fromkeys(read)]

    token = url.partition("#")[2]
    assert "Nováková" in shown
    assert [each.split("/")[1] for each in read] == ["d", "d", "d"]  # asked, opened, shown
    assert not [each for each in (*asked, page.url) if set(token.split(".")[1:]) & parts_of(each)]
    assert [answer and answer.status for answer in refused] == [200, 403]
    assert "Nováková" not in await elsewhere.content()


def parts_of(told: str) -> set[str]:
    """What stands between the signs of an address."""
    return set(re.split(r"[^\w-]", told))


async def test_a_link_opens_its_page_on_whatever_telephone_as_often_as_its_customer_comes(
    browser: Browser, hotel: GuestHouse
) -> None:
    """What looks ahead at it uses nothing up, with a script or without."""
    url = hotel.links.url("status", hotel.anna, hotel.stay)
    for scripts in (True, False):
        scanner = await new_page(browser, scripts=scripts)
        await scanner.goto(url)

    for _ in range(2):
        page = await new_page(browser)
        await follow(page, url)
        await page.reload()
        assert "MER-2231" in await page.inner_text("main")


async def test_from_the_way_out_of_a_mail_one_comes_to_what_else_one_may_choose(
    browser: Browser, hotel: GuestHouse
) -> None:
    guest = await hotel.known("chooses")
    page = await new_page(browser)

    await page.goto(hotel.way_out(guest))
    await page.get_by_role("button", name="Choose topics and channels").click()
    await page.get_by_role("heading", name="How we write to you").wait_for()
    by_address = await new_page(browser)
    await by_address.goto(hotel.unsubscribe(guest))

    assert await by_address.get_by_role("button", name="Choose topics and channels").count() == 0


@pytest.mark.pictures
@pytest.mark.parametrize(
    ("name", "languages"),
    [("preferences", ("en", "de")), ("status", ("en", "fr")), ("data", ("en", "de"))],
)
async def test_pictures_of_the_pages_by_day_and_by_night(
    browser: Browser, hotel: GuestHouse, name: str, languages: tuple[str, str]
) -> None:
    shots: list[str] = []
    hotel.now = NOW + timedelta(minutes=4)
    for theme, language in zip(("light", "dark"), languages, strict=True):
        page = await new_page(browser, theme=theme)
        await follow(page, link(hotel, name, language))
        shots.append(b64encode(await page.screenshot(full_page=True)).decode())
    both = await browser.new_page(viewport={"width": 844, "height": 900})
    await both.set_content(
        "<body style='margin:0;background:#8b95a0;display:flex;align-items:start;gap:24px;padding:20px'>"
        + "".join(f"<img width=390 src='data:image/png;base64,{shot}'>" for shot in shots)
    )
    await both.screenshot(path=PICTURES / f"{name}-page.png", full_page=True)
