"""The Segment doors: what is stored, what is refused, and in which words."""

import asyncio
import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from api.pressure import Pressure
from stores.database import Pool
from tests.integration.api.conftest import KEY, SilentBell, Stored


def track(event: str = "Cart Viewed", user: str = "anna", **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": event, "userId": user, **more}


async def batch(client: httpx2.AsyncClient, *messages: Any, **around: Any) -> httpx2.Response:
    return await client.post("/v1/batch", json={"batch": list(messages), **around})


async def test_a_batch_is_stored_in_its_order_and_rings_once(
    client: httpx2.AsyncClient, stored: Stored, bell: SilentBell
) -> None:
    answer = await batch(client, track("A"), track("B", properties={"value": 3}), track("C"))

    assert answer.status_code == 200
    assert answer.json() == {"success": True}
    assert await stored.events() == ["A", "B", "C"]
    assert await stored.pending() == 3
    assert bell.rung == 1
    customers = {row["customer"] for row in await stored.touchpoints()}
    assert len(customers) == 1
    assert customers.pop().startswith("c_")


async def test_a_message_sent_twice_counts_once(client: httpx2.AsyncClient, stored: Stored) -> None:
    one, other = track(messageId="m-1"), track(messageId="m-2")
    await batch(client, one, one, other)
    await batch(client, other, one)

    assert [row["message_id"] for row in await stored.touchpoints()] == ["m-1", "m-2"]
    assert await stored.pending() == 2


async def test_the_same_batch_sent_many_times_at_once_counts_once(
    client: httpx2.AsyncClient, stored: Stored
) -> None:
    messages = [track(user=f"u{number}", messageId=f"m{number}") for number in range(40)]
    answers = await asyncio.gather(
        *(batch(client, *messages) for _ in range(4)),
        *(batch(client, *reversed(messages)) for _ in range(4)),
    )

    assert {answer.status_code for answer in answers} == {200}
    assert len(await stored.touchpoints()) == 40
    assert len(await stored.rows("select 1 from customers")) == 40


async def test_a_message_without_an_id_is_known_by_what_it_says_and_when(
    client: httpx2.AsyncClient, stored: Stored
) -> None:
    said = track(timestamp="2026-11-22T09:00:00Z")
    await batch(client, said, said, track(), track())

    assert len(await stored.touchpoints()) == 3


async def test_good_messages_are_kept_and_bad_ones_named(
    client: httpx2.AsyncClient, stored: Stored
) -> None:
    answer = await batch(
        client,
        track("Kept"),
        track(event=7),  # type: ignore[arg-type]
        {"type": "track", "event": "Whose?"},
        "nonsense",
        track("Case Decided"),
        track(properties=[]),
        {"type": "dance", "userId": "anna"},
    )

    assert answer.status_code == 200
    assert answer.json()["success"] is True
    assert [(one["index"], one["reason"]) for one in answer.json()["refused"]] == [
        (1, "batch[1].event: expected its name, text of 1 to 200 characters"),
        (2, "batch[2]: expected a userId or an anonymousId (or a context.subject)"),
        (3, "batch[3]: expected a JSON object"),
        (4, "batch[4].event: 'Case Decided' is a name of our own; choose another"),
        (5, "batch[5].properties: expected a JSON object"),
        (6, "batch[6].type: expected one of track, identify, page, screen, group, alias"),
    ]
    assert await stored.events() == ["Kept"]
    assert len(await stored.refused()) == 6


@pytest.mark.parametrize(
    ("property_json", "words"),
    [
        ("NaN", "nan is not a number"),
        ("1e999", "inf is not a number"),
        ('"a\\u0000b"', "U+0000"),
        ('"\\ud800"', "surrogate"),
        ("9" * 400, "too large"),
        ("[" * 40 + "]" * 40, "deeper than 32"),
    ],
)
async def test_values_that_cannot_be_kept_refuse_their_message_only(
    client: httpx2.AsyncClient, stored: Stored, property_json: str, words: str
) -> None:
    bad = '{"type":"track","event":"Bad","userId":"anna","properties":{"x":' + property_json + "}}"
    body = '{"batch":[' + bad + "," + json.dumps(track("Good")) + "]}"

    answer = await client.post("/v1/batch", content=body)

    assert answer.status_code == 200, answer.text
    [refused] = answer.json()["refused"]
    assert refused["reason"].startswith("batch[0].properties.x")
    assert words in refused["reason"]
    assert await stored.events() == ["Good"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "expected a JSON object, got a list"),
        ("{}", "batch: expected a list of messages, got null"),
        ('{"batch": {}}', "batch: expected a list of messages, got an object"),
        ("[" * 100_000, "not JSON"),
        ('{"batch": [], "context": {"a": NaN}}', "envelope.context.a"),
    ],
)
async def test_a_broken_envelope_refuses_the_whole_batch(
    client: httpx2.AsyncClient, stored: Stored, content: str, words: str
) -> None:
    answer = await client.post("/v1/batch", content=content)

    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert await stored.touchpoints() == []


