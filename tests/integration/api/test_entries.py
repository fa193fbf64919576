"""Programs that hold the staff token let customers enter, and ask what a coupon is worth."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx2 as httpx
import pytest
import pytest_asyncio

from api.app import create_app
from api.entries import LONGEST_ID, entries_router
from api.staff_key import StaffKeyCheck
from contracts.clock import RunClock
from contracts.journey_run import RunReference
from journey.effects import GrantOffer, OfferEnd, SettleOffer
from stores.coupons import CouponStore
from stores.customers import CustomerStore
from stores.definitions import DefinitionStore
from stores.published import PublishedStore
from stores.requested_entries import RequestedEntryStore
from stores.write_keys import WriteKeyStore
from tests.integration.conftest import STAFF_TOKEN, Stack, staff_client

WRITE_KEY = "wk-of-the-web-page"
JOURNEY = """
language: 1
journey: upgrade
title: Offer an upgrade
owner: service
enter: {by: request, again: always}
keep: {plan: event.properties.plan}
stages:
  - stage: only
    steps:
      - choose: [{when: 'run.plan == "gold"', do: [{finish: golden}]}]
      - finish: plain
"""
UPGRADE = "/v1/journeys/upgrade/enter"


@pytest_asyncio.fixture(scope="module")
async def app(stack: Stack) -> Any:
    await stack.publish_text(JOURNEY)
    entries = RequestedEntryStore(stack.pool, stack.heard.set)
    customers, live = CustomerStore(stack.pool), DefinitionStore(stack.pool)
    coupons = CouponStore(stack.pool)
    return create_app(entries_router(entries, customers, live, coupons, StaffKeyCheck(STAFF_TOKEN)))


@pytest_asyncio.fixture
async def program(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A program of the staff's, which has their token."""
    async with staff_client(app) as client:
        yield client


async def requested(stack: Stack, customer: str) -> int:
    """How often it was asked that a customer enter."""
    found = await CustomerStore(stack.pool).find(customer)
    if found is None:
        return 0
    async with stack.pool.connection() as connection:
        cursor = await connection.execute(
            "select count(*) as n from touchpoints where customer = %s and event = '$enter'",
            [found.customer],
        )
        row = await cursor.fetchone()
    assert row is not None
    return row["n"]


# -- entering


async def test_a_customer_enters_once_for_each_message_id(
    stack: Stack, program: httpx.AsyncClient
) -> None:
    anna, first, second = (uuid4().hex for _ in range(3))
    order = {"customer": anna, "properties": {"plan": "gold"}, "message_id": first}

    asked = await asyncio.gather(*(program.post(UPGRADE, json=order) for _ in range(3)))
    run = await stack.run_of(anna)
    assert (await stack.outcome(run.workflow_id))["outcome"] == "golden"
    again = await program.post(UPGRADE, json=order)
    another = await program.post(UPGRADE, json={"customer": anna, "message_id": second})

    async def twice() -> bool:
        runs = await stack.runs("upgrade", customer=run.customer)
        return sorted(str(each.outcome) for each in runs) == ["golden", "plain"]

    await stack.until(twice)
    assert {answer.status_code for answer in (*asked, again, another)} == {202}
    ids = {answer.json()["message_id"] for answer in (*asked, again)}
    assert ids == {f"request/{first}"}
    assert another.json() == {
        "success": True,
        "customer": run.customer,
        "message_id": f"request/{second}",
    }
    assert await requested(stack, anna) == 2


async def test_whoever_names_no_message_id_asks_anew_each_time(
    stack: Stack, program: httpx.AsyncClient
) -> None:
    ben = uuid4().hex

    asked = [await program.post(UPGRADE, json={"customer": ben}) for _ in range(2)]

    assert len({answer.json()["message_id"] for answer in asked}) == 2
    assert await requested(stack, ben) == 2


async def test_a_customer_is_known_by_any_name_of_theirs(
    stack: Stack, program: httpx.AsyncClient
) -> None:
    name = uuid4().hex
    ours = await stack.know(name)

    asked = [
        await program.post(UPGRADE, json={"customer": each}) for each in (name, ours, f" {name} ")
    ]

    assert {answer.json()["customer"] for answer in asked} == {ours}


@pytest.mark.parametrize("journey", ["upgrades", "UPGRADE", "up%20grade"])
async def test_a_journey_that_is_not_live_is_told_with_those_that_are(
    stack: Stack, program: httpx.AsyncClient, journey: str
) -> None:
    customer = uuid4().hex

    refused = await program.post(f"/v1/journeys/{journey}/enter", json={"customer": customer})

    assert refused.status_code == 404
    assert refused.json()["code"] == "unknown_journey"
    message = refused.json()["message"]
    assert "is not live; live are: " in message
    assert "upgrade" in message.partition("live are: ")[2].split(", ")
    assert await CustomerStore(stack.pool).find(customer) is None


