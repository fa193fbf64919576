"""Deliveries over a real channel and a real ledger, asked for again as Temporal would, without Temporal."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.message_channel import MessageChannel
from activities.message_delivery import MessageDelivery
from activities.message_words import MessageWords
from benchmarks.broadcast import NoRecords, OneMessage
from channels.mail import MailSender, message_id
from channels.message_renderer import MessageFileRenderer
from channels.smtp import SmtpChannel, SmtpServer
from channels.unsubscribe_link import UnsubscribeLinks
from contracts.ids import effect_key
from contracts.journey_run import RunReference
from contracts.message_delivery import DeliverMessage, MessageDelivered
from journey.effects import Deliver, Purpose
from stores.database import Pool
from stores.ledger import Ledger
from tests.faults.mail_sink import MailSink, Way

SENDER = MailSender(address="care@air.example")
LINKS = UnsubscribeLinks("https://journeys.example", b"s" * 32)
MOST_ATTEMPTS = 60
LONGEST_REST = timedelta(seconds=0.05)
"""What is asked to come again later comes so soon: the time between does not matter here."""


@dataclass(slots=True, frozen=True)
class Told:
    """A customer's message, how often it was asked for, and what became of it."""

    key: str
    purpose: Purpose
    asked: int
    answer: MessageDelivered


@dataclass
class AskedAgain:
    """So many customers with a run each, and messages to them."""

    pool: Pool
    customers: int

    async def arrive(self, urls: Mapping[int, str] | None = None) -> None:
        """Customers 1 to n, each a mail address and a run; where the own systems of some are."""
        async with self.pool.connection() as connection:
            await connection.execute(
                "insert into customers (customer, zone) select 'c' || n, 'UTC' from generate_series(1, %s) n",
                [self.customers],
            )
            await connection.execute(
                "insert into identities (kind, value, customer)"
                " select 'email', n || '@example.com', 'c' || n from generate_series(1, %s) n",
                [self.customers],
            )
            await connection.execute(
                "insert into runs (entry, workflow_id, first_run_id, journey, customer, engine, state,"
                " entered_at, began_at) select n, 'w' || n, 'r' || n, 'orders', 'c' || n, 1, 'open',"
                " now(), now() from generate_series(1, %s) n",
                [self.customers],
            )
            for n, url in (urls or {}).items():
                await connection.execute(
                    "update customers set traits = jsonb_build_object('webhook_url', %s::text)"
                    " where customer = %s",
                    [url, f"c{n}"],
                )

    async def ask(
        self, channel: MessageChannel, purposes: Mapping[int, Purpose], *, at_once: int
    ) -> list[Told]:
        """To each of these customers one message, so many at once, until what became of it is told."""
        worker = MessageDelivery(
            ledger=Ledger(self.pool, _wall),
            messages=OneMessage(),
            words=MessageWords(renderer=MessageFileRenderer()),
            channels={channel.name: channel},
            records=NoRecords(),
            wall_clock=_wall,
        )
        places = asyncio.Semaphore(at_once)

        async def one(n: int, purpose: Purpose) -> Told:
            async with places:
                return await _until_told(worker, n, purpose, channel.name)

        return list(await asyncio.gather(*(one(n, purpose) for n, purpose in purposes.items())))

    async def ledger(self) -> dict[str, dict[str, Any]]:
        """The rows by key."""
        return {row["key"]: row for row in await self.rows("select * from deliveries")}

    async def rows(self, statement: Any) -> list[dict[str, Any]]:
        async with self.pool.connection() as connection:
            return await (await connection.execute(statement)).fetchall()


@dataclass
class Relayed(AskedAgain):
    """Their messages go over one mail relay.

    `timeout`: how long the relay may take for an answer. `connections`: as many
    stall at once. `at_once`: messages under way, else as many as connections.
    """

    sink: MailSink
    timeout: timedelta = timedelta(seconds=1)
    connections: int = 50
    at_once: int | None = None
    unmarked: list[str] = field(default_factory=list[str])
    """Keys of mails that came again and were not marked as uncertain when they did."""

    async def prepare(self, ways: Mapping[int, Sequence[Way]]) -> None:
        """Customers, and what the relay does to the mails of each."""
        await self.arrive()
        for n, script in ways.items():
            self.sink.script(f"{n}@example.com", script)
        self.sink.again = self._came_again

    async def deliver(self, purposes: Mapping[int, Purpose]) -> list[Told]:
        """To each of these customers one mail, many at once, until what became of it is told."""
        server = SmtpServer(
            host="127.0.0.1",
            port=self.sink.port,
            security="plain",
            timeout=self.timeout,
            connections=self.connections,
        )
        channel = SmtpChannel(server, SENDER, LINKS)
        told = await self.ask(channel, purposes, at_once=self.at_once or self.connections)
        await channel.close()
        return told

    async def _came_again(self, named: str) -> None:
        """A mail comes a second time: the ledger must have said before that it may."""
        rows = await self.rows("select key from deliveries where not uncertain")
        certain = {message_id(row["key"], SENDER.domain): row["key"] for row in rows}
        if named in certain:
            self.unmarked.append(certain[named])

    def copies(self) -> Counter[str]:
        """How many mails of each key the relay took."""
        counts = self.sink.counts()
        names = {message_id(_key(n), SENDER.domain): _key(n) for n in range(1, self.customers + 1)}
        assert set(counts) <= set(names)
        return Counter({names[each]: times for each, times in counts.items()})


async def _until_told(worker: MessageDelivery, n: int, purpose: Purpose, via: str) -> Told:
    run = RunReference(
        workflow_id=f"w{n}", entry=n, journey="orders", customer=f"c{n}", now=_wall()
    )
    deliver = Deliver(n=1, message="hello", purpose=purpose, via=(via,))
    for asked in range(1, MOST_ATTEMPTS + 1):
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, attempt=asked)
        try:
            answer = await environment.run(
                worker.deliver_message, DeliverMessage(run=run, deliver=deliver)
            )
        except ApplicationError as error:
            rest = min(error.next_retry_delay or timedelta(), LONGEST_REST)
            await asyncio.sleep(rest.total_seconds())
        else:
            return Told(_key(n), purpose, asked, answer)
    raise AssertionError(f"{_key(n)}: never told")


def _key(n: int) -> str:
    return effect_key(f"w{n}", n, 1)


def _wall() -> datetime:
    return datetime.now(UTC)
