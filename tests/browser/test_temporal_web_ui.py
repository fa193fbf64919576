"""What is sealed is readable in Temporal's own Web UI, for staff who signed in at the codec server."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, async_playwright, expect
from temporalio.client import Client

from api.codec_server import CodecServer
from api.staff_key import StaffKeyCheck
from api.web_ui import WebUi
from contracts.history_codec import HistoryCodec
from contracts.ids import workflow_id
from contracts.sealing import new_key
from stores.audit import AuditStore
from stores.database import Pool, open_pool
from stores.one_time_code import code_of, step_of
from stores.second_factors import SecondFactorStore
from tests.browser.test_survey_page import ARGUMENTS
from tests.integration.api.conftest import serving
from tests.integration.inbox.staff_house import PASSWORD, StaffHouse
from workers.embedded.child_process import free_port
from workers.embedded.finding_temporal import find_executable
from workers.embedded.postgres_server import PostgresServer
from workers.embedded.temporal_server import TemporalServer
from workers.sealed_history import Sealing, data_converter

CANARY = "the note of Anna"


class Keys:
    """One key for everybody."""

    key = new_key()

    async def newest(self, owner: str) -> tuple[int, bytes] | None:
        return 1, self.key

    async def find(self, owner: str, n: int) -> bytes | None:
        return self.key


@dataclass
class Office:
    """Where a run's history is looked at. `run`: its path; `codec`: where staff find it."""

    run: str
    codec: str
    house: StaffHouse
    key: bytes
    """What makes Eva's codes."""


@pytest_asyncio.fixture(scope="module")
async def office(postgres: PostgresServer, migrated_template: str) -> AsyncIterator[Office]:
    folder = Path(tempfile.mkdtemp(prefix="clew-ui-"))
    ui_port, codec_port, inbox_port = free_port(), free_port(), free_port()
    codec, inbox = f"http://127.0.0.1:{codec_port}", f"http://127.0.0.1:{inbox_port}"
    try:
        async with AsyncExitStack() as parts:
            url = await postgres.create_database("web_ui", template=migrated_template)
            pool = await open_pool(url, most=8)
            parts.push_async_callback(pool.close)
            house, key = await staffed(pool, inbox, codec)
            await parts.enter_async_context(serving(house.app(), inbox_port))
            parts.callback(house.stopping.set)
            server = CodecServer(
                HistoryCodec(Keys(), seals=False),
                AuditStore(pool),
                url=codec,
                inbox=inbox,
                staff=StaffKeyCheck(None),
                sessions=house.sign_ins,
                web_ui=WebUi(f"http://127.0.0.1:{ui_port}", f"{inbox}/staff/sessions"),
            )
            await parts.enter_async_context(serving(server.app({}), codec_port))
            executable = find_executable().executable
            assert executable is not None
            temporal = TemporalServer(executable, folder, ui_port=ui_port, codec=codec)
            await parts.enter_async_context(temporal)
            client = await Client.connect(
                temporal.address, data_converter=data_converter(sealing=Sealing(Keys()))
            )
            begun = await client.start_workflow(
                "customer_journey",
                {"journey": "stay", "customer": "c_anna", "note": CANARY},
                id=workflow_id("stay", "c_anna"),
                task_queue="journeys",
                start_signal="touchpoint",
                start_signal_args=[{"event": "Booked"}],
            )
            run = f"/namespaces/default/workflows/{quote(begun.id, safe='')}/{begun.result_run_id}"
            yield Office(run=run, codec=codec, house=house, key=key)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def staffed(pool: Pool, inbox: str, codec: str) -> tuple[StaffHouse, bytes]:
    """A house whose Eva has a password and a phone; what is in the phone."""
    house = StaffHouse(pool, inbox, codec_url=codec, second_factor="everybody")
    await house.furnish()
    await house.passwords.set("eva", PASSWORD, by="test")
    factors = SecondFactorStore(pool, house.told.master_keys(), house.clock)
    await factors.offer("eva")
    key = await factors.offered("eva")
    assert key is not None
    house.now = datetime.now(UTC) - timedelta(minutes=1)
    assert await factors.confirm("eva", code_of(key, step_of(house.clock()))) is not None
    house.now = None
    return house, key


@pytest_asyncio.fixture(scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        await browser.close()


async def test_the_web_ui_shows_a_history_to_staff_who_signed_in_until_they_sign_out(
    office: Office, browser: Browser
) -> None:
    context = await browser.new_context()
    context.set_default_timeout(60_000)
    page = await context.new_page()

    await page.goto(f"{office.codec}{office.run}/history")
    unseen = await page.inner_text("body")
    await page.get_by_role("link", name="Sign in at the inbox").click()
    await page.get_by_label("Name or e-mail").fill("eva")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_label("Code").fill(code_of(office.key, step_of(office.house.clock())))
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(f"{office.codec}/**")
    async with page.expect_response(f"{office.codec}/decode") as answer:
        await page.goto(f"{office.codec}{office.run}/history")
    opened = await answer.value
    await expect(page.get_by_text(CANARY).first).to_be_visible(timeout=30_000)
    bar = page.get_by_role("form", name="Signed in")
    await expect(bar).to_contain_text("Eva Novak")
    faults = (await Axe().run(page, context="#clew-signed-in")).response["violations"]
    await page.goto(f"{office.codec}/namespaces/default/schedules")
    await bar.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("main")).to_contain_text("Staff may open it")
    await page.goto(f"{office.codec}{office.run}/history")
    shut = await page.inner_text("body")

    assert (opened.status, faults) == (200, [])
    assert CANARY not in unseen + shut
    deeds = await AuditStore(office.house.pool).latest(what="customer c_anna")
    assert ("eva", "opened history") in {(each.who, each.did) for each in deeds}
    await context.close()
