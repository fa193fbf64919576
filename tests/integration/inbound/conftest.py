"""A customer who was written to and writes back: real ledger, real stores, a reader of our own domain."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest_asyncio

from api.inbound import InboundDesk
from channels.inbound_mail import MailReader
from channels.reply_address import ReplyAddresses
from channels.unsubscribe_link import UnsubscribeLinks
from contracts.delivery_feedback import Feedback
from contracts.inbound_message import Heard, InboundMessage
from stores.customers import CustomerStore
from stores.inbound import InboundStore
from tests.integration.delivery.conftest import ADDRESS, ANNA, Desk, desk, pool
from workers.embedded.postgres_server import PostgresServer

SECRET = b"s" * 32
REPLIES = ReplyAddresses("reply.air.example", SECRET)
LINKS = UnsubscribeLinks("https://journeys.example", SECRET)
NUMBER = "+420601123456"

_EMPTY = ";".join(
    f"delete from {table}"
    for table in (
        *("identities", "customers", "runs", "cases", "deliveries", "messages", "inbound_messages"),
        *("conversations", "consents", "suppressed_addresses", "delivery_feedback"),
        *("touchpoints", "message_ids", "outbox", "routing_units"),
    )
).encode()

__all__ = ["desk", "pool"]


@dataclass
class Reports:
    """What mail systems reported; `full` takes no more."""

    events: list[Feedback] = field(default_factory=list)
    full: bool = False

    async def take(self, reported: Sequence[Feedback]) -> None:
        if self.full:
            raise OSError("no space left")
        self.events.extend(reported)


@dataclass
class Post:
    """What customers write, and what is known of it afterwards."""

    desk: Desk
    store: InboundStore
    inbound: InboundDesk
    reports: Reports
    rung: list[str]
    written: int = 0

    async def mail(
        self,
        text: str,
        *headers: str,
        to: str = "reply@reply.air.example",
        sender: str = ADDRESS,
        subject: str = "Re: Gate B4",
        number: int | None = None,
    ) -> Heard:
        """A mail arrives; with `number` it is that one again."""
        self.written += 1
        n = self.written if number is None else number
        head = [
            f"From: {sender}",
            f"Subject: {subject}",
            f"Message-ID: <{n}@example.com>",
            *headers,
        ]
        raw = "\r\n".join([*head, "", text]).encode()
        return await self.inbound.take_mail(raw, sender, [to])

    async def text(self, text: str, kind: str = "reply", **said: Any) -> Heard:
        """A text message arrives."""
        self.written += 1
        told: dict[str, Any] = {
            "reply": f"sms-SM{self.written}",
            "channel": "sms",
            "address": NUMBER,
            "received_at": datetime.now(UTC),
            "text": text,
            "kind": kind,
            "names": (("phone", NUMBER),),
            **said,
        }
        return await self.store.take(InboundMessage(**told))

    async def was_texted(self, n: int = 1, *, address: str = NUMBER, days_ago: int = 0) -> str:
        """Anna was sent a text message; its key."""
        key = f"journey/flight/{ANNA}:7:{n}"
        await self.desk.rows(
            "insert into deliveries (key, entry, n, journey, customer, message, purpose, channel,"
            " address, state, provider_id, run_time, settled_at) values (%s, 7, %s, 'flight', %s,"
            " 'gate', 'service', 'sms', %s, 'accepted', %s, now(), now() - make_interval(days => %s))",
            key, n, ANNA, address, f"SMout{n}", days_ago,
        )  # fmt: skip
        return key

    async def knows_number(self) -> None:
        await self.desk.rows("insert into identities values ('phone', %s, %s)", NUMBER, ANNA)

    async def touchpoints(self, event: str | None = None) -> list[dict[str, Any]]:
        return await self.desk.rows(
            "select * from touchpoints where %s::text is null or event = %s order by touchpoint",
            event, event,
        )  # fmt: skip

    async def kept(self) -> list[dict[str, Any]]:
        return await self.desk.rows("select * from inbound_messages order by received_at, reply")

    async def consents(self) -> list[tuple[str, bool, str]]:
        rows = await self.desk.rows("select channel, given, source from consents order by consent")
        return [(row["channel"], row["given"], row["source"]) for row in rows]


@pytest_asyncio.fixture(scope="session")
async def one_database(postgres: PostgresServer, migrated_template: str) -> AsyncIterator[str]:
    """One for all these tests: making one takes longer than a test does."""
    yield await postgres.create_database("clew_inbound", template=migrated_template)
    await postgres.drop_database("clew_inbound")


@pytest_asyncio.fixture
async def database(one_database: str) -> str:
    """Emptied before each test."""
    async with await psycopg.AsyncConnection.connect(one_database) as connection:
        await connection.execute(_EMPTY)
    return one_database


@pytest_asyncio.fixture
async def post(desk: Desk) -> Post:
    rung: list[str] = []
    store = InboundStore(desk.pool, CustomerStore(desk.pool), lambda: rung.append("told"))
    reports = Reports()
    return Post(desk, store, InboundDesk(MailReader(REPLIES, LINKS), store, reports), reports, rung)