async def test_the_write_key_may_stand_in_the_header_or_in_the_body(
    app: FastAPI, stored: Stored
) -> None:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://clew") as client:
        without = await client.post("/v1/track", json=track())
        unknown = await client.post("/v1/track", json=track(), auth=("wrong", ""))
        garbage = await client.post("/v1/track", json=track(), headers={"Authorization": "Basic ?"})
        bearer = await client.post(
            "/v1/track", json=track(), headers={"Authorization": f"Bearer {KEY}"}
        )
        inside = await client.post("/v1/track", json={**track(), "writeKey": KEY})

    refused = [without.status_code, unknown.status_code, garbage.status_code]
    assert refused == [401, 401, 401]
    assert without.json()["code"] == "invalid_write_key"
    assert [bearer.status_code, inside.status_code] == [200, 200]
    assert len(await stored.touchpoints()) == 2


async def test_gzip_is_unpacked_and_a_gzip_bomb_is_not(
    client: httpx2.AsyncClient, stored: Stored
) -> None:
    packed = {"Content-Encoding": "gzip"}
    fine = gzip.compress(json.dumps({"batch": [track()]}).encode())
    bomb = gzip.compress(b" " * 200_000_000)

    assert (await client.post("/v1/batch", content=fine, headers=packed)).status_code == 200
    assert (await client.post("/v1/batch", content=bomb, headers=packed)).status_code == 413
    assert (await client.post("/v1/batch", content=fine[:-9], headers=packed)).status_code == 400
    assert (await client.post("/v1/batch", content=b"{}", headers=packed)).status_code == 400
    other = {"Content-Encoding": "br"}
    assert (await client.post("/v1/batch", content=fine, headers=other)).status_code == 415
    assert len(await stored.touchpoints()) == 1


async def test_sizes_are_segments(client: httpx2.AsyncClient, stored: Stored) -> None:
    large = track("Large", properties={"x": "x" * 33_000})
    many = [track(properties={"x": "x" * 30_000}, messageId=f"m{n}") for n in range(18)]

    answer = await batch(client, track("Small"), large)
    assert answer.json()["refused"][0]["reason"] == "batch[1]: over 32 KB; send less in it"
    assert (await batch(client, *many)).status_code == 413
    assert (await client.post("/v1/track", json=large)).status_code in (400, 413)
    assert await stored.events() == ["Small"]


async def test_the_senders_clock_is_corrected(client: httpx2.AsyncClient, stored: Stored) -> None:
    """A phone whose clock is a year behind sends what happened a minute before it sent it."""
    wrong = datetime.now(UTC) - timedelta(days=365)
    happened = track(timestamp=(wrong - timedelta(minutes=1)).isoformat())
    imported = track("Long Ago", timestamp="2013-02-08T12:00:00Z")

    await batch(client, happened, sentAt=wrong.isoformat())
    await batch(client, imported)

    first, second = await stored.touchpoints()
    assert abs(datetime.now(UTC) - timedelta(minutes=1) - first["occurred_at"]) < timedelta(
        seconds=30
    )
    assert second["occurred_at"] == datetime(2013, 2, 8, 12, tzinfo=UTC)


@pytest.mark.parametrize("timestamp", ["yesterday", "2026-11-22T09:00:00", "0001-01-01T00:00Z", ""])
async def test_a_time_that_is_none_is_refused_or_left_out(
    client: httpx2.AsyncClient, timestamp: str
) -> None:
    answer = await batch(client, track(timestamp=timestamp), sentAt="2026-11-22T09:00:00Z")

    assert answer.status_code == 200
    if timestamp:
        assert "batch[0].timestamp" in answer.json()["refused"][0]["reason"]


async def test_identify_tells_which_traits_changed(
    client: httpx2.AsyncClient, stored: Stored
) -> None:
    traits = {"plan": "free", "email": "Anna@Example.com"}
    identify = {"type": "identify", "userId": "anna", "traits": traits}
    await batch(
        client, identify, {**identify, "traits": {"plan": "pro"}}, identify | {"traits": {}}
    )

    changes = [row["properties"] for row in await stored.touchpoints()]
    assert changes == [traits, {"plan": "pro"}, {}]
    assert await stored.events() == ["$identify"] * 3
    assert await stored.pending() == 2, "what changed nothing is told to nobody"
    [customer] = await stored.rows("select * from customers")
    assert customer["traits"]["plan"] == "pro"
    names = await stored.rows("select kind, value from identities order by kind")
    assert [(row["kind"], row["value"]) for row in names] == [
        ("email", "anna@example.com"),
        ("user_id", "anna"),
    ]


async def test_a_repeated_identify_brings_no_old_trait_back(
    client: httpx2.AsyncClient, stored: Stored
) -> None:
    first = {"type": "identify", "userId": "anna", "messageId": "i1", "traits": {"plan": "free"}}
    await batch(client, first)
    await batch(client, {**first, "messageId": "i2", "traits": {"plan": "pro"}})
    await batch(client, first)

    [customer] = await stored.rows("select * from customers")
    assert customer["traits"]["plan"] == "pro"


