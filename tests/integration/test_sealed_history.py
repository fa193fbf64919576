"""A dump of Temporal tells nothing about a customer, and staff with the keys read everything."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2 as httpx
import orjson
import pytest
import pytest_asyncio
from google.protobuf.json_format import MessageToDict, MessageToJson
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from api.codec_server import CodecServer
from api.staff_key import StaffKeyCheck
from contracts.history_codec import KEY_ID, HistoryCodec
from contracts.ids import workflow_id
from contracts.sealing import MasterKeys
from journey.staff_roles import MemberRole
from stores.audit import AuditStore
from stores.history_keys import HistoryKeyStore
from stores.members import Member, MemberStore
from stores.staff_sign_ins import SignInStore
from stores.staff_tokens import StaffTokenStore
from tests.integration.conftest import SECRET, Stack

STAFF = "a staff token"
HERE = "http://127.0.0.1:8081"

JOURNEY = """
enter: {{on: {entered}, again: always}}
keep: {{note: event.properties.note}}
stages:
  - stage: told
    steps:
      - send: {{message: sealed-hello, via: [email], purpose: service}}
      - wait: {{any: [{{on: {done}, do: [{{finish: done}}]}}], until: 30d, late: [{{finish: late}}]}}
"""


class Clock:
    """Wall time that a test sets."""

    now = datetime(2026, 3, 2, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


async def lived(stack: Stack) -> tuple[str, str]:
    """A run with a canary in whatever a customer can fill; its workflow id, and the canary."""
    canary, journey = f"canary{uuid4().hex[:12]}", f"sealed-x{uuid4().hex[:8]}"
    entered, done = f"Sealed {journey}", f"Done {journey}"
    await stack.write(journey, JOURNEY.format(entered=entered, done=done), "sealed-hello")
    customer = f"user-{canary}"
    await stack.know(customer, email=f"{canary}@example.com", name=f"Anna {canary}")
    await stack.tell(entered, customer=customer, note=f"the note {canary}")
    run = await stack.run_of(customer, journey)
    await stack.until(lambda: bool(stack.told(run.customer)))
    return run.workflow_id, canary


async def history(stack: Stack, run: str) -> list[dict[str, Any]]:
    handle = stack.client.get_workflow_handle(run)
    return [MessageToDict(event) async for event in handle.fetch_history_events()]


def payloads(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("metadata"), dict) and "data" in value:
            return [value]
        return [found for each in value.values() for found in payloads(each)]
    if isinstance(value, list):
        return [found for each in value for found in payloads(each)]
    return []


@pytest_asyncio.fixture
async def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def codec(stack: Stack, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    keys = HistoryKeyStore(stack.pool, MasterKeys.read(None, SECRET), time.monotonic)
    server = CodecServer(
        HistoryCodec(keys, seals=False),
        AuditStore(stack.pool),
        url=HERE,
        inbox="http://127.0.0.1:8000",
        staff=StaffKeyCheck(STAFF, StaffTokenStore(stack.pool)),
        sessions=SignInStore(stack.pool, clock),
    )
    transport = httpx.ASGITransport(app=server.app({}))
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
        yield client


async def comes_in(
    stack: Stack, clock: Clock, codec: httpx.AsyncClient, role: MemberRole = "agent"
) -> httpx.Response:
    """From here to the inbox and back, as a member who is called as their role is."""
    await MemberStore(stack.pool).put(Member(member=role, name=role.title(), role=role), by="tests")
    sent = await codec.get("/sign-in")
    passage = await SignInStore(stack.pool, clock).begin_passage(role, "password and a code")
    state = sent.headers["location"].partition("state=")[2]
    return await codec.get(f"/enter?state={state}&passage={passage}")


async def test_history_as_temporal_keeps_it_holds_nothing_of_the_customer(stack: Stack) -> None:
    run, canary = await lived(stack)

    events = await history(stack, run)

    kept = payloads([event for event in events if "searchAttributes" not in event])
    assert canary not in orjson.dumps(events).decode()
    assert sum(KEY_ID in each["metadata"] for each in kept) >= 5
    described = await stack.client.get_workflow_handle(run).describe()
    assert canary not in MessageToJson(described.raw_description)


async def test_what_runs_answer_stays_readable_for_clients_without_keys(stack: Stack) -> None:
    run, canary = await lived(stack)
    handle = stack.client.get_workflow_handle(run)

    status = await handle.query("status")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update("touchpoint_now", {"no": "event"})
    left = await handle.execute_update("leave", {"reason": "asked to"})

    assert (status["stage"], status["entry"] > 0) == ("told", True)
    assert canary not in orjson.dumps(status).decode()
    assert isinstance(refused.value.cause, ApplicationError)
    assert "event: expected its name" in refused.value.cause.message
    assert left["outcome"] == "left"
    assert (await handle.result())["outcome"] == "left"


async def test_a_plain_start_of_another_sdk_is_taken_and_what_we_add_is_sealed(
    stack: Stack,
) -> None:
    canary, journey = f"canary{uuid4().hex[:12]}", f"sealed-x{uuid4().hex[:8]}"
    entered, done = f"Sealed {journey}", f"Done {journey}"
    await stack.write(journey, JOURNEY.format(entered=entered, done=done), "sealed-hello")
    customer = await stack.know(f"user-{canary}", email=f"{canary}@example.com")
    handle = await stack.client.start_workflow(
        "customer_journey",
        {"journey": journey, "customer": customer},
        id=workflow_id(journey, customer),
        task_queue="journeys",
        start_signal="touchpoint",
        start_signal_args=[{"event": entered, "properties": {"note": "in plain sight"}}],
    )

    await stack.until(lambda: bool(stack.told(customer)))

    told = orjson.dumps(await history(stack, handle.id)).decode()
    assert canary not in told
    assert KEY_ID in told


async def test_staff_who_signed_in_read_in_the_web_ui_what_is_sealed(
    stack: Stack, clock: Clock, codec: httpx.AsyncClient
) -> None:
    run, canary = await lived(stack)
    asked = orjson.dumps({"payloads": payloads(await history(stack, run))})

    shut = await codec.post("/decode", content=asked, headers={"origin": HERE})
    too_low = await comes_in(stack, clock, codec, "analyst")
    signed = await comes_in(stack, clock, codec)
    read = await codec.post("/decode", content=asked, headers={"origin": HERE})

    assert (shut.status_code, too_low.status_code, signed.status_code) == (401, 403, 303)
    cookie = signed.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert read.status_code == 200
    assert canary in "".join(_texts(read.json()["payloads"]))
    customer = (await stack.rows("select customer from runs where workflow_id = %s", run))[0][
        "customer"
    ]
    deeds = await AuditStore(stack.pool).latest(what=f"customer {customer}")
    assert [(deed.who, deed.did) for deed in deeds] == [("agent", "opened history")]
    assert canary not in str(deeds)
    there, *_ = await SignInStore(stack.pool, clock).sessions("agent", "")
    assert (there.place, there.how) == ("histories", "password and a code")


def _texts(opened: list[dict[str, Any]]) -> list[str]:
    import base64

    return [base64.b64decode(each.get("data", "")).decode(errors="replace") for each in opened]


async def test_a_sign_in_ends_and_another_page_may_not_ask(
    stack: Stack, codec: httpx.AsyncClient, clock: Clock
) -> None:
    await comes_in(stack, clock, codec)
    empty = b'{"payloads": []}'

    foreign = await codec.post("/decode", content=empty, headers={"origin": "https://evil.example"})
    asked = await codec.request("OPTIONS", "/decode", headers={"origin": "https://evil.example"})
    nonsense = await codec.post("/decode", content=b"[}", headers={"origin": HERE})
    clock.now += timedelta(hours=9)
    late = await codec.post("/decode", content=empty, headers={"origin": HERE})

    assert (foreign.status_code, nonsense.status_code) == (403, 400)
    assert "access-control-allow-origin" not in asked.headers
    assert late.status_code == 401
    codec.cookies.clear()
    bearer = {"authorization": f"Bearer {STAFF}"}
    assert (await codec.post("/decode", content=empty, headers=bearer)).status_code == 200


async def test_who_signed_out_reads_nothing_any_more(
    stack: Stack, clock: Clock, codec: httpx.AsyncClient
) -> None:
    empty, here = b'{"payloads": []}', {"origin": HERE}
    await comes_in(stack, clock, codec)
    kept = dict(codec.cookies)
    page = await codec.get("/")
    before = await codec.post("/decode", content=empty, headers=here)

    out = await codec.post("/sign-out")
    codec.cookies.update(kept)
    after = await codec.post("/decode", content=empty, headers=here)

    assert "Sign out" in page.text
    assert (before.status_code, out.status_code, after.status_code) == (200, 303, 401)
    assert "clear-site-data" in out.headers


async def test_who_ends_all_their_sessions_at_the_inbox_is_out_here_too(
    stack: Stack, clock: Clock, codec: httpx.AsyncClient
) -> None:
    empty, here = b'{"payloads": []}', {"origin": HERE}
    await comes_in(stack, clock, codec)
    before = await codec.post("/decode", content=empty, headers=here)

    await SignInStore(stack.pool, clock).end_all("agent", by="agent")

    after = await codec.post("/decode", content=empty, headers=here)
    assert (before.status_code, after.status_code) == (200, 401)
