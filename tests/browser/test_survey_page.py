"""A customer answers on a phone, with a thumb or with a keyboard, by day and by night, without any script."""

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright

from api.app import create_app
from api.opened_links import OpeningLinks, script_router
from api.surveys import surveys_router
from channels.opened_link import OpenedLinks
from channels.survey_link import SurveyInvitation, SurveyLinks
from journey.survey import Survey
from stores.answers import AnswerStore
from stores.customers import CustomerStore
from stores.database import Pool, open_pool
from stores.published import PublishedStore
from tests.browser.followed_links import follow, put_in
from tests.integration.api.conftest import serving
from workers.embedded.postgres_server import PostgresServer

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "survey-page.png"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
SECRET = b"a secret of at least 32 characters"
THUMB = 44
"""Pixels that a thumb needs each way (WCAG 2.2, 2.5.5)."""

READABLE = 4.5
"""Contrast of text with what is behind it, at least (WCAG 2.2, 1.4.3)."""

Theme = Literal["light", "dark"]
STAY = Survey(
    survey="stay",
    type="nps",
    owner="service",
    question="How likely are you to recommend the Hotel Meridian to a friend?",
    low="not at all likely",
    high="extremely likely",
    comment="What is the main reason for your answer?",
)
BEST = Survey(
    survey="best",
    type="choice",
    owner="service",
    question="What did you like best?",
    choices={"room": "The room", "breakfast": "Breakfast on the terrace", "people": "The people"},
)


class Hotel:
    """Asks its guests, and reads what they answer."""

    def __init__(self, pool: Pool, links: SurveyLinks, customer: str) -> None:
        self._pool, self._links, self._customer = pool, links, customer

    def link(self, survey: Survey, guest: str) -> str:
        asked = SurveyInvitation(ask=guest, survey=survey.survey, customer=self._customer, entry=1)
        return self._links.url(asked)

    async def answers(self, guest: str) -> list[tuple[Any, ...]]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select answer_group, score::int, choice, words from answers where ask = %s",
                [guest],
            )
            return [tuple(row.values()) for row in await cursor.fetchall()]


@pytest_asyncio.fixture(scope="module")
async def hotel(postgres: PostgresServer, migrated_template: str) -> AsyncIterator[Hotel]:
    async with AsyncExitStack() as parts:
        pool = await open_pool(await postgres.create_database("hotel", template=migrated_template))
        parts.push_async_callback(pool.close)
        published, address = PublishedStore(pool), "http://127.0.0.1:1"
        for survey in (STAY, BEST):
            await published.publish("survey", survey.survey, survey.model_dump(mode="json"))
        async with pool.connection() as connection:
            ours = await CustomerStore(pool).resolve(connection, [("user_id", "anna")])
        # A link is made for an address, and the address is known once it is served: only its end is signed.
        read = SurveyLinks(address, SECRET)
        opening = OpeningLinks(OpenedLinks(address, SECRET, lambda: datetime.now(UTC)))
        app = create_app(
            surveys_router(read, published, AnswerStore(pool), opening), script_router()
        )
        address = await parts.enter_async_context(serving(app))
        yield Hotel(pool, SurveyLinks(address, SECRET), ours)