async def test_the_zone_of_the_browser_becomes_the_customers(
    client: httpx2.AsyncClient, stored: Stored
) -> None:
    context = {"timezone": "Europe/Prague"}
    identify = {"type": "identify", "userId": "anna", "traits": {}, "context": context}
    answer = await batch(
        client, identify, {**identify, "userId": "ben", "context": {"timezone": "Mars/Dome"}}
    )

    assert answer.json() == {"success": True}
    rows = await stored.rows("select zone from customers order by zone nulls last")
    assert [row["zone"] for row in rows] == ["Europe/Prague", None]
    refused = await batch(client, {**identify, "traits": {"zone": "Mars/Dome"}})
    assert "traits.zone" in refused.json()["refused"][0]["reason"]


async def test_whoever_was_anonymous_is_the_same_customer_once_named(
    client: httpx2.AsyncClient, stored: Stored
) -> None:
    await batch(client, {"type": "track", "event": "Looked", "anonymousId": "cookie"})
    await batch(client, {"type": "identify", "anonymousId": "cookie", "userId": "anna"})
    await batch(client, track("Bought"))

    assert len({row["customer"] for row in await stored.touchpoints()}) == 1


async def test_an_alias_says_who_else_somebody_is_also_of_two_who_are_known(
    client: httpx2.AsyncClient, stored: Stored
) -> None:
    alias = {"type": "alias", "userId": "anna", "previousId": "cookie"}
    await batch(client, alias)
    await batch(client, {"type": "track", "event": "Looked", "anonymousId": "cookie"})
    await batch(client, {**alias, "userId": "ben"})

    by_event = {row["event"]: row for row in await stored.touchpoints()}
    assert by_event["Looked"]["customer"] == by_event["$alias"]["customer"]
    assert len(await stored.rows("select 1 from customers where merged_into is null")) == 1


async def test_page_screen_and_group_are_touchpoints(
    client: httpx2.AsyncClient, stored: Stored
) -> None:
    for kind, more in {
        "page": {"name": "Pricing", "properties": {"path": "/pricing"}},
        "screen": {"name": "Home"},
        "group": {"groupId": "acme", "traits": {"seats": 5}},
    }.items():
        answer = await client.post(f"/v1/{kind}", json={"userId": "anna", **more})
        assert answer.status_code == 200, answer.text

    told = [(row["event"], row["properties"]) for row in await stored.touchpoints()]
    assert told == [
        ("Page Viewed", {"name": "Pricing", "path": "/pricing"}),
        ("Screen Viewed", {"name": "Home"}),
        ("$group", {"seats": 5, "groupId": "acme"}),
        ("$identify", {"group": {"id": "acme", "seats": 5}, "groups": ["acme"]}),
    ]


async def test_a_touchpoint_about_a_subject_is_nobodys_own(
    client: httpx2.AsyncClient, stored: Stored
) -> None:
    about = {"subject": {"kind": "flight", "id": "UA 1/545"}}
    await batch(client, {"type": "track", "event": "Flight Delayed", "context": about})
    await batch(client, track("Checked In", context=about))

    delayed, checked_in = await stored.touchpoints()
    assert (delayed["customer"], delayed["subject_kind"], delayed["subject_id"]) == (
        None,
        "flight",
        "UA 1/545",
    )
    assert checked_in["customer"] is not None
    units = await stored.rows("select unit from outbox order by outbox")
    assert [row["unit"] for row in units] == [
        "s/flight/UA%201%2F545",
        f"c/{checked_in['customer']}",
    ]


async def test_under_pressure_a_client_is_asked_to_come_again(
    client: httpx2.AsyncClient, pressure: Pressure, stored: Stored
) -> None:
    pressure.under_way = 64
    answer = await batch(client, track())

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "1"
    pressure.under_way = 0
    assert (await batch(client, track())).status_code == 200
    assert pressure.under_way == 0


async def test_without_a_database_nothing_is_promised(
    client: httpx2.AsyncClient, pool: Pool
) -> None:
    await batch(client, track())
    await pool.close()

    answer = await batch(client, track())

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"


async def test_an_empty_batch_is_fine(client: httpx2.AsyncClient) -> None:
    assert (await batch(client)).status_code == 200


async def test_new_names_in_many_batches_at_once_make_each_customer_once(
    client: httpx2.AsyncClient, stored: Stored
) -> None:
    """Batches make their new customers together, single calls one by one: they must agree."""
    people = [f"u{number}" for number in range(30)]

    def named(person: str) -> dict[str, Any]:
        return track(user=person, anonymousId=f"cookie of {person}")

    await asyncio.gather(
        *(batch(client, *map(named, people[start:])) for start in range(0, 30, 5)),
        *(batch(client, *(track(user=person) for person in people[::2])) for _ in range(3)),
        *(client.post("/v1/track", json=named(person)) for person in people),
    )

    assert len(await stored.rows("select 1 from customers")) == 30
    assert len({row["customer"] for row in await stored.touchpoints()}) == 30
