"""Whatever a customer is called, no page runs it or fetches it: seen by a real browser, with our policy and without."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from fastapi import FastAPI
from playwright.async_api import Browser, Page, async_playwright

from activities.message_text import PublishedMessage, RenderFor
from api.status_events import LiveStatus
from channels.mail_store import MailStore
from channels.message_renderer import MessageFileRenderer
from cli.preview_page import preview_page
from console.mailbox import mailbox_router
from insight.graph_svg import svg_of
from insight.journey_graph import journey_graph
from journey.publication import read_definition
from stores.customers import CustomerStore
from stores.database import jsonb, open_pool
from stores.published import PublishedStore
from tests.browser.followed_links import follow
from tests.integration.api.conftest import serving
from tests.integration.api.guest_house import SURVEY, GuestHouse
from tests.scorecard import keep_part
from tests.security.payloads import corpus
from workers.embedded.postgres_server import PostgresServer

_CORPUS: dict[str, Any] = corpus("xss.yaml")
PAYLOADS: list[str] = [
    *(f"{out}{vector}" for out in _CORPUS["breakouts"] for vector in _CORPUS["vectors"]),
    *_CORPUS["alone"],
]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)

# What only a payload brings along; ours are the style sheet, the status page's own script and its frame of a preview.
FOREIGN = """() => [...document.querySelectorAll('*')].filter(each =>
    [...each.attributes].some(a => a.name.startsWith('on') || /^\\s*(javascript|vbscript|data:text)/i.test(a.value)
      && ['href', 'src', 'action', 'formaction', 'xlink:href'].includes(a.name))
    || ['OBJECT', 'EMBED', 'BASE', 'IMG', 'VIDEO', 'AUDIO', 'MARQUEE', 'FRAMESET', 'math', 'TEMPLATE']
      .includes(each.tagName)
    || /alert\\(1\\)|evil\\.example/.test(each.tagName === 'SCRIPT' || each.tagName === 'STYLE' ? each.textContent : '')
  ).map(each => each.outerHTML.slice(0, 150))"""
ANSWERED = "performance.getEntriesByType('navigation')[0].responseStatus"


@dataclass
class Watched:
    """A page of a browser, and everything on it that ought not to be."""

    page: Page
    seen: list[str] = field(default_factory=list[str])
    looked_at: int = 0

    async def visit(self, url: str) -> None:
        """Go there and look; a page by itself where it is no address."""
        if url.startswith("http"):
            await follow(self.page, url)
            answered = await self.page.evaluate(ANSWERED)
            if answered not in (200, 404, 410):
                self.seen.append(f"{urlsplit(url).path} answered {answered}")
        else:
            await self.page.set_content(url)
        await self.page.evaluate(
            "document.querySelectorAll('details').forEach(each => each.open = true)"
        )
        self.seen += await self.page.evaluate(FOREIGN)
        self.looked_at += 1


@asynccontextmanager
async def watching(browser: Browser, *, policy: bool = True) -> AsyncGenerator[Watched]:
    """`policy`: whether ours is kept; without it a payload that got through would really run."""
    context = await browser.new_context(bypass_csp=not policy)
    page = await context.new_page()
    watched = Watched(page)

    async def closed(dialog: Any) -> None:
        watched.seen.append(f"dialog {dialog.message}")
        await dialog.dismiss()

    page.on("dialog", closed)
    page.on(
        "console",
        lambda said: watched.seen.append(said.text) if "Security Policy" in said.text else None,
    )
    page.on(
        "request",
        lambda asked: (
            watched.seen.append(f"asked for {asked.url[:100]}")
            if urlsplit(asked.url).hostname not in ("127.0.0.1", None)
            else None
        ),
    )
    yield watched
    await context.close()


@pytest_asyncio.fixture(scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        await browser.close()


def kept(part: str, payloads: int, found: Sequence[str]) -> None:
    keep_part("R14", {f"xss {part}": payloads}, hits=len(found))
    assert list(found) == []


async def test_the_browser_would_see_what_gets_through(browser: Browser) -> None:
    async with watching(browser, policy=False) as watched:
        await watched.visit("<p>a</p><script>alert(1)</script><img src=https://evil.example/x.png>")

    assert "dialog 1" in watched.seen
    assert any("asked for https://evil.example/x.png" in each for each in watched.seen)
    assert any("<img" in each for each in watched.seen)


async def test_the_mailbox_shows_mails_and_runs_none(browser: Browser, tmp_path: Path) -> None:
    store = MailStore(tmp_path / "mailbox")
    store.open()
    for payload in PAYLOADS:
        mail, line = EmailMessage(), " ".join(payload.split())
        mail["Subject"], mail["To"] = line, "anna@example.com"
        mail["Reply-To"] = "care@air.example"
        mail.set_content(payload)
        mail.add_alternative(f"<p>{payload}</p>", subtype="html")
        store.keep(mail.as_bytes(), ["anna@example.com"], NOW.isoformat())
    app = FastAPI()
    app.include_router(mailbox_router(store))
    names = [mail.name for mail in store.received()]
    found: list[str] = []
    async with serving(app) as address:
        for policy in (True, False):
            async with watching(browser, policy=policy) as watched:
                for page in range(1, len(names) // 100 + 2):
                    await watched.visit(f"{address}/mailbox?page={page}")
                for name in names[:: 1 if policy else 20][:: len(names) // 12]:
                    await watched.visit(f"{address}/mailbox/{name}")
                await watched.visit(
                    f"{address}/mailbox?to={'%22%3E%3Cscript%3Ealert(1)%3C/script%3E'}"
                )
            found += watched.seen
    kept("mailbox", len(PAYLOADS), found)


async def test_a_preview_shows_what_customers_are_called(browser: Browser) -> None:
    """All in one mail: as its text, in its markup, in an attribute, in the subject, and who it is to."""
    source = (
        '---\nsubject: Hi {{ customer.first_name }}\nhtml: |\n  {% for name in names %}<p title="{{ name }}">'
        "{{ name }}</p>{{ name | safe_html | replace: '<img', '[img' }}{% endfor %}\n---\n"
        "{% for name in names %}{{ name }}\n\n{% endfor %}\n"
    )
    message = PublishedMessage(name="late", revision="r", source=source)
    found: list[str] = []
    for first in range(0, len(PAYLOADS), 60):
        names = PAYLOADS[first : first + 60]
        values: dict[str, Any] = {"customer": {"first_name": names[0]}, "names": names}
        for channel in ("email", "push"):
            words = MessageFileRenderer().render(message, values, NOW, RenderFor(channel=channel))
            async with watching(browser, policy=False) as watched:
                await watched.visit(preview_page(words, channel, names[-1]))
                found += watched.seen
    kept("preview", len(PAYLOADS), found)


async def test_a_picture_of_a_journey_runs_nothing_that_is_written_in_it(browser: Browser) -> None:
    steps = [
        {"wait": {"any": [{"on": payload[:100]}], "until": "1h"}}
        for payload in PAYLOADS
        if payload.isprintable()
    ]
    definition = {
        "language": 1, "journey": "hostile", "title": PAYLOADS[0], "owner": "tests", "enter": {"on": "Began"},
        "stages": [{"stage": "one", "title": PAYLOADS[1], "steps": [*steps[:150], {"finish": "done"}]}],
    }  # fmt: skip
    svg = svg_of(journey_graph(read_definition(json.dumps(definition), "hostile.json").program))
    async with watching(browser, policy=False) as watched:
        await watched.visit(f"<!doctype html><body>{svg}</body>")
    kept("graph", len(steps[:150]), watched.seen)


@pytest_asyncio.fixture(scope="module")
async def hotel(postgres: PostgresServer, migrated_template: str) -> AsyncIterator[GuestHouse]:
    """Where everything that a guest can fill in, and what staff named, is a payload."""
    url = await postgres.create_database("hostile_pages", template=migrated_template)
    pool = await open_pool(url)
    hotel, live = GuestHouse(pool, "http://127.0.0.1:1"), LiveStatus(every_seconds=0.05)
    await hotel.open()
    async with serving(hotel.app(live)) as address:
        hotel.address = address
        yield hotel
        live.stopping.set()
    await pool.close()


async def filled_in(hotel: GuestHouse, payloads: Sequence[str]) -> None:
    """Anna with these as her traits, her answers, her events and her cases; the survey asks one of them."""
    traits = {f"trait_{n}": payload.replace("\0", "") for n, payload in enumerate(payloads)}
    first = payloads[0]
    traits |= dict.fromkeys(
        ("first_name", "last_name", "city"), first
    )  # a zone that is none is refused
    async with hotel.pool.connection() as connection:
        await CustomerStore(hotel.pool).merge_traits(connection, hotel.anna, traits)
    await hotel.run(
        "update touchpoints set properties = %s, event = %s where customer = %s",
        *(jsonb(traits), first[:200], hotel.anna),
    )
    await hotel.run("update answers set words = %s where customer = %s", first, hotel.anna)
    await hotel.run("update cases set brief = %s where customer = %s", first, hotel.anna)
    await hotel.run("update deliveries set address = %s where customer = %s", first, hotel.anna)
    await hotel.run("update runs set stage = %s where customer = %s", first[:60], hotel.anna)
    asked = SURVEY.model_copy(update={"question": first, "low": first[:60], "comment": first})
    await PublishedStore(hotel.pool).publish(
        "survey", "stay", asked.model_dump(mode="json", exclude_defaults=True)
    )


def pages(hotel: GuestHouse) -> list[str]:
    links = hotel.links
    return [
        *(links.url(kind, hotel.anna) for kind in ("preferences", "data")),
        *(links.url(kind, hotel.anna, hotel.stay) for kind in ("status", "person")),
        hotel.unsubscribe(hotel.anna),
        hotel.survey(hotel.anna, "hostile"),
    ]


@pytest.mark.faults_full
@pytest.mark.parametrize("policy", [True, False], ids=["with our policy", "without"])
async def test_customers_own_pages_run_nothing_that_is_filled_in(
    browser: Browser, hotel: GuestHouse, policy: bool
) -> None:
    """Every payload is a trait on the page of data, and every tenth is what all other fields hold."""
    found: list[str] = []
    looked_at = 0
    async with watching(browser, policy=policy) as watched:
        for first in range(0, len(PAYLOADS), 10):
            await filled_in(hotel, PAYLOADS[first : first + 40])
            for url in pages(hotel):
                await watched.visit(url)
                page = watched.page.url.partition("?")[0]
                await watched.visit(f"{page}?lang=en&done=<script>alert(1)</script>")
        found, looked_at = watched.seen, watched.looked_at
    kept(f"pages {'with' if policy else 'without'} policy", looked_at * len(PAYLOADS[:40]), found)