@pytest_asyncio.fixture(scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        await browser.close()


async def phone(browser: Browser, theme: Theme = "light") -> BrowserContext:
    """A phone that runs no script."""
    return await browser.new_context(
        viewport={"width": 390, "height": 844},
        device_scale_factor=2,
        is_mobile=True,
        has_touch=True,
        java_script_enabled=False,
        color_scheme=theme,
    )


async def opened(context: BrowserContext, address: str) -> tuple[Page, list[str]]:
    """The page, and whatever it complains about."""
    page, complaints = await context.new_page(), list[str]()
    page.on("console", lambda said: complaints.append(said.text))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await put_in(page, address)
    return page, complaints


async def size(target: Locator) -> tuple[float, float]:
    box = await target.bounding_box()
    assert box is not None
    return box["width"], box["height"]


async def sizes(targets: Locator) -> list[tuple[float, float]]:
    return [await size(target) for target in await targets.all()]


async def choose(page: Page, words: str) -> None:
    await page.get_by_role("radio", name=words, exact=True).tap()


async def send(page: Page) -> None:
    await page.get_by_role("button", name="Send").tap()
    await page.wait_for_selector("text=Thank you")


async def test_a_guest_answers_with_a_thumb_on_a_phone(browser: Browser, hotel: Hotel) -> None:
    page, complaints = await opened(await phone(browser), hotel.link(STAY, "anna"))

    scores = await sizes(page.locator(".scale label"))
    width = await page.evaluate("document.documentElement.scrollWidth")
    await choose(page, "9")
    await page.get_by_label(STAY.comment).fill("Warm bed,\nquiet street")
    await send(page)
    thanks = await page.inner_text("main")

    assert width == 390
    assert len(scores) == 11
    assert min(min(each) for each in scores) >= THUMB
    assert thanks.split("\n")[0] == "Thank you"
    assert STAY.thanks in thanks
    assert await hotel.answers("anna") == [("promoter", 9, None, "Warm bed,\nquiet street")]
    assert complaints == []


async def test_a_guest_who_came_by_a_number_in_the_mail_only_sends_it(
    browser: Browser, hotel: Hotel
) -> None:
    page, _ = await opened(await phone(browser), hotel.link(STAY, "ben") + "?score=3")

    assert await page.get_by_role("radio", name="3", exact=True).is_checked()
    assert await hotel.answers("ben") == []
    await send(page)

    assert await hotel.answers("ben") == [("detractor", 3, None, "")]


async def test_a_guest_answers_with_the_keyboard_alone(browser: Browser, hotel: Hotel) -> None:
    page, _ = await opened(await phone(browser), hotel.link(STAY, "cleo"))

    keys = page.keyboard
    await keys.press("Tab")
    await keys.press("Space")
    for _ in range(10):
        await keys.press("ArrowRight")
    where = await outline(page.locator("input:checked + span"))
    await keys.press("Tab")
    await keys.type("Friendly")
    await keys.press("Tab")
    sending = await outline(page.locator("button"))
    await keys.press("Enter")
    await page.wait_for_selector("text=Thank you")

    assert await hotel.answers("cleo") == [("promoter", 10, None, "Friendly")]
    assert where == sending == ("solid", "3px")


async def outline(target: Locator) -> tuple[str, str]:
    """How it is shown that the keyboard is here."""
    style = await target.evaluate(
        "it => [getComputedStyle(it).outlineStyle, getComputedStyle(it).outlineWidth]"
    )
    return style[0], style[1]


async def test_nothing_is_sent_without_an_answer(browser: Browser, hotel: Hotel) -> None:
    page, _ = await opened(await phone(browser), hotel.link(BEST, "dora"))

    await page.get_by_role("button", name="Send").tap()
    still = await page.title()
    await choose(page, "Breakfast on the terrace")
    await send(page)

    assert still == BEST.question
    assert await hotel.answers("dora") == [("breakfast", None, "breakfast", "")]


# The brightness of a colour, and how far two are apart, as WCAG 2.2 counts them.
CONTRAST = """it => {
  const light = text => {
    const [r, g, b] = text.match(/[0-9.]+/g).slice(0, 3).map(part => part / 255)
      .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let behind = it;
  while (getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)') behind = behind.parentElement;
  const [a, b] = [getComputedStyle(it).color, getComputedStyle(behind).backgroundColor].map(light);
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_a_guest_can_read_it_by_day_and_by_night(
    browser: Browser, hotel: Hotel, theme: Theme
) -> None:
    page, _ = await opened(await phone(browser, theme), hotel.link(STAY, "emil") + "?score=9")

    await page.wait_for_selector("textarea")
    texts = page.locator("h1, legend, label span, .ends span, .words, textarea, button")
    contrasts = [await text.evaluate(CONTRAST) for text in await texts.all()]
    letters = await page.locator("textarea").evaluate("it => getComputedStyle(it).fontSize")
    ground = await page.locator("body").evaluate("it => getComputedStyle(it).backgroundColor")

    assert len(contrasts) == 1 + 1 + 11 + 2 + 1 + 1 + 1
    assert min(contrasts) >= READABLE
    assert float(letters.removesuffix("px")) >= 16  # under that a phone zooms in on it
    assert ground == {"light": "rgb(243, 241, 236)", "dark": "rgb(12, 18, 25)"}[theme]


@pytest.mark.parametrize(
    ("width", "target"), [(320, 40), (390, THUMB), (768, THUMB), (1440, THUMB)]
)
async def test_the_page_is_as_wide_as_the_screen_and_no_wider(
    browser: Browser, hotel: Hotel, width: int, target: int
) -> None:
    long = "Donaudampfschifffahrtsgesellschaftskapitän" * 5
    page = await browser.new_page(viewport={"width": width, "height": 800})
    await follow(page, hotel.link(STAY, "fay"))
    await page.evaluate("words => document.querySelector('h1').textContent = words", long)

    scores = await sizes(page.locator(".scale label"))

    assert await page.evaluate("document.documentElement.scrollWidth") == width
    assert min(height for _, height in scores) >= THUMB
    assert min(across for across, _ in scores) >= target


@pytest.mark.pictures
async def test_a_picture_of_the_page_by_day_and_by_night(browser: Browser, hotel: Hotel) -> None:
    PICTURE.parent.mkdir(exist_ok=True)
    both = await browser.new_page(viewport={"width": 844, "height": 900})
    shots: list[str] = []
    for theme in ("light", "dark"):
        page, _ = await opened(await phone(browser, theme), hotel.link(STAY, theme) + "?score=9")
        await page.get_by_label(STAY.comment).fill("The people at the desk knew my name.")
        shots.append(b64encode(await page.screenshot()).decode())
    await both.set_content(
        "<body style='margin:0;background:#8b95a0;display:flex;gap:24px;padding:20px'>"
        + "".join(f"<img width=390 src='data:image/png;base64,{shot}'>" for shot in shots)
    )
    await both.screenshot(path=PICTURE)
