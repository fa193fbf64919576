"""A shop with its stores on a real database, and what its tests ask of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio

from activities.admission import Admissions
from activities.customer_traits import TraitsOfCustomer
from contracts.ids import workflow_id
from contracts.journey_run import AdmitRun, Admitted, NotAdmitted, RunReference
from journey.effects import RunRecord
from journey.programs import Programs
from journey.publication import read_definition
from journey.touchpoint import Touchpoint
from stores.admissions import AdmissionStore
from stores.case_desk import CaseDesk
from stores.customer_traits import CustomerTraitStore
from stores.customers import CustomerStore
from stores.database import Pool, jsonb, open_pool
from stores.definitions import DefinitionStore
from stores.journey_figures import JourneyFiguresStore
from stores.run_records import RunRecordStore
from stores.runs import RunStore
from stores.touchpoints import store_touchpoint

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

CART = """
language: 1
journey: cart
title: Help a customer finish
owner: growth
enter:
  on: Product Added
  when: 'event.properties.value >= 20.0'
  again: after 7d
exit: [{on: Order Completed, outcome: recovered}]
stages:
  - stage: hesitating
    steps:
      - wait: {until: 2d}
      - finish: not-recovered
"""

FLIGHT = """
language: 1
journey: flight
title: Bring a customer to where they go
owner: operations
enter: {on: Booked, key: event.properties.pnr, again: always}
listen: {flight: run.flights}
keep: {flights: event.properties.flights}
exit: [{on: Flight Cancelled, outcome: stranded}]
stages:
  - stage: booked
    steps:
      - wait: {any: [{on: Landed, do: [{finish: landed}]}], until: 30d}
      - finish: lost
"""


@dataclass
class Shop:
    """Every store on one database."""

    pool: Pool
    runs: RunStore
    records: RunRecordStore
    cases: CaseDesk
    customers: CustomerStore
    definitions: DefinitionStore
    admissions: Admissions
    traits: TraitsOfCustomer
    rung: list[str] = field(default_factory=list)
    started: int = 0

    async def publish(self, source: str) -> str:
        return await self.definitions.publish(read_definition(source, "test.yaml"))

    async def known(self, user_id: str = "anna", **traits: Any) -> str:
        async with self.pool.connection() as connection:
            customer = await self.customers.resolve(connection, [("user_id", user_id)])
            await self.customers.merge_traits(connection, customer, traits)
        return customer

    def order(self, journey: str, customer: str, *arrived: Touchpoint, **other: Any) -> AdmitRun:
        """The first question of a new run, as its workflow would ask it."""
        self.started += 1
        key = other.get("key")
        asked = AdmitRun(
            workflow_id=workflow_id(journey, customer, key),
            first_run_id=f"run-{self.started}",
            journey=journey,
            customer=customer,
            key=None,
            began_at=datetime.now(UTC),
            now=NOW,
            arrived=arrived,
        )
        return replace(asked, **other)

    async def ask(self, order: AdmitRun) -> Admitted | NotAdmitted:
        answer = (await self.admissions.admit(order)).answer
        return (
            answer
            if isinstance(answer, NotAdmitted)
            else answer.whole(order.version, order.customer)
        )

    async def enters(self, order: AdmitRun) -> Admitted:
        answer = await self.ask(order)
        assert isinstance(answer, Admitted), answer
        return answer

    async def refused(self, order: AdmitRun) -> str:
        answer = await self.ask(order)
        assert isinstance(answer, NotAdmitted), answer
        return answer.reason

    def reference(self, order: AdmitRun, given: Admitted) -> RunReference:
        return RunReference(
            workflow_id=order.workflow_id,
            entry=given.entry,
            journey=order.journey,
            version=given.version,
            customer=given.customer,
            now=NOW,
        )

    async def ends(self, order: AdmitRun, given: Admitted, outcome: str = "recovered") -> None:
        record = RunRecord(sequence=1_000, at=NOW, stage=None, outcome=outcome)
        await self.records.write(self.reference(order, given), record)

    async def arrives(
        self,
        touchpoint: Touchpoint,
        customer: str | None = None,
        *,
        subject: tuple[str, str] | None = None,
        number: int | None = None,
    ) -> None:
        """A touchpoint is stored; with a number it is as if the router had dealt with it."""
        async with self.pool.connection() as connection:
            stored = await store_touchpoint(
                connection,
                customer=customer,
                subject=subject,
                message_id=touchpoint.message_id,
                event=touchpoint.event,
                occurred_at=touchpoint.timestamp,
                properties=touchpoint.properties,
                context=touchpoint.context,
            )
            if number is None:
                return
            await connection.execute("delete from outbox where touchpoint = %s", [stored])
            await connection.execute(
                """
                insert into arrivals (customer, number, touchpoint, received_at)
                select %s, %s, touchpoint, received_at from touchpoints where touchpoint = %s
                """,
                [customer, number, stored],
            )

    async def fates(self, customer: str) -> list[Any]:
        rows = await self.rows(
            "select fates from arrivals where customer = %s order by number", customer
        )
        return [row["fates"] for row in rows]

    async def pending(self) -> list[tuple[str, str | None]]:
        """What the router will deal with: the message, and the run it is aimed at."""
        rows = await self.rows(
            "select t.message_id, o.run from outbox o join touchpoints t using (touchpoint)"
            " order by o.outbox"
        )
        return [(row["message_id"], row["run"]) for row in rows]

    async def rows(self, query: Any, *values: Any) -> list[dict[str, Any]]:
        async with self.pool.connection() as connection:
            return await (await connection.execute(query, values)).fetchall()


def added(message_id: str = "m-1", value: float = 80.0) -> Touchpoint:
    return touched("Product Added", message_id, value=value)


def touched(event: str, message_id: str, **properties: Any) -> Touchpoint:
    return Touchpoint(
        message_id=message_id,
        event=event,
        timestamp=NOW - timedelta(seconds=1),
        properties=properties,
    )


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database, name="test", most=8)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def shop(pool: Pool) -> AsyncIterator[Shop]:
    """Whatever a test does to records, the figures are what they say afterwards."""
    rung: list[str] = []
    customers = CustomerStore(pool)
    records = RunRecordStore(pool, lambda: rung.append("record"))
    desks = AdmissionStore(pool, customers, lambda: rung.append("admission"))
    profiles = CustomerTraitStore(pool, customers, lambda: rung.append("traits"))
    yield Shop(
        pool=pool,
        runs=RunStore(pool),
        records=records,
        cases=CaseDesk(pool, lambda: rung.append("case")),
        customers=customers,
        definitions=DefinitionStore(pool),
        admissions=Admissions(desks=desks, programs=Programs()),
        traits=TraitsOfCustomer(profiles=profiles, records=records),
        rung=rung,
    )
    assert await JourneyFiguresStore(pool).differences() == []


__all__ = ["CART", "FLIGHT", "NOW", "Shop", "added", "jsonb", "touched"]
