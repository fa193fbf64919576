"""What customers answered, were promised and were given, in a real browser: at a desk, on a phone, at night."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Page

from stores.coupons import CouponStore
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
from tests.integration.control import asked_rows as rows
from tests.integration.control.asked_rows import DAY
from tests.integration.control.control_house import THEN, ControlHouse
from tests.integration.inbox.staff_house import HOSTILE

PAGES = {
    "surveys": "/control/surveys",
    "survey": "/control/survey/would-you-tell",
    "promises": "/control/promises",
    "offers": "/control/offers?offer=cake&standing=voided",
}
HOSTILE_PAGES = (
    "/control/survey/would-you-tell?since=10y",
    "/control/promises?since=10y&standing=dropped",
    "/control/offers?since=10y&offer=cake&standing=refused",
)
LONG_AGO = timedelta(days=300)
"""When hostile people wrote, so that it stands on no picture."""

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
LONG = "The tea was cold, the cake was not. " * 140
WILD = f"{HOSTILE} \u202e\u2066 👩🏽‍🚀 {LONG}"[:5_000]
WORDS = (
    "Best tea in town, and the music is never too loud.",
    "The pot was cold when it came.",
    "Nobody saw that we wanted to pay; we waited for half an hour.",
    "A quiet place, and the cakes are made by somebody who likes cakes.",
    "Fine, but the second pot is as expensive as the first.",
)


@pytest_asyncio.fixture(scope="module")
async def control(places: Places) -> AsyncGenerator[Inbox]:
    async with places.lived_in("control_asked", many=60) as house:
        house.now = NOW
        await _answered(house)
        await _promised_and_given(house)
        async with places.mission_control(house) as pages:
            yield pages


async def _answered(house: ControlHouse) -> None:
    """Eight weeks of answers, a little better each week, and some with words."""
    version = await rows.furnished(house)
    entries = await rows.several_ran(house, 5, THEN - DAY, version)
    for week in range(8):
        at = NOW - week * 7 * DAY - timedelta(hours=3)
        for score, times in (
            (10, 40 - week * 4),
            (9, 12),
            (8, 9),
            (7, 6),
            (5, 4 + week * 2),
            (1, 2 + week),
        ):
            entry = entries[week % 5]
            await rows.answered(house, "would-you-tell", at, entry=entry, score=score, times=times)
        await rows.answered(house, "was-it-good", at, entry=entries[0], score=5 - week % 3, times=9)
        await rows.answered(house, "was-it-easy", at, entry=entries[1], score=7 - week % 4, times=5)
        for choice in ("cakes", "cakes", "music"):
            await rows.answered(house, "what-else", at, entry=entries[2], choice=choice, times=3)
    for n, (words, entry) in enumerate(zip(WORDS, entries, strict=True)):
        anna = await house.known(f"guest-{n}")
        await rows.answered(
            house, "would-you-tell", NOW - n * timedelta(hours=7) - timedelta(hours=1), customer=anna, entry=entry,
            score=(10, 3, 0, 9, 7)[n], words=words,
        )  # fmt: skip
        await rows.noted(house, entry, 1, "sent", THEN - timedelta(hours=9))
        kind = "late" if n == 1 else "answered"
        await rows.noted(house, entry, 2, kind, THEN - timedelta(hours=8))
    await rows.answered(
        house, "would-you-tell", NOW - LONG_AGO, entry=entries[0], score=0, words=WILD
    )
    await house.fold()


async def _promised_and_given(house: ControlHouse) -> None:
    """Promises and coupons in each state; a pool that runs low."""
    version = await rows.furnished(house)
    entries = await rows.several_ran(house, 60, THEN - 20 * DAY, version)
    anna = await house.known("guest-0")
    async with house.pool.connection() as connection:
        await connection.execute(
            "update runs set customer = %s where entry = any(%s)", [anna, entries[54:56]]
        )
    due = THEN - 8 * DAY
    stand = {"kept": 38, "kept_late": 6, "broken": 3, "dropped": 2, "late": 5}
    at = 0
    for state, many in stand.items():
        some, at = entries[at : at + many], at + many
        await rows.promised(house, due, state, entries=some)
    await rows.promised(house, due - 3 * DAY, "late", entries=entries[54:56], name="call_back")
    await rows.promised(
        house, THEN - LONG_AGO, "dropped", entries=entries[:1], name="call_back", reason=WILD
    )
    await rows.given(house, THEN - LONG_AGO, state="refused", reason=WILD)
    await rows.promised(house, THEN + 20 * DAY, "open", entries=entries[56:])
    await rows.published(house, "offer", "cake", kind="generated", title="A piece of cake")
    await rows.published(
        house, "offer", "ticket", kind="pool", title="A ticket for Saturday's tasting"
    )
    await CouponStore(house.pool).load("ticket", [f"T-{n}" for n in range(9)])
    for state, times in (("redeemed", 31), ("expired", 44), ("voided", 6)):
        await rows.given(
            house,
            due,
            state=state,
            ended=due + DAY,
            amount=4.5,
            times=times,
            entry=100,
            reason="left before it was used" if state == "voided" else "",
        )
    await rows.given(house, due, times=12, expires=THEN + 30 * DAY, entry=300)
    late = THEN - 3 * DAY
    await rows.given(house, late, offer="ticket", times=25, expires=THEN + 30 * DAY, journey="tea")


async def _quiet(page: Page, path: str) -> list[str]:
    """What a page complains of as it opens."""
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    await page.goto(path)
    await page.wait_for_selector("main h1")
    return told


async def test_from_the_navigation_to_whose_words_they_are(control: Inbox) -> None:
    page = await control.page("lena")
    await page.goto("/control")
    await page.click("nav >> text=Answers")
    await page.click("text=Would you tell a friend about our tea?")
    await page.wait_for_selector("h2:has-text('What they wrote')")
    assert "The pot was cold when it came." in await page.inner_text("main")

    await page.locator(".bars a").nth(0).click()

    await page.wait_for_selector("h2:has-text('Who gave 0')")
    await page.locator(".said-list a").first.click()
    await page.wait_for_selector(".timeline")
    await page.context.close()


async def test_without_a_script_the_time_is_chosen_and_overdue_promises_are_found(
    control: Inbox,
) -> None:
    page = await control.page("lena", scripts=False)
    await page.goto("/control")
    await page.click("nav >> text=Promises")
    await page.select_option("#since", "91d")
    await page.click("text=Show")
    await page.wait_for_selector("h2:has-text('Overdue: who waits longest first')")
    assert "since=91d" in page.url

    await page.locator("#who ~ .card a").first.click()

    await page.wait_for_selector(".timeline")
    await page.context.close()


async def test_a_pool_that_runs_low_is_seen_and_problems_are_one_step_away(control: Inbox) -> None:
    page = await control.page("lena")
    await page.goto("/control")
    await page.click("nav >> text=Offers")
    assert await page.locator(".tiles .bad:has-text('Pools that run low')").count() == 1
    await page.click("nav >> text=Problems")
    await page.wait_for_selector("h1:has-text('Problems')")
    await page.context.close()


async def test_a_keyboard_comes_to_each_page_of_the_navigation(control: Inbox) -> None:
    page = await control.page("lena")
    await page.goto("/control/surveys")
    reached: list[str] = []
    for _ in range(30):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate("document.activeElement.textContent.trim()"))
        if reached[-1] == "Inbox":
            break
    wanted = ["Search", "Answers", "Promises", "Offers", "Stops", "Problems", "Inbox"]
    assert [each for each in reached if each in wanted] == wanted
    await page.context.close()


@pytest.mark.parametrize("path", [*PAGES.values(), *HOSTILE_PAGES])
async def test_what_is_hostile_is_text(control: Inbox, path: str) -> None:
    page = await control.page("lena", PHONE)
    assert await _quiet(page, path) == []
    assert "owned" not in await page.title()
    assert await page.locator("main script, main img[src='x']").count() == 0
    assert ("<script>" in await page.inner_text("main")) == (path in HOSTILE_PAGES)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE
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
        ("surveys", DESK, "light"),
        ("survey", DESK, "light"),
        ("survey", PHONE, "dark"),
        ("promises", DESK, "light"),
        ("promises", PHONE, "dark"),
        ("offers", DESK, "light"),
        ("offers", PHONE, "dark"),
    ],
)
async def test_pictures_of_what_was_asked(
    control: Inbox, name: str, width: int, theme: Theme
) -> None:
    async with control.shown("lena", PAGES[name], width, theme) as page:
        await page.wait_for_selector("body[data-renewed]")
        await picture(page, name, width, theme)
