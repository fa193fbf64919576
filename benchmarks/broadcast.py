"""A broadcast beside service messages: `python -m benchmarks.broadcast [--broadcast 100000] [--service 2000]`.

At the level of activities: real policy, real ledger, real PostgreSQL, a channel that accepts all, and as many
deliveries at once for each purpose as a delivery worker has. Each message is asked for as Temporal would: again
whenever it is told to. In the middle everything is stopped and let go on.
"""

import argparse
import asyncio
import heapq
import logging
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.message_delivery import MessageDelivery
from activities.message_text import PublishedMessage
from activities.message_words import MessageWords
from activities.sending_rate import Asker, Leaves, Waits
from channels.message_renderer import MessageFileRenderer
from channels.recording import RecordingChannel
from contracts.ids import effect_key
from contracts.journey_run import RunReference
from contracts.message_delivery import DeliverMessage, MessageDelivered
from journey.effects import Deliver, Purpose, RunRecord
from stores.database import Pool, open_pool
from stores.house_policy import HousePolicyStore
from stores.ledger import Ledger
from stores.published import HOUSE, PublishedStore
from stores.send_rates import SendRateStore
from stores.stops import StopStore

AT_ONCE = 20
"""Deliveries at once for each purpose: as in workers/delivery_worker.py."""

STOPPED_FOR = timedelta(seconds=30)


class NoRecords:
    """Writes nothing down."""

    async def write(self, run: RunReference, record: RunRecord) -> None: ...


class OneMessage:
    """Whatever is asked for is the same short message."""

    async def live(self, name: str) -> PublishedMessage:
        return PublishedMessage(name=name, revision="r", source="---\nsubject: Hi\n---\nHi\n")


@dataclass
class Clock:
    """Virtual wall time: it goes on to what is due next once nobody is busy."""

    now: datetime = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

    def wall(self) -> datetime:
        return self.now


@dataclass
class WatchedRates:
    """The real rates; it keeps when each turn was, on the virtual clock, and whose."""

    rates: SendRateStore
    clock: Clock
    turns: list[tuple[datetime, datetime, str]] = field(
        default_factory=list[tuple[datetime, datetime, str]]
    )
    leaves: dict[str, datetime] = field(default_factory=dict[str, datetime])

    async def known_to_wait(self, ways: Sequence[Sequence[str]], asker: Asker) -> Waits | None:
        """As the real ones."""
        return await self.rates.known_to_wait(ways, asker)

    async def take(self, names: Sequence[str], asker: Asker) -> Leaves | Waits:
        """As the real ones."""
        asked = self.clock.now
        turn = await self.rates.take(names, asker)
        if isinstance(turn, Leaves):
            self.turns.append((asked, asked + turn.after, asker.purpose))
            self.leaves[asker.key] = asked + turn.after
        return turn


@dataclass(slots=True, order=True)
class _Due:
    at: datetime
    n: int
    purpose: Purpose = field(compare=False)
    asked: int = field(default=0, compare=False)
    was_held: bool = field(default=False, compare=False)


