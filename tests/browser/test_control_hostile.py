"""Whatever people, journeys and staff are called, mission control shows it as text: nothing runs, no page breaks."""

import json
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from playwright.async_api import Page
from psycopg.types.json import Jsonb

from insight.sorted_recording import our_id
from tests.browser.staff_pages import DESK, PHONE, Inbox, Places
from tests.integration.control.control_house import ControlHouse
from tests.integration.inbox.staff_house import HOSTILE
from tests.unit.insight.recordings import TEA

TURNED = "\u202e\u2066\u200f"
"""Marks that turn the direction of what follows."""

FACES = "👩🏽‍🚀🏳️‍🌈" * 5
WILD = f"{HOSTILE} {TURNED}{FACES}"
LONG = (HOSTILE + FACES) * 800
"""Over 100 kB in UTF-8."""

GUEST = our_id("guest-0")
PAGES = (
    "/control",
    "/control/journey/tea?since=28d",
    "/control/journey/tea/people",
    "/control/journey/tea/people?at=tasting/2",
    "/control/journey/tea/people?stuck=yes",
    f"/control/customer/{GUEST}",
    "/control/stops",
    "/control/journey/tea/source",
    "/control/deliveries?span=weeks",
    "/control/deliveries/list?span=weeks",
    "/control/messages",
    f"/control/message/wild?channel=push&customer={GUEST}",
    "/control/survey/wild",
    "/control/promises",
    "/control/offers?offer=wild&standing=open",
    "/control/settings",
    "/control/settings/queues",
    "/control/settings/keys",
)
WORDS = """---
subject: "{{ customer.name }}"
---
{{ customer.name }} {{ customer.story }}
"""
WIDER = """
document.documentElement.scrollWidth <= innerWidth ? [] :
    [...document.querySelectorAll('body *')].filter(each => each.getBoundingClientRect().right > innerWidth)
        .map(each => each.outerHTML.slice(0, 80))
"""
LISTENS = """
window.broken = [];
document.addEventListener('securitypolicyviolation', told => window.broken.push(told.violatedDirective));
"""


def hostile_source() -> str:
    """The tea shop's journey, with everything in it that is free text full of what should not run."""
    wild = f"{HOSTILE} 🫖🍵"  # the language itself refuses what nobody sees
    told = {
        "title: From the first cup to the second": {"title": wild[:200], "description": f"{wild} " * 1_200},
        "owner: shop": {"owner": wild[:100]},
        "  - stage: tasting": {"  - stage": "tasting", "    title": wild},
        "goal: {outcome: again}": {"goal": {"outcome": "again", "measure": wild[:500]}},
    }  # fmt: skip
    source = TEA
    for line, values in told.items():
        assert source.count(line) == 1
        written = (
            f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()
        )
        source = source.replace(line, "\n".join(written))
    return source


@pytest_asyncio.fixture(scope="module")
async def control(places: Places) -> AsyncGenerator[Inbox]:
    source = hostile_source()
    async with places.lived_in("hostile_control", many=60, source=source) as house:
        await house.hire("wild", WILD[:100], "admin", ["sales"])
        await _written_over(house)
        async with places.mission_control(house) as pages:
            yield pages


async def _written_over(house: ControlHouse) -> None:
    """Names, traits, reasons and answers as a customer or a system outside may have sent them."""
    async with house.pool.connection() as connection:
        await connection.execute(
            "update customers set traits = %s",
            [Jsonb({"name": WILD, "story": LONG, HOSTILE[:60]: [WILD]})],
        )
        await connection.execute(
            "update runs set key = %s, needs_attention = %s, waits_for = %s where state = 'open'",
            [WILD, LONG, Jsonb([WILD])],
        )
        await connection.execute(
            "update trace set why = %s where entry in (select entry from runs where customer = %s)",
            [LONG, GUEST],
        )
        await connection.execute("update deliveries set reason = %s, words = %s", [WILD, LONG])
        await connection.execute(
            "update touchpoints set properties = %s",
            [Jsonb({"name": WILD, "much": LONG})],
        )
        await connection.execute(
            "insert into messages (name, revision, source, live) values ('wild', 1, %s, true)",
            [WORDS],
        )
        await connection.execute(
            "insert into answers (ask, survey, customer, entry, choice, words, answer_group, at)"
            " values ('1', 'wild', 'c_wild', 1, %s, %s, 'x', now() - interval '1 min')",
            [WILD[:200], LONG],
        )
        await connection.execute(
            "insert into promises (entry, n, name, by, state, at, reason, sequence)"
            " select max(entry), 9, %s, '2026-01-01', 'late', now(), %s, 1 from runs",
            [WILD, LONG],
        )
        await connection.execute(
            "insert into coupons (key, offer, code, customer, entry, journey, state, reason, granted_at, expires_at)"
            " values ('1', 'wild', '1', 'c_wild', 1, %s, 'open', %s, '2026-03-10', now() + interval '9 d')",
            [WILD, LONG],
        )
        await connection.execute(
            "insert into stops (scope, name, reason, began_by) values ('journey', 'tea', %s, 'test')",
            [WILD],
        )


async def _look(page: Page, path: str) -> list[str]:
    """What went wrong on the page."""
    said: list[str] = []
    page.on("console", lambda told: said.append(f"console: {told.text}"))
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    page.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
    await page.add_init_script(LISTENS)
    answer = await page.goto(path)
    assert answer is not None
    if answer.status != 200:
        said.append(f"status {answer.status}")
    await page.wait_for_selector("main h1")
    said += [f"policy: {each}" for each in await page.evaluate("window.broken")]
    if await page.title() in ("owned", "1"):
        said.append("a script ran")
    if "49" in await page.title():
        said.append("a template ran")
    return said


@pytest.mark.parametrize("path", PAGES)
async def test_what_is_hostile_is_text(control: Inbox, path: str) -> None:
    page = await control.page("wild")

    assert await _look(page, path) == []

    assert await page.locator("main script, main img[src='x']").count() == 0
    assert "<script>" in await page.inner_text("body")
    await page.context.close()


@pytest.mark.parametrize("path", PAGES)
async def test_on_a_phone_nothing_is_pushed_out_of_the_page(control: Inbox, path: str) -> None:
    page = await control.page("wild", PHONE)

    assert await _look(page, path) == []

    assert await page.evaluate(WIDER) == []
    await page.context.close()


async def test_a_source_of_a_hundred_thousand_characters_is_shown_and_not_taken_by_the_form(
    control: Inbox,
) -> None:
    page = await control.page("wild", DESK)
    assert await _look(page, "/control/journey/tea/source") == []
    written = await page.input_value("#source")

    assert len(written) > 60_000
    assert json.dumps(HOSTILE)[1:-1] in written
    await page.context.close()
