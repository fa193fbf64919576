"""A run never says that it has ended and then goes on: what it told the world is what became of it."""

import asyncio
import json
from typing import Any

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import EventType

from contracts import names
from contracts.journey_run import Admission, AdmitRun, RecordRun
from contracts.message_delivery import DeliverMessage, MessageDelivered
from tests.workflows.world import Stage, World, connect, touchpoint

ENDS_AT_ONCE = {
    "language": 1,
    "journey": "brief",
    "title": "Ends at once, unless they buy",
    "owner": "tests",
    "enter": {"on": "Began"},
    "exit": [{"on": "Bought", "outcome": "bought"}],
    "stages": [{"stage": "only", "steps": [{"finish": "lost"}]}],
}


class BuysMeanwhile(World):
    """The customer buys at the moment in which the run writes down that it has ended.

    `awaited`: somebody waits for the end.
    """

    buys: Any = None
    awaited = True

    @activity.defn(name=names.RECORD_END)
    async def record_end(self, order: RecordRun) -> bool:
        if not self.awaited:
            await self.record_run(order)
        return not self.awaited

    @activity.defn(name=names.RECORD_RUN)
    async def record_run(self, order: RecordRun) -> None:
        if order.record.outcome is not None and self.buys is not None:
            buys, self.buys = self.buys, None
            await buys()
        await super().record_run(order)


class RefusesMeanwhile(World):
    """Something comes while the customer is being refused."""

    comes_again: Any = None

    @activity.defn(name=names.ADMIT)
    async def admit(self, order: AdmitRun) -> Admission:
        if self.comes_again is not None:
            comes_again, self.comes_again = self.comes_again, None
            await comes_again()
        return await super().admit(order)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("awaited", [True, False])
async def test_a_task_that_is_lived_again_has_not_said_that_the_run_ended(
    temporal_address: str, awaited: bool
) -> None:
    """Seen under load: the server refused the task that ended a run, because its flight had been
    cancelled meanwhile; the run went on, with staff, and the record said for ever that it was over.

    Where nobody waits for the end it is said within the task, and what is said after that is true.
    """
    world = BuysMeanwhile()
    world.awaited = awaited
    stage = Stage(await connect(temporal_address, world), world)
    world.publish(json.dumps(ENDS_AT_ONCE))

    async def buys() -> None:
        handle = stage.client.get_workflow_handle(anna.handle.id)
        await handle.signal("touchpoint", touchpoint("Bought", "bought"))

    world.buys = buys
    anna = await stage.enter("brief", "Began")
    async with stage.workers():
        outcome = await anna.outcome()

    said = [record.outcome for _, record in world.records if record.outcome is not None]
    if awaited:
        assert said == [outcome] == ["lost"]
        assert world.handed_back == ["bought"], "what came after the end is handed back, and once"
    else:
        assert said[-1] == outcome
        when = [record.at for _, record in world.records if record.outcome is not None]
        assert when == sorted(set(when)), "what is true is told later than what is not"


SENDS_AT_ONCE = ENDS_AT_ONCE | {
    "journey": "hasty",
    "stages": [
        {
            "stage": "only",
            "steps": [{"send": {"message": "hello", "purpose": "service"}}, {"finish": "told"}],
        }
    ],
}


@pytest.mark.timeout(60)
async def test_a_message_that_is_called_off_takes_no_decision_with_it(
    temporal_address: str,
) -> None:
    """What was decided rides in the message's own input; called off in the same task, it was lost."""
    world = World()
    stage = Stage(await connect(temporal_address, world), world)
    world.publish(json.dumps(SENDS_AT_ONCE))
    anna = await stage.enter("hasty", "Began")
    await anna.does("Bought")
    async with stage.workers():
        assert await anna.outcome() == "bought"

    assert [line.split(":")[0] for line in world.trace()] == [
        "entered",
        "stage",
        "finished",
        "not_sent",
    ]


class MovedMeanwhile(World):
    """Staff move the run while it does what is done at its end."""

    moves: Any = None

    async def answer(self, order: DeliverMessage) -> MessageDelivered:
        if self.moves is not None:
            moves, self.moves = self.moves, None
            await moves()
        return await super().answer(order)


SAYS_GOODBYE = ENDS_AT_ONCE | {
    "journey": "polite",
    "on_exit": [{"send": {"message": "bye", "purpose": "service"}}, {"set": {"run.last": "1"}}],
    "stages": [{"stage": "only", "steps": [{"wait": {"until": "30d"}}, {"finish": "lost"}]}],
}


@pytest.mark.timeout(60)
async def test_who_is_moved_at_their_last_acts_ends_as_they_had(temporal_address: str) -> None:
    """A run that was moved there to a version without these steps failed its task for good."""
    world = MovedMeanwhile()
    stage = Stage(await connect(temporal_address, world), world)
    other = {name: value for name, value in SAYS_GOODBYE.items() if name != "on_exit"}
    new = world.publish(json.dumps(other))
    world.publish(json.dumps(SAYS_GOODBYE))

    async def moves() -> None:
        handle = stage.client.get_workflow_handle(anna.handle.id)
        await handle.execute_update(names.UPDATE_MOVE, {"version": new})

    world.moves = moves
    anna = await stage.enter("polite", "Began")
    await anna.does("Bought")
    async with stage.workers():
        assert await anna.outcome() == "bought"

    assert anna.was_told() == ["bye"]
    failed = [
        event.event_type
        async for event in anna.handle.fetch_history_events()
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    ]
    assert failed == []


@pytest.mark.timeout(60)
async def test_what_comes_while_a_customer_is_refused_is_handed_back(temporal_address: str) -> None:
    world = RefusesMeanwhile()
    stage = Stage(await connect(temporal_address, world), world)

    async def comes_again() -> None:
        handle = stage.client.get_workflow_handle(anna.handle.id)
        await handle.signal("touchpoint", touchpoint("Began", "again"))

    world.comes_again = comes_again
    anna = await stage.enter("nowhere", "Began")
    async with stage.workers():
        outcome = await anna.outcome()

    assert outcome == "not_admitted"
    assert world.handed_back == ["again"]


@pytest.mark.timeout(60)
async def test_who_asks_a_run_that_was_not_admitted_is_answered(temporal_address: str) -> None:
    world = World()
    stage = Stage(await connect(temporal_address, world), world)
    anna = await stage.enter("nowhere", "Began")
    told = touchpoint("Began", "again")
    asking = asyncio.create_task(anna.handle.execute_update(names.UPDATE_TOUCHPOINT_NOW, told))
    await asyncio.sleep(0)  # it is on its way,
    await anna.does("Bought")  # and before this: one that comes as the run ends is aborted instead
    async with stage.workers():
        answer = await asking

        assert (answer["outcome"], answer["decided"]) == (None, [])
        assert await anna.outcome() == "not_admitted"
