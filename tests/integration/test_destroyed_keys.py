"""A run whose customer's key is destroyed while it is under way, and workers that have forgotten the key."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import uuid4

import pytest_asyncio
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.worker import Worker

from contracts.ids import workflow_id
from contracts.names import JOURNEYS_QUEUE, SIGNAL_TOUCHPOINT, WORKFLOW_TYPE
from contracts.sealing import MasterKeys
from journey.publication import read_definition
from stores.customers import CustomerStore
from stores.database import Pool, open_pool
from stores.definitions import DefinitionStore
from stores.history_keys import HistoryKeyStore, destroy_keys
from tests.integration.conftest import QUICK, SECRET
from workers.journey_worker import journey_activities, journey_worker
from workers.plugin import clew_plugin
from workers.sealed_history import Sealing

JOURNEY = """
language: 1
journey: {name}
title: A journey of the tests
owner: tests
enter: {{on: Wanted {name}, again: always}}
keep: {{note: event.properties.note}}
stages:
  - stage: asked
    steps:
      - wait: {{any: [{{on: Over, do: [{{finish: over}}]}}], until: 30d}}
      - finish: late
"""


@dataclass
class House:
    """Journeys, and workers that remember no key of one another."""

    address: str
    pool: Pool
    journey: str

    async def client(self) -> Client:
        keys = HistoryKeyStore(self.pool, MasterKeys.read(None, SECRET), time.monotonic)
        activities = journey_activities(self.pool, lambda: None)
        plugin = clew_plugin(DefinitionStore(self.pool), activities, sealing=Sealing(keys))
        return await Client.connect(self.address, plugins=[plugin])

    async def worker(self) -> Worker:
        return journey_worker(await self.client(), drain=QUICK)

    async def customer(self, name: str) -> str:
        async with self.pool.connection() as connection:
            return await CustomerStore(self.pool).resolve(connection, [("user_id", name)])

    async def begin(self, customer: str) -> WorkflowHandle:
        return await (await self.client()).start_workflow(
            WORKFLOW_TYPE,
            {"journey": self.journey, "customer": customer},
            id=workflow_id(self.journey, customer),
            task_queue=JOURNEYS_QUEUE,
            start_signal=SIGNAL_TOUCHPOINT,
            start_signal_args=[{"event": f"Wanted {self.journey}", "properties": {"note": "mine"}}],
        )

    async def happens(self, run: WorkflowHandle, event: str) -> None:
        handle = (await self.client()).get_workflow_handle(run.id)
        await handle.signal(SIGNAL_TOUCHPOINT, {"event": event})

    async def destroy(self, customer: str) -> None:
        async with self.pool.connection() as connection:
            assert await destroy_keys(connection, [customer]) == 1

    async def tries(self, run: WorkflowHandle) -> int:
        """How often its task under way was begun: more than once where it fails."""
        described = (await run.describe()).raw_description
        return described.pending_workflow_task.attempt


@pytest_asyncio.fixture
async def house(stack_database: str, temporal_address: str) -> AsyncIterator[House]:
    async with AsyncExitStack() as parts:
        pool = await open_pool(stack_database, most=8)
        parts.push_async_callback(pool.close)
        name = f"keyless-{uuid4().hex[:8]}"
        source = JOURNEY.format(name=name)
        await DefinitionStore(pool).publish(read_definition(source, "test.yaml"))
        yield House(temporal_address, pool, name)
        async with (
            pool.connection() as connection
        ):  # what was terminated is over for other tests too
            await connection.execute(
                "update runs set state = 'finished', outcome = 'ended-outside', finished_at = now()"
                " where journey = %s and state = 'open'",
                [name],
            )


async def asked(run: WorkflowHandle) -> None:
    """Until the run waits."""
    async with asyncio.timeout(30):
        while (await run.query("status"))["stage"] != "asked":
            await asyncio.sleep(0.05)


async def test_a_run_whose_key_is_destroyed_can_be_ended_and_others_live_on(
    house: House,
) -> None:
    anna, ben = await house.customer(f"anna-{house.journey}"), await house.customer(house.journey)
    annas, bens = await house.begin(anna), await house.begin(ben)
    async with await house.worker():
        await asyncio.gather(asked(annas), asked(bens))
    await house.destroy(anna)
    await house.happens(annas, "Over")
    await house.happens(bens, "Over")

    async with await house.worker():
        async with asyncio.timeout(30):
            assert (await bens.result())["outcome"] == "over"
            while await house.tries(annas) < 2:
                await asyncio.sleep(0.05)
            await annas.terminate("the customer is erased")

    described = await annas.describe()
    assert described.status == WorkflowExecutionStatus.TERMINATED
    assert not described.raw_description.HasField("pending_workflow_task")


async def test_a_run_begun_for_whoever_is_erased_ends_at_once_and_keeps_nothing(
    house: House,
) -> None:
    anna = await house.customer(f"anna-{house.journey}")
    first = await house.begin(anna)
    async with await house.worker():
        await asked(first)
        await first.terminate()
    await house.destroy(anna)
    late = await house.begin(anna)

    async with await house.worker(), asyncio.timeout(30):
        ended = await late.result()

    assert ended["outcome"] == "not_admitted"
    assert "its customer was erased" in ended["reason"]
    async for event in late.fetch_history_events():
        assert b"mine" not in event.SerializeToString()