@dataclass
class Broadcast:
    """So many marketing messages at once, and service messages all along."""

    pool: Pool
    marketing: int
    service: int
    rate: int = 100
    clock: Clock = field(default_factory=Clock)
    channel: RecordingChannel = field(default_factory=RecordingChannel)
    outcomes: Counter[str] = field(default_factory=Counter[str])
    service_waits: list[timedelta] = field(default_factory=list[timedelta])
    attempts: Counter[str] = field(default_factory=Counter[str])
    woken: int = 0
    sent_while_stopped: int = 0

    async def prepare(self) -> None:
        policy: dict[str, Any] = {"rates": {"email": f"{self.rate} per second"}}
        await PublishedStore(self.pool).publish("policy", HOUSE, policy)
        everybody = self.marketing + self.service
        async with self.pool.connection() as connection:
            await connection.execute(
                "insert into customers (customer, zone) select 'c' || n, 'UTC' from generate_series(1, %s) n",
                [everybody],
            )
            await connection.execute(
                "insert into identities (kind, value, customer)"
                " select 'email', n || '@example.com', 'c' || n from generate_series(1, %s) n",
                [everybody],
            )
            await connection.execute(
                "insert into runs (entry, workflow_id, first_run_id, journey, customer, engine, state,"
                " entered_at, began_at) select n, 'w' || n, 'r' || n,"
                " case when n <= %s then 'broadcast' else 'orders' end, 'c' || n, 1, 'open', now(), now()"
                " from generate_series(1, %s) n",
                [self.marketing, everybody],
            )

    async def live(self, *, stop_in_the_middle: bool = True) -> WatchedRates:
        """Until each is told: the broadcast asks at once, service spread over the time that it takes."""
        policies = HousePolicyStore(self.pool)
        rates = WatchedRates(SendRateStore(self.pool, self.clock.wall, policies), self.clock)
        worker = MessageDelivery(
            ledger=Ledger(self.pool, self.clock.wall, policies=policies),
            messages=OneMessage(),
            words=MessageWords(renderer=MessageFileRenderer()),
            channels={"email": self.channel},
            records=NoRecords(),
            wall_clock=self.clock.wall,
            rates=rates,
            rest=_nothing,
        )
        began, takes = self.clock.now, timedelta(seconds=self.marketing / self.rate)
        due = [_Due(began, n, "marketing") for n in range(1, self.marketing + 1)]
        due += [
            _Due(began + takes * (index / self.service), self.marketing + 1 + index, "service")
            for index in range(self.service)
        ]
        heapq.heapify(due)
        middle, stops = began + takes / 2, StopStore(self.pool)
        asked_at = {each.n: each.at for each in due}
        phase, lifted = "before", middle + STOPPED_FOR
        held: dict[int, _Due] = {}
        while due or held:
            if stop_in_the_middle and phase == "before" and (not due or due[0].at >= middle):
                await stops.begin("everything", "", reason="drill", by="benchmark")
                phase = "stopped"
            if phase == "stopped" and (not due or due[0].at >= lifted):
                self.clock.now = max(self.clock.now, lifted)
                await stops.lift("everything", "", by="benchmark")
                phase = "after"
            if phase == "after" and held:
                self.woken += await self._wake(stops, held, due)
            if not due:
                self.clock.now += timedelta(seconds=1)
                continue
            self.clock.now = max(self.clock.now, due[0].at)
            batch = _due_now(due, self.clock.now)
            before = len(self.channel.taken)
            answers = await asyncio.gather(*(self._attempt(worker, each) for each in batch))
            if phase == "stopped":
                self.sent_while_stopped += len(self.channel.taken) - before
            for each, told in zip(batch, answers, strict=True):
                if isinstance(told, timedelta):
                    each.at = self.clock.now + told
                    heapq.heappush(due, each)
                elif told.state == "deferred":
                    held[each.n] = each
                    each.asked, each.was_held = 0, True
                else:
                    self.outcomes[f"{each.purpose} {told.state}"] += 1
                    if each.purpose == "service" and not each.was_held:
                        left = rates.leaves[effect_key(f"w{each.n}", each.n, 1)]
                        self.service_waits.append(left - asked_at[each.n])
        return rates

    async def _attempt(self, worker: MessageDelivery, due: _Due) -> MessageDelivered | timedelta:
        self.attempts[due.purpose] += 1
        run = RunReference(
            workflow_id=f"w{due.n}",
            entry=due.n,
            journey="broadcast" if due.purpose == "marketing" else "orders",
            customer=f"c{due.n}",
            now=self.clock.now,
        )
        order = DeliverMessage(run=run, deliver=Deliver(n=1, message="hello", purpose=due.purpose))
        due.asked += 1
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, attempt=due.asked)
        try:
            return await environment.run(worker.deliver_message, order)
        except ApplicationError as error:
            return error.next_retry_delay or timedelta(seconds=1)

    async def _wake(self, stops: StopStore, held: dict[int, _Due], due: list[_Due]) -> int:
        """A round of the waker, each virtual second: whoever it tells asks again."""
        woken = await stops.wake(200)
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                "select entry from deliveries where reason = 'resumed'"
            )
            for row in await cursor.fetchall():
                again = held.pop(row["entry"], None)
                if again is not None:
                    again.at = self.clock.now
                    heapq.heappush(due, again)
        return woken


