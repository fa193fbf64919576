"""Deliveries a second through policy and ledger: `python -m benchmarks.deliveries [--deliveries 2000] [--json]`.

Real PostgreSQL with its default durability, a channel that accepts all, twenty at once, each for another customer who
had six messages before. Statements and WAL are counted for each delivery, `begin` and `commit` included.
"""

import argparse
import asyncio
import json
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from activities.message_delivery import MessageDelivery
from activities.message_words import MessageWords
from activities.sending_rate import NoRates, SendingRates
from benchmarks.broadcast import AT_ONCE, Clock, NoRecords, OneMessage
from channels.message_renderer import MessageFileRenderer
from channels.recording import RecordingChannel
from contracts.journey_run import RunReference
from contracts.message_delivery import DeliverMessage
from journey.effects import Deliver
from stores.database import Pool, open_pool
from stores.house_policy import HousePolicyStore
from stores.ledger import Ledger
from stores.published import HOUSE, PublishedStore
from stores.send_rates import SendRateStore

POLICY: dict[str, Any] = {
    "caps": [
        {"at_most": 20, "within": "7d", "purpose": "marketing"},
        {"at_most": 9, "within": "24h"},
    ],
    "quiet_hours": [{"from": "21:00", "to": "08:00", "holidays": "CZ", "weekdays": ["sunday"]}],
    "rates": {"email": "100000 per second"},
}


@dataclass
class Measured:
    """One kind of delivery."""

    what: str
    a_second: float
    statements: float
    wal_bytes: float


async def prepare(pool: Pool, many: int) -> None:
    """Customers who had six messages each."""
    async with pool.connection() as connection:
        for statement in (
            "insert into customers (customer, zone) select 'c' || n, 'Europe/Prague' from generate_series(1, %s) n",
            "insert into identities (kind, value, customer) select 'email', n || '@example.com', 'c' || n"
            " from generate_series(1, %s) n",
            "insert into runs (entry, workflow_id, first_run_id, journey, customer, engine, state, entered_at,"
            " began_at) select n, 'w' || n, 'r' || n, 'j', 'c' || n, 1, 'open', now(), now()"
            " from generate_series(1, %s) n",
            "insert into deliveries (key, entry, n, journey, customer, message, purpose, channel, state, run_time)"
            " select 'old' || n || '.' || k, n, k, 'old', 'c' || n, 'old', 'marketing', 'email', 'accepted',"
            " '2026-01-01'::timestamptz + k * interval '5 hours'"
            " from generate_series(1, %s) n, generate_series(101, 106) k",
        ):
            await connection.execute(statement.encode(), [many])
        await connection.execute("analyze")


async def measure(
    pool: Pool, what: str, deliver: dict[str, Any], first: int, many: int, rates: SendingRates
) -> Measured:
    """So many deliveries, twenty at once."""
    clock = Clock()
    worker = MessageDelivery(
        ledger=Ledger(pool, clock.wall),
        messages=OneMessage(),
        words=MessageWords(renderer=MessageFileRenderer()),
        channels={"email": RecordingChannel()},
        records=NoRecords(),
        wall_clock=clock.wall,
        rates=rates,
    )
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(entry: int) -> None:
        run = RunReference(
            workflow_id=f"w{entry}", entry=entry, journey="j", customer=f"c{entry}", now=clock.now
        )
        order = DeliverMessage(run=run, deliver=Deliver(n=1, message="hello", **deliver))
        async with at_once:
            told = await worker.deliver_message(order)
            assert told.state == "accepted", told

    counted = Counted()
    before, began = await _wal(pool), time.perf_counter()
    with counted:
        await asyncio.gather(*(one(entry) for entry in range(first, first + many)))
    took = time.perf_counter() - began
    wal = await _wal(pool) - before
    # `begin` and `commit` of the claim are sent by themselves; the settlement is one more transaction.
    return Measured(what, many / took, counted.statements / many + 4, wal / many)


class Counted:
    """Counts what is sent through psycopg while it is entered."""

    statements = 0

    def __enter__(self) -> "Counted":
        self._was = was = psycopg.AsyncConnection.execute
        counted = self

        async def execute(connection: Any, *args: Any, **of: Any) -> Any:
            counted.statements += 1
            return await was(connection, *args, **of)

        psycopg.AsyncConnection.execute = execute  # pyright: ignore[reportAttributeAccessIssue] -- counted, then put back
        return self

    def __exit__(self, *error: object) -> None:
        psycopg.AsyncConnection.execute = self._was


async def _wal(pool: Pool) -> int:
    async with pool.connection() as connection:
        cursor = await connection.execute("select pg_current_wal_lsn() - '0/0'::pg_lsn as bytes")
        row = await cursor.fetchone()
    assert row is not None
    return int(row["bytes"])


async def _main(many: int, *, as_json: bool) -> None:
    from stores.migrations import upgrade
    from workers.embedded.postgres_server import PostgresServer

    async with AsyncExitStack() as parts:
        folder = parts.enter_context(tempfile.TemporaryDirectory(prefix="clew-deliveries-"))
        server = await parts.enter_async_context(PostgresServer(Path(folder) / "postgres"))
        url = await server.create_database("deliveries")
        await asyncio.to_thread(upgrade, url)
        pool = await open_pool(url, most=AT_ONCE + 2)
        parts.push_async_callback(pool.close)
        await prepare(pool, 3 * many + 60)
        service: dict[str, Any] = {"purpose": "service"}
        marketing: dict[str, Any] = {"purpose": "marketing"}
        await measure(pool, "warm", service, 3 * many + 1, 60, NoRates())
        found = [await measure(pool, "service, no policy", service, 1, many, NoRates())]
        await PublishedStore(pool).publish("policy", HOUSE, POLICY)
        policies = HousePolicyStore(pool)
        found.append(
            await measure(
                pool, "marketing, two caps and hours", marketing, many + 1, many, NoRates()
            )
        )
        rates = SendRateStore(pool, Clock().wall, policies)
        found.append(
            await measure(pool, "the same with a rate", marketing, 2 * many + 1, many, rates)
        )
    for each in found:
        print(
            f"{each.what}: {each.a_second:,.0f} a second, {each.statements:.1f} statements"
            f" and {each.wal_bytes:,.0f} bytes of WAL each"
        )
    if as_json:
        print(json.dumps([vars(each) for each in found]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=2_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    asyncio.run(_main(asked.deliveries, as_json=asked.json))