async def test_nothing_is_called_by_a_name_with_a_nul(
    stack: Stack, program: httpx.AsyncClient
) -> None:
    customer = uuid4().hex

    refused = await program.post("/v1/journeys/%00/enter", json={"customer": customer})

    assert refused.status_code == 400
    assert await CustomerStore(stack.pool).find(customer) is None


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ([], "expected one JSON object"),
        ("anna", "expected one JSON object"),
        ({}, "customer: expected who is to enter"),
        ({"customer": None}, "customer: "),
        ({"customer": 7}, "customer: "),
        ({"customer": "  "}, "customer: "),
        ({"customer": "x" * 201}, "customer: "),
        ({"customer": "a\0b"}, "body.customer: holds the character U+0000"),
        ({"customer": "anna", "properties": []}, "properties: expected an object"),
        ({"customer": "anna", "properties": 0}, "properties: expected an object"),
        ({"customer": "anna", "properties": "gold"}, "properties: expected an object"),
        ({"customer": "anna", "properties": {"plan": "\0"}}, "body.properties.plan: "),
        ({"customer": "anna", "properties": {"asked_by": "me"}}, "properties.asked_by: "),
        ({"customer": "anna", "properties": {"journey": "other"}}, "properties.journey: "),
        ({"customer": "anna", "message_id": 0}, "message_id: "),
        ({"customer": "anna", "message_id": ""}, "message_id: "),
        ({"customer": "anna", "message_id": "x" * (LONGEST_ID + 1)}, "message_id: "),
        ({"customer": "anna", "message_id": "m\0"}, "body.message_id: "),
        ({"customer": "anna", "propertes": {"plan": "gold"}}, "propertes: is not known here"),
    ],
)
async def test_what_cannot_be_taken_is_refused_with_its_place(
    stack: Stack, program: httpx.AsyncClient, order: Any, said: str
) -> None:
    before = await requested(stack, "anna")

    refused = await program.post(UPGRADE, json=order)

    assert refused.status_code == 400
    assert refused.json()["success"] is False
    assert said in refused.json()["message"]
    assert await requested(stack, "anna") == before


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (b"", 400, "not JSON"),
        (b"customer=anna", 400, "not JSON"),
        (b'{"customer": "anna"', 400, "not JSON"),
        (b'{"customer": "anna", "properties": {"a": NaN}}', 400, "body.properties.a: nan"),
        (b'{"customer": "\\ud800"}', 400, "body.customer: "),
        (b'{"customer": "anna", "properties": {"a": ' + b"[" * 40 + b"]" * 40 + b"}}", 400, "deeper"),
        (b'{"customer": "anna", "properties": {"a": "' + b"x" * 40_000 + b'"}}', 413, "over 32 KB"),
    ],
    ids=["nothing", "form", "half", "NaN", "half a character", "deep", "large"],
)  # fmt: skip
async def test_what_is_no_json_is_refused_in_words(
    program: httpx.AsyncClient, content: bytes, status: int, said: str
) -> None:
    refused = await program.post(UPGRADE, content=content)

    assert refused.status_code == status
    assert said in refused.json()["message"]


DOORS = (("POST", UPGRADE), ("POST", "/v1/journeys/none/enter"), ("GET", "/v1/offers"))


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer wrong",
        f"Bearer {WRITE_KEY}",
        f"Basic {STAFF_TOKEN}",
        f"Bearer {STAFF_TOKEN}x",
    ],
)
async def test_without_the_staff_token_nobody_learns_anything(
    stack: Stack, program: httpx.AsyncClient, authorization: str
) -> None:
    for method, door in DOORS:
        refused = await program.request(
            method, door, json={"customer": "carl"}, headers={"Authorization": authorization}
        )

        assert refused.status_code == 401
        assert "staff token" in refused.json()["message"]
        assert "upgrade" not in refused.text
    assert await requested(stack, "carl") == 0


async def test_a_write_key_is_no_staff_token(stack: Stack, program: httpx.AsyncClient) -> None:
    """Write keys travel in web pages, where every visitor reads them."""
    await WriteKeyStore(stack.pool).add(f"page-{uuid4().hex}", WRITE_KEY)

    for method, door in DOORS:
        refused = await program.request(
            method, door, json={"customer": "dora"}, auth=(WRITE_KEY, "")
        )
        assert refused.status_code == 401
    assert await requested(stack, "dora") == 0


async def test_without_a_token_of_ours_the_doors_are_closed(stack: Stack) -> None:
    router = entries_router(
        RequestedEntryStore(stack.pool),
        CustomerStore(stack.pool),
        DefinitionStore(stack.pool),
        CouponStore(stack.pool),
        StaffKeyCheck(None),
    )
    transport = httpx.ASGITransport(app=create_app(router))
    async with httpx.AsyncClient(transport=transport, base_url="http://staff") as anybody:
        for method, door in DOORS:
            refused = await anybody.request(method, door, headers={"Authorization": "Bearer "})
            assert refused.status_code == 401
            assert "CLEW_STAFF_TOKEN" in refused.json()["message"]


