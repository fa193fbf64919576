"""A customer's inbox in the business's own app: theirs alone, live, and what they do in it is known."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import orjson
import pytest
import pytest_asyncio
from fastapi import FastAPI

from activities.message_channel import RenderedMessage
from api.app import create_app
from api.inbox import inbox_router
from api.staff_key import StaffKeyCheck
from channels.inbox import InboxChannel
from channels.inbox_token import InboxTokens
from channels.unsubscribe_link import UnsubscribeLinks
from stores.customers import CustomerStore
from stores.database import Pool
from stores.inbox_ear import InboxEar
from stores.inbox_messages import InboxStore
from tests.integration.api.conftest import serving

SECRET = b"s" * 32
TOKENS = InboxTokens("https://journeys.example", SECRET)
STAFF = {"Authorization": "Bearer of-staff"}
AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@dataclass
class Home:
    """An installation with an inbox; `now` is its clock, `rung` how often routers were woken."""

    pool: Pool
    app: FastAPI
    channel: InboxChannel
    client: httpx2.AsyncClient
    clock: list[datetime]
    rung: list[str] = field(default_factory=list)
    anna: str = ""
    ben: str = ""

    def token(self, customer: str | None = None) -> str:
        return TOKENS.make(customer or self.anna, self.clock[-1]).token

    async def send(self, n: int = 1, subject: str = "Gate B4", **of: Any) -> str:
        """A message arrives; its id in the inbox."""
        asked: dict[str, Any] = {
            "key": f"journey/flight/{self.anna}:7:{n}",
            "customer": self.anna,
            "address": self.anna,
            "purpose": "service",
            "subject": subject,
            "text": "Your gate is B4.",
            "at": AT,
            **of,
        }
        return (await self.channel.send(RenderedMessage(**asked))).provider_id

    async def shown(self, **query: Any) -> list[str]:
        answer = await self.asks("/inbox", **query)
        return [each["subject"] for each in answer.json()["messages"]]

    async def asks(self, path: str, token: str | None = None, **query: Any) -> httpx2.Response:
        return await self.client.get(path, params=query, headers=bearer(token or self.token()))

    async def does(self, message: str, act: str, token: str | None = None) -> httpx2.Response:
        told = bearer(token or self.token())
        return await self.client.post(f"/inbox/{message}/{act}", headers=told)

    async def rows(self, statement: Any) -> list[dict[str, Any]]:
        async with self.pool.connection() as connection:
            return await (await connection.execute(statement)).fetchall()


@pytest_asyncio.fixture
async def home(pool: Pool, database: str) -> AsyncIterator[Home]:
    clock, rung = [AT], list[str]()
    customers = CustomerStore(pool)
    store = InboxStore(pool, lambda: clock[-1], lambda: rung.append("inbox"))
    async with InboxEar(database) as ear:
        await ear.listening.wait()
        app = create_app(
            inbox_router(
                store,
                ear,
                TOKENS,
                customers,
                StaffKeyCheck("of-staff"),
                wall_clock=lambda: clock[-1],
            )
        )
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://clew") as client:
            channel = InboxChannel(store, UnsubscribeLinks("https://journeys.example", SECRET))
            home = Home(pool, app, channel, client, clock, rung)
            home.anna, home.ben = await customers.known("anna"), await customers.known("ben")
            yield home


# -- whose it is


async def test_a_business_gets_a_token_for_one_customer_with_the_staff_token(home: Home) -> None:
    await home.send()
    path = "/v1/customers/anna/inbox-token"

    assert (await home.client.post(path)).status_code == 401
    made = (await home.client.post(path, headers=STAFF)).json()

    assert made["url"] == "https://journeys.example/inbox"
    assert made["expires_at"] == "2026-11-28T09:00:00+00:00"
    answer = await home.asks("/inbox", made["token"])
    assert [each["subject"] for each in answer.json()["messages"]] == ["Gate B4"]
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_no_token_opens_another_customers_inbox(home: Home) -> None:
    message, token = await home.send(), home.token()
    body, signature = token.rsplit(".", 1)
    forged = [
        "x",
        f"{body}.{'A' * len(signature)}",
        f"{home.token(home.ben).rsplit('.', 1)[0]}.{signature}",
        UnsubscribeLinks("https://journeys.example", SECRET)._links.token(home.anna, "9999999999"),
    ]

    for each in forged:
        for path in ("", "/unread", "/stream"):
            assert (await home.asks(f"/inbox{path}", each)).status_code == 401
        assert (await home.does(message, "read", each)).status_code == 401
    for act in ("read", "click", "archive", "unread"):
        assert (await home.does(message, act, home.token(home.ben))).status_code == 404
    assert await home.rows("select 1 from inbox_messages where read_at is not null") == []


async def test_a_token_ends_after_a_day(home: Home) -> None:
    token = home.token()

    home.clock.append(AT + timedelta(hours=24))
    refused = await home.asks("/inbox", token)

    assert refused.status_code == 401
    assert "ask your own server for another" in refused.json()["detail"]


async def test_a_token_in_an_address_opens_nothing(home: Home) -> None:
    """Addresses are in the logs of proxies, and in a browser's history."""
    message, token = await home.send(), home.token()

    for path in (f"/inbox/{token}", f"/inbox/{token}/unread", f"/inbox/unread?token={token}"):
        assert (await home.client.get(path)).status_code in (401, 404, 405)
    for path in (f"/inbox/{token}/{message}/read", f"/inbox/{message}/read?token={token}"):
        assert (await home.client.post(path)).status_code in (401, 404)
    basic = await home.client.get("/inbox", auth=("x", token))
    assert basic.status_code == 401
    assert "Authorization: Bearer" in basic.json()["detail"]
    assert await home.rows("select 1 from inbox_messages where read_at is not null") == []


