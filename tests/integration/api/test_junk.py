"""Whatever comes through the doors is taken or refused in words: never a 5xx, never a lost mind."""

import asyncio
import json
from typing import Any

import httpx2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.api.conftest import Stored

TEXT = st.text(max_size=30) | st.sampled_from(["", " ", "\0", "$identify", "é", "x" * 300])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXT
    | st.sampled_from([10**30, -(10**400), 1e308, "2026-11-22T09:00:00Z", "9999-12-31T23:59:59Z"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
KINDS = st.sampled_from(["track", "identify", "page", "screen", "group", "alias"])
FIELDS = st.sampled_from([
    "event", "userId", "anonymousId", "previousId", "groupId", "messageId", "timestamp", "sentAt",
    "originalTimestamp", "properties", "traits", "context", "name", "category", "type",
])  # fmt: skip
WELL_FORMED: dict[str, Any] = {
    "event": "Asked", "userId": "anna", "previousId": "ben", "groupId": "acme",
    "context": {"subject": {"kind": "flight", "id": "1"}}, "traits": {"email": "a@b.c"},
}  # fmt: skip


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    """A message that is nearly right: some of its fields are replaced by anything at all."""
    message = {**WELL_FORMED, "type": draw(KINDS)}
    for field in draw(st.lists(FIELDS, max_size=3)):
        message[field] = draw(VALUES)
    inside = draw(st.sampled_from(["context", "traits", "properties", "none"]))
    if inside != "none":
        message[inside] = draw(st.dictionaries(TEXT | st.just("subject"), VALUES, max_size=3))
    return message


ANYTHING = st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode())
BATCHES = st.lists(messages() | VALUES, max_size=5).map(
    lambda batch: json.dumps({"batch": batch}).encode()
)
EVENT_FIELDS = st.sampled_from(["id", "source", "type", "subject", "time", "data", "extra", "A b"])
EVENTS = st.dictionaries(EVENT_FIELDS, VALUES, max_size=4).map(
    lambda fields: {
        "specversion": "1.0",
        "id": "1",
        "source": "/x",
        "type": "T",
        "subject": "a:b",
        **fields,
    }
)

often = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Door:
    """Knocks from hypothesis' own thread, and checks that the answer is one in words."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        self._loop = asyncio.get_running_loop()

    def knock(self, path: str, content: bytes, **headers: str) -> None:
        posting = self._client.post(path, content=content, headers=headers)
        answer = asyncio.run_coroutine_threadsafe(posting, self._loop).result(60)
        assert answer.status_code in {200, 400, 413}, (answer.status_code, answer.text)
        told = answer.json()
        assert told["success"] is (answer.status_code == 200)
        assert all(one["reason"] for one in told.get("refused", []))
        assert told.get("message") or answer.status_code == 200


async def test_junk_at_the_batch_door(client: httpx2.AsyncClient) -> None:
    door = Door(client)

    @often
    @given(content=BATCHES | ANYTHING)
    def knock(content: bytes) -> None:
        door.knock("/v1/batch", content)

    await asyncio.to_thread(knock)


async def test_junk_at_the_single_doors(client: httpx2.AsyncClient) -> None:
    door = Door(client)

    @often
    @given(kind=KINDS, message=messages().map(lambda one: json.dumps(one).encode()) | ANYTHING)
    def knock(kind: str, message: bytes) -> None:
        door.knock(f"/v1/{kind}", message)

    await asyncio.to_thread(knock)


async def test_junk_at_the_cloudevents_door(client: httpx2.AsyncClient) -> None:
    door = Door(client)
    single = {"Content-Type": "application/cloudevents+json"}
    batched = {"Content-Type": "application/cloudevents-batch+json"}

    @often
    @given(event=EVENTS, junk=ANYTHING)
    def knock(event: dict[str, Any], junk: bytes) -> None:
        door.knock("/events", json.dumps(event).encode(), **single)
        door.knock("/events", json.dumps([event]).encode(), **batched)
        door.knock("/events", junk, **single)
        door.knock("/events", junk, **batched)
        headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/x", "ce-type": "T"}
        door.knock("/events", junk, **headers, **{"ce-subject": "a:b", "Content-Type": "text/json"})

    await asyncio.to_thread(knock)


async def test_what_junk_left_behind_is_whole(client: httpx2.AsyncClient, stored: Stored) -> None:
    """Each stored touchpoint has its outbox row or is one that is told to nobody."""
    door = Door(client)

    @often
    @given(content=BATCHES)
    def knock(content: bytes) -> None:
        door.knock("/v1/batch", content)

    await asyncio.to_thread(knock)
    routed = await stored.rows(
        "select count(*) as n from touchpoints where event not in ('$identify', '$alias')"
    )
    told = await stored.rows(
        "select count(*) as n from touchpoints t join outbox o using (touchpoint)"
        " where t.event not in ('$identify', '$alias')"
    )
    assert routed == told