# -- coupons

TOMORROW = datetime.now(UTC) + timedelta(days=1)
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


async def given(
    stack: Stack,
    *,
    expires: datetime | None = None,
    end: OfferEnd | None = None,
    clock: RunClock | None = None,
) -> str:
    """The code of a coupon that a customer of this test's own was given."""
    words: dict[str, Any] = {"offer": "ten", "prefix": "TEN-", "title": "Ten off", "owner": "shop"}
    await PublishedStore(stack.pool).publish("offer", "ten", {"kind": "generated", **words})
    customer = await stack.know(uuid4().hex)
    run = RunReference(
        entry=1, journey="shop", customer=customer, now=datetime.now(UTC), clock=clock
    )
    coupons, key = CouponStore(stack.pool), f"journey/shop/{customer}:1:1"
    granted = await coupons.grant(
        key, run, GrantOffer(n=1, offer="ten", amount=10, expires=expires)
    )
    if end is not None:
        await coupons.settle(key, run, SettleOffer(n=2, grant=1, state=end, reason="of the test"))
    assert granted.code is not None
    return granted.code


@pytest.mark.parametrize(
    ("expires", "end", "state"),
    [
        (TOMORROW, None, "open"),
        (None, None, "open"),
        (YESTERDAY, None, "expired"),
        (TOMORROW, "redeemed", "redeemed"),
        (YESTERDAY, "redeemed", "redeemed"),
        (TOMORROW, "voided", "voided"),
        (TOMORROW, "expired", "expired"),
    ],
)
async def test_a_till_is_told_what_a_coupon_is_worth(
    stack: Stack,
    program: httpx.AsyncClient,
    expires: datetime | None,
    end: OfferEnd | None,
    state: str,
) -> None:
    code = await given(stack, expires=expires, end=end)

    told = await program.get("/v1/offers", headers={"X-Offer-Code": code})

    worth = told.json()
    until = worth.pop("expires_at")
    assert told.status_code == 200
    assert worth == {
        "code": code,
        "offer": "ten",
        "state": state,
        "valid": state == "open",
        "amount": 10,
    }
    assert (datetime.fromisoformat(until) if until else None) == expires


async def test_a_coupon_of_a_rehearsal_expires_by_the_clock_of_its_run(
    stack: Stack, program: httpx.AsyncClient
) -> None:
    """A month of the run passes while a day passes at the till."""
    began = datetime(2013, 2, 8, tzinfo=UTC)
    clock = RunClock(wall_epoch=YESTERDAY, run_epoch=began, factor=30)
    over = await given(stack, expires=began + timedelta(days=14), clock=clock)
    open_ = await given(stack, expires=began + timedelta(days=60), clock=clock)

    states = list[str]()
    for code in (over, open_):
        told = await program.get("/v1/offers", headers={"X-Offer-Code": code})
        states.append(told.json()["state"])

    assert states == ["expired", "open"]


@pytest.mark.parametrize("code", ["TEN-NONE", "%00", "a%2Fb", "../ten", "%FF", "x" * 5_000, "'--"])
async def test_a_code_that_nobody_was_given_is_unknown(
    stack: Stack, program: httpx.AsyncClient, code: str
) -> None:
    refused = await program.get("/v1/offers", headers={"X-Offer-Code": code})
    without = await program.get("/v1/offers")

    assert refused.status_code == 404
    assert without.status_code == 400
    assert "X-Offer-Code" in without.json()["message"]


@pytest.mark.parametrize("written", ["SPRING/10", "50%", "a?b#c", "ŽLUTÝ-KŮŇ"])
async def test_a_code_from_a_pool_is_found_however_its_maker_wrote_it(
    stack: Stack, program: httpx.AsyncClient, written: str
) -> None:
    offer = f"pool-{uuid4().hex}"
    words: dict[str, Any] = {"offer": offer, "kind": "pool", "title": "Spring", "owner": "shop"}
    await PublishedStore(stack.pool).publish("offer", offer, words)
    coupons, code = CouponStore(stack.pool), f"{written}-{uuid4().hex}"
    await coupons.load(offer, [code])
    customer = await stack.know(uuid4().hex)
    run = RunReference(entry=1, journey="shop", customer=customer, now=datetime.now(UTC))
    await coupons.grant(f"journey/shop/{customer}:1:1", run, GrantOffer(n=1, offer=offer))

    told = await program.get("/v1/offers", headers={"X-Offer-Code": quote(code)})

    assert told.json()["code"] == code
    assert told.json()["valid"] is True
