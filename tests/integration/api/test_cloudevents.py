"""CloudEvents at `/events`, as the spec's own library writes them and as nobody should."""

from datetime import UTC, datetime
from typing import Any

import httpx2
import orjson
import pytest
from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from fastapi import FastAPI

from tests.integration.api.conftest import Stored

BATCHED = {"Content-Type": "application/cloudevents-batch+json"}


def event(**more: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "1",
        "source": "/airline",
        "type": "Flight Delayed",
        "subject": "flight:UA1545",
        "data": {"minutes": 40},
        **more,
    }


def written(**more: Any) -> CloudEvent:
    attributes = event(time=datetime(2013, 2, 8, 12, tzinfo=UTC), **more)
    data = attributes.pop("data")
    return CloudEvent({"datacontenttype": "application/json", **attributes}, data)


async def send(client: httpx2.AsyncClient, message: HTTPMessage) -> httpx2.Response:
    return await client.post("/events", content=message.body, headers=message.headers)


async def test_all_three_modes_say_the_same(client: httpx2.AsyncClient, stored: Stored) -> None:
    answers = [
        await send(client, to_structured_event(written(id="s"))),
        await send(client, to_binary_event(written(id="b"))),
        await client.post(
            "/events",
            content=orjson.dumps([event(id="l", time="2013-02-08T12:00:00Z")]),
            headers=BATCHED,
        ),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200], answers[1].text
    rows = await stored.touchpoints()
    assert [row["message_id"] for row in rows] == ["/airline s", "/airline b", "/airline l"]
    for row in rows:
        assert row["event"] == "Flight Delayed"
        assert (row["subject_kind"], row["subject_id"]) == ("flight", "UA1545")
        assert row["customer"] is None
        assert row["properties"] == {"minutes": 40}
        assert row["occurred_at"] == datetime(2013, 2, 8, 12, tzinfo=UTC)


async def test_an_event_counts_once_whichever_way_it_comes(
    client: httpx2.AsyncClient, stored: Stored
) -> None:
    await send(client, to_structured_event(written()))
    await send(client, to_binary_event(written()))

    assert len(await stored.touchpoints()) == 1


async def test_an_event_about_a_customer_is_theirs(
    client: httpx2.AsyncClient, stored: Stored
) -> None:
    await send(client, to_structured_event(written(subject="customer:anna")))
    await client.post("/v1/track", json={"userId": "anna", "event": "Asked"})

    assert len({row["customer"] for row in await stored.touchpoints()}) == 1


async def test_good_events_of_a_batch_are_kept_and_bad_ones_named(
    client: httpx2.AsyncClient, stored: Stored
) -> None:
    events = [event(), event(subject="anna"), {"id": "2"}, event(id="3", data=[1]), "x"]
    answer = await client.post("/events", content=orjson.dumps(events), headers=BATCHED)

    assert answer.status_code == 200
    reasons = [one["reason"] for one in answer.json()["refused"]]
    assert reasons[0] == "events[1].subject: expected customer:<id>, or <kind>:<id> of a subject"
    assert reasons[1] == "events[2].specversion: is missing"
    assert reasons[2] == "events[3].data: expected a JSON object, got a list"
    assert reasons[3] == "events[4]: expected a JSON object, got text"
    assert len(await stored.touchpoints()) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"type": "$identify"},
        {"type": ""},
        {"specversion": "0.3"},
        {"time": "noon"},
        {"time": 7},
        {"id": None},
        {"subject": None},
        {"data_base64": "AAAA"},
        {"Bad Name": "x"},
        {
            "data": {
                "deep": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
            }
        },
    ],
)
async def test_an_event_that_cannot_be_taken_is_refused_in_words(
    client: httpx2.AsyncClient, stored: Stored, more: dict[str, Any]
) -> None:
    content = orjson.dumps(event(**more))
    headers = {"Content-Type": "application/cloudevents+json"}

    answer = await client.post("/events", content=content, headers=headers)

    assert answer.status_code == 400
    assert answer.json()["message"]
    assert await stored.touchpoints() == []


async def test_what_is_no_cloudevent_at_all_is_told_what_to_send(
    client: httpx2.AsyncClient, app: FastAPI
) -> None:
    answer = await client.post("/events", json={"hello": "world"})
    assert answer.status_code == 400
    assert "application/cloudevents+json" in answer.json()["message"]

    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://clew") as nobody:
        assert (await nobody.post("/events", json={})).status_code == 401
