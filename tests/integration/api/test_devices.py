"""Apps and web pages tell which phone or browser a customer can be reached on."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest_asyncio

from api.app import create_app
from api.devices import devices_router
from api.ingest import Ingest
from api.intake import Intake
from api.key_rates import KeyRates
from api.pressure import Pressure
from api.write_key_check import WriteKeyCheck
from stores.customers import CustomerStore
from stores.database import Pool
from stores.devices import DeviceStore
from stores.write_keys import WriteKeyStore
from tests.integration.api.conftest import KEY, SilentBell

SUBSCRIPTION: dict[str, Any] = {
    "endpoint": "https://push.example/send/abc",
    "expirationTime": None,
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
}
PATH = "/v1/customers/anna/devices"
WRONG: list[tuple[Any, str]] = [
    ({}, "channel: expected push or webpush"),
    ({"channel": "fax", "token": "1"}, "channel: expected push or webpush"),
    ({"channel": "push"}, "token: expected text"),
    ({"channel": "push", "token": "x" * 2_001}, "token: expected text"),
    ({"channel": "push", "token": "x", "tokn": "y"}, "tokn: is not known here"),
    ({"channel": "push", "token": "x\0"}, "U+0000"),
    ({**SUBSCRIPTION, "endpoint": "http://push.example"}, "begins with https://"),
    ({**SUBSCRIPTION, "keys": {"auth": "x"}}, "keys: expected p256dh and auth"),
    ({**SUBSCRIPTION, "keys": 7}, "keys: expected p256dh and auth"),
    ([], "expected one JSON object"),
]


@pytest_asyncio.fixture
async def client(pool: Pool) -> AsyncIterator[httpx2.AsyncClient]:
    keys, customers = WriteKeyStore(pool), CustomerStore(pool)
    await keys.add("shop", KEY)
    app = create_app(
        devices_router(DeviceStore(pool), customers, WriteKeyCheck(keys), "the-public-key"),
        ingest=Ingest(Intake(pool, customers, SilentBell()), WriteKeyCheck(keys), Pressure()),
    )
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://clew", auth=(KEY, "")
    ) as client:
        yield client


async def devices(pool: Pool) -> list[dict[str, Any]]:
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "select d.channel, d.token, d.platform, d.keys, i.value as of from devices d"
            " join identities i on i.customer = d.customer and i.kind = 'user_id' order by token"
        )
        return await cursor.fetchall()


async def test_a_phone_is_told_of_and_forgotten_at_logging_out(
    client: httpx2.AsyncClient, pool: Pool
) -> None:
    told = {"channel": "push", "token": "t1", "platform": "ios"}

    assert (await client.put(PATH, json=told)).status_code == 200
    assert (await client.put(PATH, json=told)).status_code == 200
    assert await devices(pool) == [
        {"channel": "push", "token": "t1", "platform": "ios", "keys": {}, "of": "anna"}
    ]

    other = await client.request("DELETE", "/v1/customers/ben/devices", json=told)
    assert other.status_code == 404
    assert (await client.request("DELETE", PATH, json=told)).status_code == 200
    assert await devices(pool) == []


async def test_a_browser_hands_over_its_subscription_as_it_is(
    client: httpx2.AsyncClient, pool: Pool
) -> None:
    assert (await client.get("/v1/webpush/key")).json() == {"public_key": "the-public-key"}
    assert (await client.put(PATH, json=SUBSCRIPTION)).status_code == 200

    [device] = await devices(pool)
    assert device["channel"] == "webpush"
    assert (device["token"], device["keys"]) == (SUBSCRIPTION["endpoint"], SUBSCRIPTION["keys"])
    assert (await client.request("DELETE", PATH, json=SUBSCRIPTION)).status_code == 200
    assert await devices(pool) == []


async def test_what_is_no_device_is_refused_in_words(
    client: httpx2.AsyncClient, pool: Pool
) -> None:
    for told, words in WRONG:
        refused = await client.put(PATH, json=told)
        assert refused.status_code == 400, told
        assert words in refused.json()["message"]
    assert await devices(pool) == []


async def test_without_a_write_key_nobody_tells_of_devices(
    client: httpx2.AsyncClient, pool: Pool
) -> None:
    for auth in (("", ""), ("wrong", "")):
        told = {"channel": "push", "token": "t1"}
        assert (await client.put(PATH, json=told, auth=auth)).status_code == 401
    assert (await client.put(PATH, json=told | {"writeKey": KEY}, auth=("", ""))).status_code == 200
    assert len(await devices(pool)) == 1


# -- what mobile clients of Segment's spec send with everything


def said(token: Any, at: str, **of: Any) -> dict[str, Any]:
    message: dict[str, Any] = {
        "userId": "anna",
        "event": "Screen Viewed",
        "timestamp": at,
        "context": {"device": {"token": token, "type": "android", "id": "B5372DB0"}},
    }
    return {**message, **of}


async def test_a_phone_is_known_by_what_it_sends_and_the_newest_word_counts(
    client: httpx2.AsyncClient, pool: Pool
) -> None:
    batch = [
        {"type": "track", **said("t1", "2026-11-27T09:00:00Z")},
        {"type": "identify", **said("t2", "2026-11-27T09:00:01Z", traits={"plan": "pro"})},
        {"type": "track", **said("t2", "2026-11-27T09:00:02Z", userId="ben")},
    ]
    assert (await client.post("/v1/batch", json={"batch": batch})).status_code == 200
    late = said("t2", "2026-11-27T08:59:00Z")
    assert (await client.post("/v1/track", json=late)).status_code == 200

    assert [(row["token"], row["platform"], row["of"]) for row in await devices(pool)] == [
        ("t1", "android", "anna"),
        ("t2", "android", "ben"),
    ]


async def test_what_fcm_cannot_reach_is_no_device(client: httpx2.AsyncClient, pool: Pool) -> None:
    for token in (None, 7, "", " ", "f" * 64, "x" * 2_001):
        answer = await client.post("/v1/track", json=said(token, "2026-11-27T09:00:00Z"))
        assert answer.status_code == 200
    assert await devices(pool) == []


async def test_a_phone_that_lost_the_app_comes_back_only_with_what_is_newer(
    client: httpx2.AsyncClient, pool: Pool
) -> None:
    await client.post("/v1/track", json=said("t1", "2026-11-27T09:00:00Z"))
    async with pool.connection() as connection:
        await connection.execute("update devices set gone_at = '2026-11-27T10:00:00Z'")

    async def gone(at: str) -> bool:
        await client.post("/v1/track", json=said("t1", at))
        async with pool.connection() as connection:
            cursor = await connection.execute("select gone_at from devices")
            return (await cursor.fetchall())[0]["gone_at"] is not None

    assert await gone("2026-11-27T09:30:00Z")
    assert not await gone("2026-11-27T10:00:01Z")


async def test_a_key_that_tells_of_too_many_devices_comes_again_and_nothing_is_kept(
    pool: Pool,
) -> None:
    keys, customers, at = WriteKeyStore(pool), CustomerStore(pool), [0.0]
    await keys.add("shop", KEY)
    rates = KeyRates(1, lambda: at[0])
    router = devices_router(DeviceStore(pool), customers, WriteKeyCheck(keys), None, rates)
    transport = httpx2.ASGITransport(app=create_app(router))

    async with httpx2.AsyncClient(
        transport=transport, base_url="http://clew", auth=(KEY, "")
    ) as client:

        async def tell(n: int) -> httpx2.Response:
            return await client.put(PATH, json={"channel": "push", "token": f"t{n}"})

        told = [(await tell(n)).status_code for n in range(10)]
        refused = await tell(10)
        forgotten = await client.request("DELETE", PATH, json={"channel": "push", "token": "t0"})
        at[0] = 1.0
        again = await tell(11)

    assert set(told) == {200}
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert forgotten.status_code == 429
    assert again.status_code == 200
    assert [each["token"] for each in await devices(pool)] == [
        *sorted(f"t{n}" for n in (*range(10), 11))
    ]
