"""Nothing is lost when a run begins a new history, whatever is going on at that moment."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle

from contracts.message_delivery import DeliverMessage, MessageDelivered
from tests.workflows.world import Stage, World, connect, touchpoint
from workflows.customer_journey import SIGNALS_PER_RUN, TOUCHPOINTS_PER_RUN

COUNTING = """
language: 1
journey: counting
title: Count what comes
owner: tests
enter: {on: Began}
keep: {count: '0'}
whenever:
  - on: Counted
    do: [{set: {run.count: run.count + 1}}]
stages:
  - stage: counting
    steps:
      - wait: {any: [{on: Ended}], forever: true}
      - send: {message: how-many, purpose: service}
      - finish: counted
"""

SLOW = """
language: 1
journey: slow
title: A message that takes its time
owner: tests
enter: {on: Began}
whenever:
  - {on: Counted, do: [{set: {run.last: event.properties.n}}]}
stages:
  - stage: telling
    steps:
      - send: {message: slow-note, purpose: service}
      - wait: {any: [{on: Ended}], forever: true}
      - finish: told
"""


async def test_three_thousand_signals_count_once_each_while_workers_come_and_go(
    real_stage: Stage,
) -> None:
    stage = real_stage
    stage.world.publish(COUNTING)
    sent = 3_000
    async with stage.workers(max_cached_workflows=2):
        anna = await stage.enter("counting", "Began")
        room = asyncio.Semaphore(20)  # a redelivery comes well within what a run remembers

        async def tell(n: int) -> None:
            async with room:
                again = 2 if n % 10 == 0 else 1  # every tenth is delivered twice
                for _ in range(again):
                    told = touchpoint("Counted", f"count-{n}", n=n)
                    await anna.handle.signal("touchpoint", told)

        await asyncio.gather(*(tell(n) for n in range(sent // 2)))
    async with stage.workers(max_cached_workflows=0, max_concurrent_workflow_tasks=2):
        await asyncio.gather(*(tell(n) for n in range(sent // 2, sent)))
        await anna.does("Ended")

        result = await anna.handle.result()

    assert result["outcome"] == "counted"
    assert stage.world.sent[-1].deliver.values["run"] == {"count": sent}
    first = await stage.client.get_workflow_handle(
        anna.handle.id, run_id=anna.handle.first_execution_run_id
    ).describe()
    assert first.status == WorkflowExecutionStatus.CONTINUED_AS_NEW


async def test_hundreds_in_one_signal_make_a_history_no_longer_than_can_be_replayed(
    real_stage: Stage,
) -> None:
    stage = real_stage
    stage.world.publish(COUNTING)
    sent, in_one = TOUCHPOINTS_PER_RUN + 500, 250
    async with stage.workers():
        anna = await stage.enter("counting", "Began")
        for first in range(0, sent, in_one):
            told = [touchpoint("Counted", f"{n}", n=n) for n in range(first, first + in_one)]
            await anna.handle.signal("touchpoints", told)
        first_run = stage.client.get_workflow_handle(
            anna.handle.id, run_id=anna.handle.first_execution_run_id
        )
        await stage.until(lambda: _continued(first_run), seconds=100)
        await anna.does("Ended")
        await anna.handle.result()

    assert stage.world.sent[-1].deliver.values["run"] == {"count": sent}


async def _continued(handle: WorkflowHandle[Any, Any]) -> bool:
    return (await handle.describe()).status == WorkflowExecutionStatus.CONTINUED_AS_NEW


async def test_an_effect_in_flight_is_asked_for_again_under_the_same_key(
    temporal_address: str,
) -> None:
    world = _SlowWorld()
    stage = Stage(await connect(temporal_address, world), world)
    world.publish(SLOW)
    async with stage.workers():
        anna = await stage.enter("slow", "Began")
        await stage.until(lambda: world.asked)
        many = [touchpoint("Counted", f"many-{n}", n=n) for n in range(SIGNALS_PER_RUN)]
        await asyncio.gather(*(anna.handle.signal("touchpoint", told) for told in many))
        await stage.until(lambda: len(world.asked) > 1)
        world.may_answer.set()
        await anna.does("Ended")

        outcome = await anna.outcome()

    assert outcome == "told"
    assert len(set(world.asked)) == 1


class _SlowWorld(World):
    """A provider that takes its time; the ledger would answer the second attempt."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[int, int]] = []
        self.may_answer = asyncio.Event()

    async def answer(self, order: DeliverMessage) -> MessageDelivered:
        self.asked.append((order.run.entry, order.deliver.n))
        await self.may_answer.wait()
        return MessageDelivered(state="accepted", channel="email")


@pytest.mark.parametrize("cached", [0, 1_000])
async def test_a_year_passes_in_one_wait(stage: Stage, cached: int) -> None:
    stage.world.publish(
        COUNTING.replace("counting", f"year-{cached}").replace(
            "{any: [{on: Ended}], forever: true}", "{until: 1y}"
        )
    )
    anna = await stage.enter(f"year-{cached}", "Began")

    assert await anna.outcome() == "counted"
    now = await stage.skipping.get_current_time()
    run = await anna.handle.describe()
    assert now - run.start_time >= timedelta(days=365)