@pytest.mark.parametrize("path", ["/inbox", "/inbox/unread", "/inbox/stream", "/inbox/1/read"])
async def test_a_page_elsewhere_may_send_the_token_in_a_header(home: Home, path: str) -> None:
    """A browser asks first, as the Fetch standard has it."""
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }

    told = await home.client.options(path, headers=asked)

    assert told.status_code == 204
    assert told.headers["access-control-allow-origin"] == "*"
    assert "Authorization" in told.headers["access-control-allow-headers"]
    assert "POST" in told.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in told.headers


# -- what is in it


async def test_the_newest_message_is_first_and_pages_follow(home: Home) -> None:
    for n in range(5):
        await home.send(n, f"Gate {n}")

    answer = (await home.asks("/inbox", most=2)).json()

    assert [each["subject"] for each in answer["messages"]] == ["Gate 4", "Gate 3"]
    assert answer["unread"] == 5
    assert await home.shown(most=2, before=answer["messages"][-1]["message"]) == [
        "Gate 2",
        "Gate 1",
    ]


async def test_the_same_delivery_is_in_the_inbox_once_however_often_it_is_sent(home: Home) -> None:
    ids = await asyncio.gather(*(home.send(1, "Gate B4") for _ in range(8)))

    assert len(set(ids)) == 1
    assert await home.shown() == ["Gate B4"]


async def test_a_correction_takes_the_place_of_what_it_corrects(home: Home) -> None:
    await home.send(1, "Gate B4")
    await home.send(2, "Gate C7", corrects=f"journey/flight/{home.anna}:7:1")

    assert await home.shown() == ["Gate C7"]
    assert (await home.asks("/inbox/unread")).json() == {"unread": 1}


async def test_marketing_carries_its_way_out(home: Home) -> None:
    await home.send(1, purpose="marketing")
    await home.send(2)

    answer = await home.asks("/inbox")

    links = [each["unsubscribe"] for each in answer.json()["messages"]]
    assert links[0] is None
    assert links[1].startswith("https://journeys.example/u/")


# -- what the customer does with it


async def _told(home: Home) -> list[tuple[str, dict[str, Any]]]:
    rows = await home.rows("select event, properties from touchpoints order by touchpoint")
    return [(row["event"], row["properties"]) for row in rows]


async def test_what_is_read_and_followed_is_a_touchpoint_once(home: Home) -> None:
    key = f"journey/flight/{home.anna}:7:1"
    await home.rows(
        f"insert into deliveries (key, entry, n, journey, customer, message, purpose, channel, state,"
        f" attempts, doubts, run_time) values ('{key}', 7, 1, 'flight', '{home.anna}', 'gate',"
        f" 'service', 'inbox', 'accepted', 1, 0, now()) returning 1"
    )
    message = await home.send(1, link="https://air.example/b4")

    for act in ("read", "read", "click", "click"):
        assert (await home.does(message, act)).json() == {"success": True, "unread": 0}

    about = {
        "delivery": key,
        "message": "gate",
        "channel": "inbox",
        "journey": "flight",
        "run": None,
    }
    assert await _told(home) == [
        ("Message Opened", about),
        ("Message Clicked", {**about, "url": "https://air.example/b4"}),
    ]
    kinds = await home.rows("select kind, channel, delivery from delivery_feedback order by kind")
    assert [(row["kind"], row["channel"], row["delivery"]) for row in kinds] == [
        ("clicked", "inbox", key),
        ("opened", "inbox", key),
    ]
    assert home.rung


async def test_messages_are_put_away_and_brought_back(home: Home) -> None:
    one, _ = await home.send(1, "Gate 1"), await home.send(2, "Gate 2")

    assert (await home.does(one, "archive")).json()["unread"] == 1
    assert (await home.shown(), await home.shown(archived=True)) == (["Gate 2"], ["Gate 1"])
    await home.does(one, "unarchive")
    assert await home.shown() == ["Gate 2", "Gate 1"]


@pytest.mark.parametrize(("message", "act"), [("999", "read"), ("1", "click"), ("x", "read")])
async def test_what_is_not_there_cannot_be_read(home: Home, message: str, act: str) -> None:
    await home.send(1)

    assert (await home.does(message, act)).status_code in (404, 422)
    assert await _told(home) == []


# -- live


@asynccontextmanager
async def stream(url: str, **headers: str) -> AsyncGenerator[AsyncIterator[tuple[str, Any]]]:
    """What a page that reads the stream is told, as it comes."""
    async with (
        httpx2.AsyncClient(timeout=30) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events(answer)


async def _events(answer: httpx2.Response) -> AsyncIterator[tuple[str, Any]]:
    event = ""
    async for line in answer.aiter_lines():
        if line.startswith("event:"):
            event = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            yield event, orjson.loads(line.removeprefix("data:"))


async def test_a_message_appears_at_once_and_one_who_was_away_misses_none(home: Home) -> None:
    await home.send(1, "before")
    async with serving(home.app) as url:
        inbox, proof = f"{url}/inbox/stream", bearer(home.token())
        async with stream(inbox, **proof) as events:
            assert await anext(events) == ("unread", {"unread": 1})
            seen = await home.send(2, "Gate C7")
            event, told = await anext(events)
            assert (event, told["subject"], str(told["message"])) == ("message", "Gate C7", seen)
            assert await anext(events) == ("unread", {"unread": 2})
            await home.send(3, "not for Anna", customer=home.ben, address=home.ben, key="b:1:1")
            await home.send(4, "Gate D1")
            assert (await anext(events))[1]["subject"] == "Gate D1"

        async with stream(inbox, **proof, **{"Last-Event-ID": seen}) as events:
            assert (await anext(events))[1]["subject"] == "Gate D1"
