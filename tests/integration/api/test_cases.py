"""Staff decide over HTTP what they decide by command: the decision picks the path of the run."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2 as httpx
import pytest
import pytest_asyncio

from api.app import create_app
from api.cases import cases_router
from api.staff_key import StaffKeyCheck
from tests.integration.conftest import STAFF_TOKEN, Stack, staff_client
from workers.api import case_parts

JOURNEY = """
language: 1
journey: complaint
title: Answer a complaint
owner: service
enter: {on: Complained, again: always}
keep: {words: event.properties.words}
stages:
  - stage: open
    steps:
      - handoff:
          as: answer
          queue: service
          brief: "{{ run.words }}"
          decisions:
            refunded: {fields: {amount: number}, do: [{finish: refunded}]}
            explained: {do: [{finish: explained}]}
"""


@pytest_asyncio.fixture
async def desk(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    staff = StaffKeyCheck(STAFF_TOKEN)
    app = create_app(cases_router(case_parts(stack.pool, stack.heard.set, staff), staff))
    async with staff_client(app) as client:
        yield client


async def complaint(stack: Stack, desk: httpx.AsyncClient) -> dict[str, Any]:
    """An open case of a new customer."""
    await stack.publish_text(JOURNEY)
    words = f"My bag is gone ({uuid4().hex[:6]})"
    await stack.tell("Complained", customer=uuid4().hex, words=words)
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        listed = (await desk.get("/v1/cases", params={"queue": "service"})).json()["cases"]
        found[:] = [case for case in listed if case["brief"] == words]
        return bool(found)

    await stack.until(there)
    return found[0]


async def test_a_decision_over_http_picks_the_path(stack: Stack, desk: httpx.AsyncClient) -> None:
    case = await complaint(stack, desk)
    order = {"decision": "refunded", "by": "lea", "fields": {"amount": 50}}

    decided = await desk.post(f"/v1/cases/{case['name']}/decide", json=order)
    again = await desk.post(f"/v1/cases/{case['name']}/decide", json=order)

    assert decided.status_code == 200
    assert decided.json()["decision"] == "refunded"
    assert (await stack.outcome(case["workflow_id"]))["outcome"] == "refunded"
    assert again.status_code == 409
    assert "lea has decided" in again.json()["message"]


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ([], "expected one JSON object"),
        ({"by": "lea"}, "decision: expected text"),
        ({"decision": "explained"}, "by: expected text"),
        ({"decision": "explained", "by": "lea", "fields": []}, "fields: expected"),
        ({"decision": "ignored", "by": "lea"}, "choose among: explained, refunded"),
        ({"decision": "refunded", "by": "lea"}, "amount: is missing"),
        ({"decision": "refunded", "by": "lea", "fields": {"amount": "5"}}, "amount: expected"),
        ({"decision": "explained", "by": "l\0", "fields": {}}, "by"),
    ],
)
async def test_a_decision_that_cannot_be_taken_names_the_place(
    stack: Stack, desk: httpx.AsyncClient, order: Any, said: str
) -> None:
    case = await complaint(stack, desk)

    refused = await desk.post(f"/v1/cases/{case['name']}/decide", json=order)

    assert refused.status_code == 400
    assert said in refused.json()["message"]
    assert (await desk.get(f"/v1/cases/{case['name']}")).json()["state"] == "open"


async def test_a_case_that_is_not_there_is_said_to_be_unknown(
    desk: httpx.AsyncClient, stack: Stack
) -> None:
    for name in ("7:99999", "case/none", "9" * 60 + ":1"):
        assert (await desk.get(f"/v1/cases/{name}")).status_code == 404
    assert (await desk.get("/v1/cases", params={"state": "angry"})).status_code == 400


@pytest.mark.parametrize(
    "authorization", ["", "Bearer wrong", f"Basic {STAFF_TOKEN}", "Bearer \xff"]
)
async def test_without_the_staff_token_nobody_sees_a_case(
    desk: httpx.AsyncClient, authorization: str
) -> None:
    headers = {"Authorization": authorization.encode("latin-1")}

    refused = await desk.get("/v1/cases", headers=headers)  # pyright: ignore[reportArgumentType]

    assert refused.status_code == 401


async def test_where_there_is_no_token_nobody_is_staff(stack: Stack) -> None:
    nobody = StaffKeyCheck(None)
    app = create_app(cases_router(case_parts(stack.pool, stack.heard.set, nobody), nobody))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://staff") as client:
        refused = await client.get("/v1/cases")

    assert refused.status_code == 401
    assert "CLEW_STAFF_TOKEN" in refused.json()["message"]
