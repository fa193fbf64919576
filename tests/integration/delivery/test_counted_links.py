"""A counted link leads where the message said, and nowhere else; a click is a touchpoint, a scanner is none."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx2 as httpx
import pytest
import pytest_asyncio

from activities.counted_links import CountedLink
from api.app import create_app
from api.short_links import short_links_router
from stores.short_links import ShortLinkStore
from tests.integration.delivery.conftest import ANNA, Desk

TOKEN = "abcdefghij_klmnop-12"
URL = "https://a.example/x?y=1&z=2"
PERSON = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}


class Browser:
    """Follows links of messages, as people and others do; `at` is when."""

    def __init__(self, desk: Desk, client: httpx.AsyncClient) -> None:
        self._desk, self._client = desk, client
        self.at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
        self.rung = 0

    async def follows(
        self, token: str = TOKEN, method: str = "GET", **headers: str
    ) -> httpx.Response:
        told = {**PERSON, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self._client.request(method, f"/l/{token}", headers=told)

    async def clicks(self) -> list[dict[str, object]]:
        return await self._desk.rows(
            "select customer, properties from touchpoints where event = 'Message Clicked'"
            " order by touchpoint"
        )


@pytest_asyncio.fixture
async def browser(desk: Desk) -> AsyncIterator[Browser]:
    await desk.deliver(1)
    [row] = await desk.rows("select key from deliveries")
    holder: list[Browser] = []

    def ring() -> None:
        holder[0].rung += 1

    store = ShortLinkStore(desk.pool, ring, lambda: holder[0].at)
    link = CountedLink(token=TOKEN, delivery=row["key"], customer=ANNA, url=URL)
    await store.keep([link])
    await store.keep([link])
    app = create_app(short_links_router(store))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://ours") as client:
        holder.append(Browser(desk, client))
        yield holder[0]


async def test_a_click_leads_on_and_is_told_once_a_minute(browser: Browser, desk: Desk) -> None:
    answers = [await browser.follows(), await browser.follows()]
    browser.at += timedelta(minutes=1)
    answers.append(await browser.follows())

    assert {(each.status_code, each.headers["location"]) for each in answers} == {(302, URL)}
    assert answers[0].headers["cache-control"] == "no-store"
    clicks = await browser.clicks()
    assert [click["customer"] for click in clicks] == [ANNA, ANNA]
    assert clicks[0]["properties"] == {
        "delivery": "journey/flight/c_anna:7:1",
        "message": "gate",
        "channel": "email",
        "journey": "flight",
        "run": "journey/flight/c_anna",
        "url": URL,
    }
    assert browser.rung == 2
    heard = await desk.rows("select kind, channel, detail from delivery_feedback")
    assert heard == [{"kind": "clicked", "channel": "email", "detail": URL}] * 2


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"sec_purpose": "prefetch;prerender"}),
        ("GET", {"purpose": "prefetch"}),
        ("GET", {"user_agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"}),
        ("GET", {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}),
        ("GET", {"user_agent": "Barracuda Sentinel (EE)"}),
        ("GET", {"user_agent": "WhatsApp/2.23.20.0"}),
        ("GET", {"user_agent": ""}),
    ],
)
async def test_who_only_looks_is_led_on_and_not_counted(
    browser: Browser, method: str, headers: dict[str, str]
) -> None:
    answer = await browser.follows(method=method, **headers)

    assert (answer.status_code, answer.headers["location"]) == (302, URL)
    assert await browser.clicks() == []


@pytest.mark.parametrize(
    "token", ["x" * 20, "short", "https:%2F%2Fevil.example", f"{TOKEN}?to=https://evil.example#"]
)
async def test_a_link_leads_only_where_the_message_said(browser: Browser, token: str) -> None:
    answer = await browser.follows(token)

    assert answer.headers.get("location") in (None, URL)
    assert answer.status_code == 404 or token.startswith(TOKEN)


async def test_the_customers_own_language_comes_with_the_claim(desk: Desk) -> None:
    await desk.publish("---\nsubject: '{{ run.gate }}'\n---\nGate.\n")
    await desk.with_traits(language="cs")
    await desk.deliver(2)
    await desk.rows("insert into preferences (customer, locale) values (%s, 'de')", ANNA)
    await desk.deliver(3)

    assert [taken.locale for taken in desk.channel.taken] == ["cs", "de"]
