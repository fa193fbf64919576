"""What is sealed is readable in Temporal's own Web UI, for staff who signed in at the codec server."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest_asyncio
from playwright.async_api import Browser, Page, Response, Route, async_playwright, expect
from pydantic import JsonValue
from temporalio.client import Client

from api.codec_server import CodecServer
from api.staff_key import StaffKeyCheck
from contracts.history_codec import HistoryCodec
from contracts.ids import workflow_id
from contracts.sealing import new_key
from tests.browser.test_survey_page import ARGUMENTS
from tests.integration.api.conftest import serving
from workers.embedded.child_process import free_port
from workers.embedded.finding_temporal import find_executable
from workers.embedded.temporal_server import TemporalServer
from workers.sealed_history import Sealing, data_converter

STAFF = "a staff token"
CANARY = "the note of Anna"


class Keys:
    """One key for everybody."""

    key = new_key()

    async def newest(self, owner: str) -> tuple[int, bytes] | None:
        return 1, self.key

    async def find(self, owner: str, n: int) -> bytes | None:
        return self.key


@dataclass
class Deeds:
    """What was written down."""

    done: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])

    async def record(
        self, who: str, did: str, what: str, detail: Mapping[str, JsonValue] | None = None
    ) -> None:
        self.done.append((who, did, what))


@dataclass
class Office:
    """Where a run's history is looked at."""

    run: str
    codec: str
    deeds: Deeds


@pytest_asyncio.fixture(scope="module")
async def office() -> AsyncIterator[Office]:
    folder, port, deeds = Path(tempfile.mkdtemp(prefix="clew-ui-")), free_port(), Deeds()
    origin = f"http://127.0.0.1:{port}"
    codec = CodecServer(
        HistoryCodec(Keys(), seals=False),
        deeds,
        origin=origin,
        staff=StaffKeyCheck(STAFF),
        wall_clock=lambda: datetime.now(UTC),
    )
    try:
        async with AsyncExitStack() as parts:
            address = await parts.enter_async_context(serving(codec.app({})))
            executable = find_executable().executable
            assert executable is not None
            server = TemporalServer(executable, folder, ui_port=port, codec=address)
            await parts.enter_async_context(server)
            client = await Client.connect(
                server.address, data_converter=data_converter(sealing=Sealing(Keys()))
            )
            begun = await client.start_workflow(
                "customer_journey",
                {"journey": "stay", "customer": "c_anna", "note": CANARY},
                id=workflow_id("stay", "c_anna"),
                task_queue="journeys",
                start_signal="touchpoint",
                start_signal_args=[{"event": "Booked"}],
            )
            run = f"{origin}/namespaces/default/workflows/{quote(begun.id, safe='')}/{begun.result_run_id}"
            yield Office(run=run, codec=address, deeds=deeds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        await browser.close()


async def with_cookies(route: Route) -> None:
    """The settings of the Web UI in docker-compose.yml; the development server has no flag for this one."""
    answer = await route.fetch()
    told = await answer.json()
    told["Codec"]["IncludeCredentials"] = True
    await route.fulfill(response=answer, json=told)


async def asked(page: Page, office: Office) -> Response:
    """Look at the run; what the codec server answered the Web UI."""
    async with page.expect_response(f"{office.codec}/decode", timeout=60_000) as answer:
        await page.goto(f"{office.run}/history")
    return await answer.value


async def test_the_web_ui_shows_a_history_to_staff_who_signed_in_and_to_nobody_else(
    office: Office, browser: Browser
) -> None:
    context = await browser.new_context()
    await context.route("**/api/v1/settings*", with_cookies)
    page = await context.new_page()

    shut = await asked(page, office)
    await expect(page.get_by_role("heading", name="Event History", exact=True)).to_be_visible(
        timeout=30_000
    )
    unseen = await page.inner_text("body")
    await page.goto(office.codec)
    await page.get_by_label("Staff token").fill(STAFF)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("main")).to_contain_text("You are signed in")
    opened = await asked(page, office)

    await expect(page.get_by_text(CANARY).first).to_be_visible(timeout=30_000)
    assert (shut.status, opened.status) == (401, 200)
    assert CANARY not in unseen
    assert ("installation", "opened history", "customer c_anna") in office.deeds.done
    await context.close()
