"""What was told, and messages as they read, in a real browser: from a number to whom it is, from a file to a mail."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from channels.message_bundle import bundle
from stores.messages import MessageStore
from tests.browser.staff_pages import (
    DESK,
    Inbox,
    Places,
    Theme,
    fits_everybody,
    in_every_light,
    in_every_width,
    picture,
)
from tests.integration.control.control_house import THEN, ControlHouse
from tests.integration.inbox.staff_house import HOSTILE

LATER = bundle(
    {
        "later.md": """---
subject: "Your tea comes a day later, {{ customer.first_name }}"
purpose: service
---
Dear {{ customer.first_name }}, the harvest was late.
Your {{ run.tea }} is with you on **{{ run.comes | date: "%-d %B" }}**.

[Change the day](https://tea.example/orders)
""",
        "later.de.md": """---
subject: "Ihr Tee kommt einen Tag später, {{ customer.first_name }}"
locale: de
---
{{ customer.first_name }}, die Ernte war spät. Ihr {{ run.tea }} ist am **{{ run.comes | date: "%d.%m." }}** bei Ihnen.
""",
        "later.upset.md": """---
subject: "We are sorry, {{ customer.first_name }}"
tone: upset
---
You waited already, and now it is a day more. Your {{ run.tea }} is on us.
""",
        "later.short.md": """---
channel: sms
---
Your {{ run.tea }} comes a day later: tea.example/orders
""",
    }
)
VALUES = "run: {tea: First Flush, comes: 2026-03-12T09:00:00Z}"
PAGES = {
    "deliveries": "/control/deliveries?span=day",
    "delivered": "/control/deliveries/list?span=day&what=failed",
    "messages": "/control/messages",
    "message": "/control/message/later",
    "message-sms": "/control/message/later?channel=sms",
}

SENT = """
insert into deliveries (key, entry, n, journey, customer, message, purpose, channel, state, reason, words, run_time,
                        asked_at, deferred_until)
select 'told' || i, i, 1, 'tea', (select customer from customers order by customer offset i %% 40 limit 1),
       (array['later', 'welcome', 'steep-times', 'how-was-it'])[1 + i %% 4], 'service',
       case when i %% 23 = 0 then null else (array['email', 'sms', 'push'])[1 + i %% 3] end,
       case when i %% 23 = 0 or i %% 61 = 0 or i %% 37 = 0 then 'refused' when i %% 97 = 0 then 'unknown'
            when i %% 29 = 0 then 'deferred' else 'accepted' end,
       case when i %% 23 = 0 then 'held_out' when i %% 61 = 0 then 'mailbox_full' when i %% 37 = 0 then 'capped'
            when i %% 97 = 0 then '' when i %% 29 = 0 then 'quiet_until' else '' end,
       case when i %% 61 = 0 then '552 5.2.2 the mailbox is full' else '' end, at, at, at + interval '9 hours'
  from (select i, %(now)s - make_interval(mins => i * 2 %% 1430) as at from generate_series(1, 1200) i) d
"""
REPORTED = """
insert into delivery_feedback (event_id, delivery, customer, channel, kind, at)
select d.key || k, d.key, d.customer, d.channel, k, %(now)s
  from deliveries d cross join unnest(array['delivered', 'opened', 'clicked', 'bounced']) k
 where d.state = 'accepted' and d.channel = 'email' and d.key like 'told%%'
   and (k = 'delivered' or k = 'opened' and d.entry %% 2 = 0 or k = 'clicked' and d.entry %% 10 = 0
        or k = 'bounced' and d.entry %% 73 = 0)
"""


@pytest_asyncio.fixture(scope="module")
async def control(places: Places) -> AsyncGenerator[Inbox]:
    async with (
        places.lived_in("control_told") as house,
        places.mission_control(house) as pages,
    ):
        await _told(house)
        yield pages


async def _told(house: ControlHouse) -> None:
    """A day of messages, one that is live in several files, and whom it may be shown for."""
    await MessageStore(house.pool).publish("later", LATER)
    await house.known("anna", first_name="Anna")
    await house.known("hostile", first_name=HOSTILE)
    async with house.pool.connection() as connection:
        now = {"now": THEN - timedelta(minutes=1)}
        await connection.execute(SENT, now)
        await connection.execute(REPORTED, now)


async def _with_values(control: Inbox, width: int = DESK, theme: Theme = "light") -> Any:
    """The message as Anna reads it, with values that somebody typed."""
    page = await control.page("lena", width, theme)
    await page.goto(PAGES["message"])
    await page.fill("#given", VALUES)
    await page.fill("#whom", "anna")
    await page.click("text=Show with these")
    await page.wait_for_selector("text=would read it now")
    return page


async def test_from_what_failed_to_whom_it_was_to_reach(control: Inbox) -> None:
    page = await control.page("lena")
    await page.goto("/control")
    await page.click("nav >> text=Told")
    failed = page.locator(".tiles div:has(dt:text-is('Failed')) a")
    many = int((await failed.inner_text()).strip("! "))
    assert many > 10

    await failed.click()

    await page.wait_for_selector("h1:has-text('Failed')")
    assert await page.locator("tbody tr").count() == many
    assert "552 5.2.2 the mailbox is full" in await page.inner_text("main")
    await page.click("tbody tr:first-child th a")
    await page.wait_for_selector(".timeline")
    await page.context.close()


async def test_the_picture_says_what_the_numbers_say(control: Inbox) -> None:
    page = await control.page("lena")
    await page.goto(PAGES["deliveries"])

    heights: list[float] = await page.evaluate(
        "[...document.querySelectorAll('figure.told rect.sent')].map(each => +each.getAttribute('height'))"
    )

    assert len(heights) > 20
    assert max(heights) <= 140
    assert await page.locator("figcaption").inner_text() != ""
    await page.click("nav[aria-label='How far back'] >> text=an hour")
    await page.wait_for_selector("[aria-current=page]:has-text('an hour')")
    assert "by the five minutes" in await page.inner_text("figcaption")
    await page.context.close()


async def test_a_mail_is_seen_as_anna_reads_it_at_a_desk_and_on_a_phone(control: Inbox) -> None:
    page = await _with_values(control)

    for frame in ("iframe.desk", "iframe.phone"):
        shown = page.frame_locator(frame)
        assert (
            "Your First Flush is with you on 12 March." in await shown.locator("body").inner_text()
        )
    assert "Your tea comes a day later, Anna" in await page.inner_text("main")
    assert "First" not in page.url
    assert "anna" not in page.url

    await page.click("nav.variants >> text=later.de.md")
    await page.wait_for_selector("text=Ihr Tee kommt einen Tag später, Anna")
    assert (
        "Ihr First Flush ist am 12.03."
        in await page.frame_locator("iframe.desk").locator("body").inner_text()
    )

    await page.select_option("#channel", "sms")
    await page.select_option("#locale", "")
    await page.click("text=Show >> nth=0")
    await page.wait_for_selector(".bubble:has-text('Your First Flush comes a day later')")
    assert "1 text message" in await page.inner_text("dl.key")
    await page.context.close()


async def test_it_works_without_a_script(control: Inbox) -> None:
    page = await control.page("lena", scripts=False)
    await page.goto(PAGES["messages"])
    await page.click("th a:text-is('later')")
    await page.wait_for_selector("text=Nobody gave these")
    await page.fill("#given", VALUES)
    await page.click("text=Show with these")
    await page.wait_for_selector("text=Nobody gave this")
    assert "customer.first_name" in await page.inner_text(".writing")
    await page.context.close()


async def test_a_name_that_is_markup_is_text_in_the_frame_too(control: Inbox) -> None:
    page = await control.page("lena")
    said: list[str] = []
    asked: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda told: said.append(told.text))
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(PAGES["message"])
    await page.fill("#whom", "hostile")
    await page.click("text=Show with these")
    await page.wait_for_selector("text=would read it now")

    frame = page.frame_locator("iframe.desk")

    assert HOSTILE in await frame.locator("body").inner_text()
    assert await frame.locator("script, img").count() == 0
    assert "owned" not in await page.title()
    assert said == []
    assert [each for each in asked if not each.startswith(control.address)] == []
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
@in_every_light
@in_every_width
async def test_pictures_of_what_was_told(control: Inbox, width: int, theme: Theme) -> None:
    page = await control.page("lena", width, theme)
    await page.goto(PAGES["deliveries"])
    await picture(page, "deliveries", width, theme)
    await page.context.close()
    page = await _with_values(control, width, theme)
    await page.set_viewport_size(
        {"width": width, "height": 2_800}
    )  # a frame out of sight is not drawn
    await page.frame_locator("iframe.phone").locator("a").wait_for()
    await picture(page, "message", width, theme)
    await page.context.close()
