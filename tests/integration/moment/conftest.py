"""A house with its API, its routers and a town of runs, on a real database; tests move its clock."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest_asyncio

from api.app import create_app
from api.feelings import feelings_router
from api.ingest import Ingest
from api.intake import Intake
from api.now import now_router
from api.pressure import Pressure
from api.problems import problems_router
from api.staff_key import StaffKeyCheck
from api.write_key_check import WriteKeyCheck
from channels.liquid_text import LiquidText
from journey.house_files import HouseKind, read_house_file
from journey.programs import Programs
from journey.publication import read_definition
from routing.journey_programs import JourneyPrograms
from routing.router import Router
from routing.router_parts import RouterParts
from stores.cases import CaseStore
from stores.customer_readings import CustomerReadings
from stores.customers import CustomerStore
from stores.database import Pool, jsonb, open_pool
from stores.definitions import DefinitionStore
from stores.feelings import FeelingStore
from stores.house import HouseStore
from stores.leases import UnitLeases
from stores.moment import MomentStore
from stores.outbox import OutboxStore
from stores.problem_reach import ProblemReach
from stores.problems import ProblemStore
from stores.published import HOUSE, PublishedStore
from stores.runs import RunStore
from stores.suggestions import SuggestionStore
from stores.touchpoints import store_touchpoint
from stores.write_keys import WriteKeyStore
from tests.integration.routing.town import Town, TownRun, admit

TOKEN = "staff-token-of-this-test"
KEY = "wk-of-the-shop"

CARE = """
language: 1
journey: care
title: A fault that is ours
owner: service
enter: {on: Problem Opened, key: event.properties.problem, again: never}
stages:
  - stage: told
    title: They know of it
    feeling: patient
    steps:
      - wait:
          any: [{on: Problem Mended}, {on: Problem Updated}, {on: Suggestion Refused}]
          until: 30d
      - finish: served
