"""Members of staff at their inbox in a real browser, on the product as it runs."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, ViewportSize, async_playwright
from playwright.async_api import TimeoutError as TooLongError
from pydantic import SecretStr

from api.app import create_app
from journey.business_time import DAYS
from journey.staff_roles import MemberRole
from stores.members import Member, MemberStore
from stores.published import HOUSE, PublishedStore
from stores.staff_sign_ins import SignInStore
from tests.integration.api.conftest import serving
from tests.integration.conftest import Stack
from workers.inbox import staff_inbox
from workers.inbox_settings import InboxSettings

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
PICTURES = Path(__file__).resolve().parents[3] / "docs" / "pictures"
ALWAYS = {"week": {day: ["00:00-24:00"] for day in DAYS}}
STAFF: tuple[tuple[str, str, MemberRole, tuple[str, ...]], ...] = (
    ("eva", "Eva Novak", "agent", ("complaints", "helpline", "public-desk", "rebooking", "coaches", "shop-floor")),
    ("ben", "Ben Horak", "agent", ("branches", "shop-floor", "shop-managers")),
    ("lena", "Lena Kral", "lead", ("complaints", "complaint-leads", "duty-managers", "team-leads", "area-managers")),
)  # fmt: skip
PATIENCE = 60_000
"""Milliseconds that a page may take to show what comes by itself."""


class Told(InboxSettings):
    """What the inbox is told."""

    public_url: str = "http://clew.test"
    secret: SecretStr = SecretStr("a secret of at least 32 characters")


@dataclass
class Floor:
    """Everybody at work."""

    stack: Stack
    address: str
    browser: Browser
    sign_ins: SignInStore
    desks: dict[str, "StaffDesk"] = field(default_factory=dict[str, "StaffDesk"])

    async def desk(self, member: str, width: int = 1280) -> "StaffDesk":
        """A member at their browser, signed in; the same one as before."""
        if member not in self.desks:
            size: ViewportSize = {"width": width, "height": 900}
            context = await self.browser.new_context(
                viewport=size,
                base_url=self.address,
                locale="en-GB",
            )
            context.set_default_timeout(PATIENCE)
            cookie = await self.sign_ins.begin(member, "test")
            await context.add_cookies(
                [{"name": "clew-staff", "value": cookie, "url": self.address}]
            )
            self.desks[member] = StaffDesk(self, await context.new_page())
        return self.desks[member]


@dataclass
class StaffDesk:
    """One member at one page."""

    floor: Floor
    page: Page

    async def opens(self, words: str, *, scope: str = "queues") -> None:
        """Find a case in the list by what stands there, and open it."""
        await self.page.goto(f"/staff?scope={scope}")
        await self.page.locator(".case a.open", has_text=words).first.click()
        await self.page.wait_for_selector(".thread")

    async def claims(self, words: str) -> None:
        """Open it, and take it on."""
        await self.opens(words)
        await self.page.click("#act-claim")
        await self.reads("It is yours.")

    async def reads(self, *words: str) -> None:
        """Until each of these stands on the page, which may change by itself."""
        for each in words:
            try:
                await self.page.get_by_text(each).first.wait_for(state="attached")
            except TooLongError:
                shown = await self.page.inner_text("body")
                raise AssertionError(f"{each!r} is not on the page:\n{shown}") from None

    async def decides(self, title: str, **fields: Any) -> None:
        """Open a decision, fill its form in and send it."""
        choice = self.page.locator(f"details.choice:has(summary:has-text('{title}'))").first
        if await choice.get_attribute("open") is None:
            await choice.locator("summary").first.click()
        learned = {"note", "feeling", "lacked"} & fields.keys()
        if learned:
            await choice.locator(".learned > summary").click()
        for name, value in fields.items():
            place = choice.locator(f"[name='{name}'], [name$='.{name}']").first
            tag = await place.evaluate("each => each.tagName")
            await (place.select_option(value) if tag == "SELECT" else place.fill(f"{value}"))
        await choice.locator("form > button.main").click()

    async def writes(self, letter: str, subject: str = "") -> None:
        """Write to the customer."""
        await self.page.fill("#subject", subject)
        await self.page.fill("#letter", letter)
        await self.page.click("#write button:text-is('Send')")
        await self.reads("It leaves in ten seconds")

    async def hands_over(self, whom: str, note: str) -> None:
        """Pass it on."""
        await self.page.click("#hand-over summary")
        await self.page.select_option("#whom", whom)
        await self.page.fill("#hand-over-note", note)
        await self.page.click("#hand-over button")
        await self.page.wait_for_load_state()


@asynccontextmanager
async def floor_of(stack: Stack, chromium: str) -> AsyncGenerator[Floor]:
    """Staff of every queue of the examples, always open, and nobody is given a case unasked."""
    queues = sorted({queue for *_, queues in STAFF for queue in queues})
    told: dict[str, Any] = {
        "queues": [{"queue": each, "hours": ALWAYS} for each in queues],
        "grants": {"agent": 50, "lead": 500},
    }
    await PublishedStore(stack.pool).publish("queues", HOUSE, told)
    for member, name, role, theirs in STAFF:
        mail = f"{member}@house.example"
        hired = Member(member=member, name=name, role=role, queues=theirs, email=mail)
        await MemberStore(stack.pool).put(hired, by="test")
    stopping, sign_ins = asyncio.Event(), SignInStore(stack.pool, lambda: datetime.now(UTC))
    router = staff_inbox(stack.pool, stack.heard.set, Told(), stopping=stopping, every_seconds=0.2)
    async with serving(create_app(router)) as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        try:
            yield Floor(stack, address, browser, sign_ins)
        finally:
            stopping.set()
            with suppress(TooLongError):
                await browser.close()