def most_in_a_second(turns: Iterable[datetime]) -> int:
    """The most turns in any second, wherever it begins."""
    times, most, first = sorted(turns), 0, 0
    for last, at in enumerate(times):
        while times[first] <= at - timedelta(seconds=1):
            first += 1
        most = max(most, last - first + 1)
    return most


def overtaken(turns: Iterable[tuple[datetime, datetime, str]]) -> int:
    """How many marketing messages asked after a service message that waits, and left before it."""
    ours = list(turns)
    waiting = [(asked, leaves) for asked, leaves, purpose in ours if purpose == "service"]
    return sum(
        any(since < asked and leaves < left for since, left in waiting)
        for asked, leaves, purpose in ours
        if purpose == "marketing"
    )


def _due_now(due: list[_Due], now: datetime) -> list[_Due]:
    """At most so many of each purpose: each has its own worker."""
    batch: dict[Purpose, list[_Due]] = {"service": [], "marketing": []}
    later: list[_Due] = []
    while due and due[0].at <= now and len(later) < 5 * AT_ONCE:
        each = heapq.heappop(due)
        (batch[each.purpose] if len(batch[each.purpose]) < AT_ONCE else later).append(each)
    for each in later:
        heapq.heappush(due, each)
    return [*batch["service"], *batch["marketing"]]


def figures(cast: Broadcast, rates: WatchedRates) -> list[str]:
    """What became of it, a line each."""
    waits = sorted(cast.service_waits) or [timedelta(0)]
    half, longest = waits[len(waits) // 2].total_seconds(), waits[-1].total_seconds()
    return [
        f"outcomes: {dict(cast.outcomes)}; sent while stopped: {cast.sent_while_stopped}",
        f"twice: {len(cast.channel.taken) - len({m.key for m in cast.channel.taken})}",
        f"attempts: {dict(cast.attempts)}; woken after the stop: {cast.woken:,}",
        f"most in a second: {most_in_a_second(turn for _, turn, _ in rates.turns)} of {cast.rate}",
        f"marketing before a service message that waited: {overtaken(rates.turns)}",
        f"service left so long after it was asked for: half {half:.3f} s, longest {longest:.3f} s",
    ]


async def _nothing(seconds: float) -> None:
    """The turn is kept, and nobody waits for it in virtual time."""


async def _main(marketing: int, service: int, rate: int) -> None:
    # Two lines a message are a fifth of the time, and nobody reads them.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    from stores.migrations import upgrade
    from workers.embedded.postgres_server import PostgresServer

    async with AsyncExitStack() as parts:
        folder = parts.enter_context(tempfile.TemporaryDirectory(prefix="clew-broadcast-"))
        server = await parts.enter_async_context(PostgresServer(Path(folder) / "postgres"))
        url = await server.create_database("broadcast")
        await asyncio.to_thread(upgrade, url)
        pool = await open_pool(url, most=2 * AT_ONCE + 2)
        parts.push_async_callback(pool.close)
        cast = Broadcast(pool, marketing, service, rate=rate)
        await cast.prepare()
        began = time.perf_counter()
        rates = await cast.live()
        took = time.perf_counter() - began
    print(f"{marketing:,} marketing and {service:,} service messages in {took:.0f} s")
    print("\n".join(figures(cast, rates)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broadcast", type=int, default=100_000)
    parser.add_argument("--service", type=int, default=2_000)
    parser.add_argument("--rate", type=int, default=100, help="messages a second")
    asked = parser.parse_args()
    asyncio.run(_main(asked.broadcast, asked.service, asked.rate))