"""


class NoBell:
    def ring(self) -> None:
        pass


@dataclass
class House:
    """An installation. `now` is where its clock stands."""

    pool: Pool
    client: httpx2.AsyncClient
    customers: CustomerStore
    files: HouseStore
    town: Town = field(default_factory=Town)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def time(self) -> datetime:
        return self.now

    # -- what there is

    async def publish(self, kind: HouseKind, text: str) -> None:
        read = read_house_file(kind, text, f"{kind}.yaml")
        await PublishedStore(self.pool).publish(
            kind, HOUSE, read.model_dump(mode="json", by_alias=True)
        )

    async def publish_journey(self, source: str = CARE) -> str:
        return await DefinitionStore(self.pool).publish(read_definition(source, "test.yaml"))

    async def known(self, user_id: str = "anna", **traits: Any) -> str:
        async with self.pool.connection() as connection:
            names = [("user_id", user_id)]
            names += [(kind, traits[kind]) for kind in ("email", "phone") if kind in traits]
            customer = await self.customers.resolve(connection, names)
            await self.customers.merge_traits(connection, customer, traits)
        return customer

    async def crowd(self, count: int, **traits: Any) -> None:
        await self.rows(
            "insert into customers (customer, traits)"
            " select 'c_' || lpad(n::text, 6, '0'), %s from generate_series(1, %s) n returning 1",
            jsonb(traits),
            count,
        )

    async def runs_at(self, journey: str, customer: str, stage: str, **of: Any) -> int:
        """An open run of a customer, standing in a stage; its entry."""
        version = of.pop("version", None)
        rows = await self.rows(
            "insert into runs (workflow_id, first_run_id, journey, version, customer, engine, state,"
            " stage, waits_for, entered_at, began_at, held_out, holds)"
            " values (%s, %s, %s, %s, %s, 1, 'open', %s, %s, %s, %s, %s, %s) returning entry",
            f"journey/{journey}/{customer}",
            uuid4().hex,
            journey,
            version,
            customer,
            stage,
            jsonb(of.pop("waits_for", [])),
            self.now,
            self.now,
            of.pop("held_out", False),
            of.pop("holds", None),
        )
        return rows[0]["entry"]

    async def shows(self, entry: int, n: int, customer: str, say: str, **of: Any) -> str:
        """A show of a run at the line and the till; its id as a suggestion."""
        await self.rows(
            'insert into shows (entry, n, customer, places, say, "values", priority, until, shown,'
            " sequence, at, name) values (%s, %s, %s, %s, %s, %s, %s, %s, true, 1, %s, %s) returning 1",
            entry,
            n,
            customer,
            of.pop("places", ["ivr", "till"]),
            say,
            jsonb(of.pop("values", {})),
            of.pop("priority", 50),
            of.pop("until", None),
            self.now,
            of.pop("name", ""),
        )
        return f"{entry}:{n}"

    # -- what happens

    async def happens(
        self, event: str, customer: str, message_id: str | None = None, **properties: Any
    ) -> str:
        name, context = message_id or uuid4().hex, properties.pop("context", {})
        async with self.pool.connection() as connection:
            await store_touchpoint(
                connection,
                customer=customer,
                subject=None,
                message_id=name,
                event=event,
                occurred_at=self.now,
                properties=properties,
                context=context,
            )
        return name

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    @property
    def readings(self) -> CustomerReadings:
        return CustomerReadings(self.pool, now=self.time, house=self.files)

    @property
    def feelings(self) -> FeelingStore:
        return FeelingStore(self.pool, self.files, now=self.time)

    async def route(self) -> None:
        """All that waits is taken to the runs of the town; runs that began are admitted."""
        parts = RouterParts(
            outbox=OutboxStore(self.pool),
            leases=UnitLeases(self.pool),
            runs=RunStore(self.pool),
            profiles=self.customers,
            programs=JourneyPrograms(DefinitionStore(self.pool), Programs()),
            signals=self.town,
            readings=self.readings,
        )
        await Router(parts, f"router/{uuid4().hex}").drain()
        while not self.town.begun.empty():
            await admit(self.pool, self.town.begun.get_nowait())
        await Router(parts, f"router/{uuid4().hex}").drain()

    async def reach(self, **of: Any) -> int:
        """Problems reach whom they touch; in how many rounds."""
        reach, rounds = ProblemReach(self.pool, now=self.time, **of), 0
        while await reach.round():
            rounds += 1
            assert rounds < 1_000
        return rounds

    # -- what is so

    async def rows(self, statement: Any, *values: object) -> list[dict[str, Any]]:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(statement, values)
            return await cursor.fetchall() if cursor.description else []

    async def told(self, event: str) -> list[str]:
        """Customers who had such a touchpoint, in order, each as often as they had it."""
        rows = await self.rows(
            "select customer from touchpoints where event = %s order by touchpoint", event
        )
        return [row["customer"] for row in rows]

    async def traits(self, customer: str) -> dict[str, Any]:
        rows = await self.rows("select traits from customers where customer = %s", customer)
        return rows[0]["traits"]

    def run_of(self, customer: str) -> TownRun:
        return next(run for run in self.town.runs if run.start.customer == customer)

    async def get(self, path: str, status: int = 200, customer: str = "") -> Any:
        told = {"Authorization": f"Bearer {TOKEN}", "X-Customer": customer}
        answer = await self.client.get(path, headers=told)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def post(self, path: str, status: int = 200, **body: Any) -> Any:
        answer = await self.client.post(
            path, json=body, headers={"Authorization": f"Bearer {TOKEN}"}
        )
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database, most=10)
    yield pool
    await pool.close()


@pytest_asyncio.fixture
async def house(pool: Pool) -> AsyncIterator[House]:
    customers, staff, bell = CustomerStore(pool), StaffKeyCheck(TOKEN), NoBell()
    keys, files = WriteKeyStore(pool), HouseStore(pool, clock=_always_later())
    await keys.add("shop", KEY)
    whole = House(pool, None, customers, files)  # type: ignore[arg-type]  # the client is made below
    app = create_app(
        now_router(
            MomentStore(pool, files, whole.time),
            SuggestionStore(pool, now=whole.time),
            customers,
            LiquidText(),
            staff,
            whole.time,
        ),
        feelings_router(whole.feelings, customers, staff, whole.time),
        problems_router(ProblemStore(pool, now=whole.time), customers, CaseStore(pool), staff),
        ingest=Ingest(Intake(pool, customers, bell), WriteKeyCheck(keys), Pressure()),
    )
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://clew") as client:
        whole.client = client
        yield whole


def _always_later() -> Any:
    """A clock on which so much passes between two looks that what was published is read each time."""
    seconds = iter(range(0, 10_000_000, 10))
    return lambda: float(next(seconds))


__all__ = ["CARE", "KEY", "TOKEN", "House"]
