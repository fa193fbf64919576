"""Routers on a real database, with a town of runs instead of Temporal."""

import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import pytest
import pytest_asyncio

from journey.definition import canonical_json
from journey.programs import Programs
from routing.journey_programs import JourneyPrograms
from routing.router import Router
from routing.router_parts import Pace, RouterParts
from routing.signals import RunSignals
from stores.customers import CustomerStore
from stores.database import Pool, open_pool
from stores.definitions import DefinitionStore
from stores.leases import UnitLeases
from stores.outbox import OutboxStore
from stores.runs import RunStore
from stores.touchpoints import NewTouchpoint, store_touchpoints
from tests.integration.routing.looking import Watch

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

PARCEL: dict[str, Any] = {
    "language": 1,
    "journey": "parcel",
    "title": "A parcel on its way",
    "owner": "logistics",
    "enter": {"on": "Ordered", "key": "event.properties.order", "again": "always"},
    "keep": {"order": "event.properties.order"},
    "listen": {"van": "[run.order]"},
    "stages": [
        {
            "stage": "under-way",
            "steps": [
                {"wait": {"any": [{"on": "Van Delayed"}, {"on": "Asked"}], "until": "30d"}},
                {"wait": {"any": [{"on": "Delivered"}], "until": "30d"}},
                {"finish": "done"},
            ],
        }
    ],
}
"""Enters on Ordered, once per order; hears Asked and Delivered, and delays of its van."""


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database, most=20)
    yield pool
    await pool.close()


class Publish:
    """Publishes a definition as it is, without the gate."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def __call__(self, definition: dict[str, Any]) -> str:
        canonical = canonical_json(definition)
        version = hashlib.sha256(canonical).hexdigest()
        async with self._pool.connection() as connection:
            await connection.execute(
                "insert into definitions values (%s, %s, %s, '', '') on conflict do nothing",
                [version, definition["journey"], canonical],
            )
            await connection.execute(
                "insert into live_journeys values (%s, %s)"
                " on conflict (journey) do update set version = excluded.version",
                [definition["journey"], version],
            )
        return version


@pytest.fixture
def publish(pool: Pool) -> Publish:
    return Publish(pool)


MakeRouter = Callable[..., Router]


@pytest.fixture
def router(pool: Pool) -> MakeRouter:
    """Make a router; each has its own name and its own compiled programs."""
    programs = Programs()

    def make(signals: RunSignals, **pace: Any) -> Router:
        parts = RouterParts(
            outbox=OutboxStore(pool),
            leases=UnitLeases(pool),
            runs=RunStore(pool),
            profiles=CustomerStore(pool),
            programs=JourneyPrograms(DefinitionStore(pool), programs),
            signals=signals,
        )
        return Router(parts, f"router/{uuid4().hex}", Pace(**pace))

    return make


class Happens:
    """Stores touchpoints as ingest does, each in a transaction of its own unless given together."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def __call__(
        self,
        event: str,
        customer: str | None = None,
        *,
        message_id: str | None = None,
        subject: tuple[str, str] | None = None,
        **properties: Any,
    ) -> str:
        name = message_id or uuid4().hex
        await self.together(self.one(event, customer, name, subject, properties))
        return name

    def one(
        self,
        event: str,
        customer: str | None,
        message_id: str,
        subject: tuple[str, str] | None = None,
        properties: dict[str, Any] | None = None,
    ) -> NewTouchpoint:
        return NewTouchpoint(
            message_id=message_id,
            event=event,
            occurred_at=NOON,
            customer=customer,
            subject=subject,
            properties=properties or {},
        )

    async def together(self, *touchpoints: NewTouchpoint) -> list[int | None]:
        async with self._pool.connection() as connection:
            return await store_touchpoints(connection, touchpoints)

    async def fates(self, message_id: str, customer: str | None = None) -> list[dict[str, Any]]:
        """What became of a touchpoint, for its only customer or the one given."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select a.customer, a.fates from arrivals a join message_ids m using (touchpoint)"
                " where m.message_id = %s and a.customer = coalesce(%s, a.customer)",
                [message_id, customer],
            )
            rows = await cursor.fetchall()
        assert len(rows) == 1, rows
        return cast("list[dict[str, Any]]", rows[0]["fates"])


@pytest.fixture
def happens(pool: Pool) -> Happens:
    return Happens(pool)


@pytest.fixture
def watch(pool: Pool) -> Watch:
    """Customers who are looked at for entering."""
    return Watch(pool)
