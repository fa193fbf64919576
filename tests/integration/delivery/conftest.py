"""Deliveries against a real ledger: one customer, one run, a clock that tests move."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio
from pydantic import JsonValue
from temporalio.exceptions import ApplicationError

from activities.message_channel import MessageChannel
from activities.message_delivery import MessageDelivery
from activities.message_words import MessageWords
from channels.message_renderer import MessageFileRenderer
from channels.recording import RecordingChannel
from contracts.clock import RunClock
from contracts.journey_run import RunReference
from contracts.message_delivery import DeliverMessage, MessageDelivered
from journey.effects import Deliver, RunRecord
from stores.database import Pool, jsonb, open_pool
from stores.ledger import Ledger
from stores.messages import MessageStore

ANNA = "c_anna"
ADDRESS = "anna@example.com"
MESSAGE = """---
subject: Gate {{ run.gate }}
---
Dear {{ customer.first_name }},
your gate is {{ run.gate }}.
"""


class Killed(BaseException):
    """The process was killed here: nothing after this line ran, no handler, no finally."""


@dataclass
class Records:
    written: list[RunRecord] = field(default_factory=list)

    async def write(self, run: RunReference, record: RunRecord) -> None:
        self.written.append(record)


@dataclass
class Desk:
    """One customer's deliveries. Tests move `wall`; each `worker` is a process of its own."""

    pool: Pool
    wall: datetime = datetime(2013, 2, 8, 12, 0, tzinfo=UTC)
    clock: RunClock | None = None
    channel: RecordingChannel = field(default_factory=RecordingChannel)
    records: Records = field(default_factory=Records)
    held_out: bool = False

    def now(self) -> datetime:
        return self.wall

    def later(self, **span: float) -> None:
        self.wall += timedelta(**span)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.pool, self.now)

    def worker(
        self, *, ledger: Any = None, channel: MessageChannel | None = None
    ) -> MessageDelivery:
        return MessageDelivery(
            ledger=ledger or self.ledger,
            messages=MessageStore(self.pool),
            words=MessageWords(renderer=MessageFileRenderer()),
            channels={"email": channel or self.channel},
            records=self.records,
            wall_clock=self.now,
        )

    def order(
        self,
        n: int = 1,
        *,
        values: Mapping[str, JsonValue] | None = None,
        record: RunRecord | None = None,
        **of: Any,
    ) -> DeliverMessage:
        asked: dict[str, Any] = {"n": n, "message": "gate", "purpose": "service", **of}
        deliver = Deliver(**asked, values=dict(values or {"run": {"gate": "B4"}}))
        run = RunReference(
            workflow_id="journey/flight/c_anna",
            entry=7,
            journey="flight",
            version="v",
            customer=ANNA,
            now=self.clock.now(self.wall) if self.clock else self.wall,
            clock=self.clock,
        )
        return DeliverMessage(run=run, deliver=deliver, held_out=self.held_out, record=record)

    async def deliver(self, n: int = 1, **of: Any) -> MessageDelivered:
        """One attempt, as Temporal would make it."""
        return await self.worker().deliver_message(self.order(n, **of))

    async def deliver_until_told(self, n: int = 1, **of: Any) -> MessageDelivered:
        """As many attempts as it takes, each when Temporal would make it."""
        for _ in range(20):
            try:
                return await self.deliver(n, **of)
            except ApplicationError as error:
                if error.non_retryable:
                    raise
                self.wall += error.next_retry_delay or timedelta(seconds=1)
        raise AssertionError("never told")

    async def row(self, n: int = 1) -> dict[str, Any]:
        found = await self.rows("select * from deliveries where n = %s", n)
        return found[0]

    async def rows(self, statement: Any, *values: object) -> list[dict[str, Any]]:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(statement, values)
            return await cursor.fetchall() if cursor.description else []

    async def with_traits(self, **traits: JsonValue) -> None:
        await self.rows(
            "update customers set traits = traits || %s where customer = %s", jsonb(traits), ANNA
        )

    async def end_run(self) -> None:
        await self.rows("update runs set state = 'finished', outcome = 'left' where entry = 7")

    async def publish(self, source: str, name: str = "gate") -> None:
        await MessageStore(self.pool).publish(name, source)

    @property
    def got(self) -> list[str]:
        """The subjects that reached the customer, in order."""
        return [taken.subject for taken in self.channel.taken]


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database, most=20)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def desk(pool: Pool) -> Desk:
    desk = Desk(pool)
    await desk.rows(
        "insert into customers (customer, traits, zone) values (%s, %s, 'Europe/Prague')",
        ANNA,
        jsonb({"first_name": "Anna"}),
    )
    await desk.rows("insert into identities values ('email', %s, %s)", ADDRESS, ANNA)
    await desk.rows(
        "insert into runs (entry, workflow_id, first_run_id, journey, customer, engine, state,"
        " entered_at, began_at) values (7, 'journey/flight/c_anna', 'r1', 'flight', %s, 1, 'open',"
        " %s, %s)",
        ANNA,
        desk.wall,
        desk.wall,
    )
    await desk.publish(MESSAGE)
    return desk


async def at_once(*attempts: Any) -> list[Any]:
    """Attempts that overlap; what each returned or raised."""
    return await asyncio.gather(*attempts, return_exceptions=True)
