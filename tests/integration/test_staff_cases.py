"""A case on the real stack: its own workflow keeps its time, shows how it stands, and the run hears what came of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError

from contracts.names import QUERY_STANDING, STAFF_CASE
from journey.business_time import DAYS
from stores.case_desk import CaseDesk
from stores.case_rows import Case
from stores.published import HOUSE, PublishedStore
from tests.integration.conftest import Stack

ALWAYS = {"week": {day: ["00:00-24:00"] for day in DAYS}}
QUEUES: dict[str, Any] = {
    "queues": [
        {
            "queue": "rooms",
            "title": "Rooms desk",
            "hours": ALWAYS,
            "first_answer": "2 business hours",
        },
        {"queue": "rooms-leads", "hours": ALWAYS},
    ]
}
STAYS = """
enter: {on: %s}
stages:
  - stage: only
    steps:
      - handoff:
          as: help
          queue: rooms
          brief: The room is cold
          first_answer: %s
          resolve: %s
          escalate_to: rooms-leads
          decisions: {moved: {do: [{finish: moved}]}}
          late: [{finish: nobody-came}]
"""


@pytest.fixture(autouse=True)
async def _queues(stack: Stack) -> None:
    await PublishedStore(stack.pool).publish("queues", HOUSE, QUEUES)


async def case_of(stack: Stack, customer: str) -> Case:
    found: list[Case] = []

    async def there() -> bool:
        found[:] = await CaseDesk(stack.pool).cases(customer=customer)
        return bool(found)

    await stack.until(there)
    return found[0]


async def clock_of(stack: Stack, case: Case) -> Any:
    entry, n = case.short_name.split(":")
    return stack.client.get_workflow_handle(f"case/{case.workflow_id}/{entry}/{n}")


async def shows(stack: Stack, handle: Any, words: str) -> bool:
    """Whether this is what a person sees in the Web UI."""
    assert stack.opening is not None
    seen = stack.opening.get_workflow_handle(handle.id)
    try:
        metadata = await seen.query("__temporal_workflow_metadata")
    except RPCError:  # it is not there yet
        return False
    return words in str(metadata)


async def test_a_case_is_seen_with_its_deadline_and_ends_with_the_decision(stack: Stack) -> None:
    await stack.write(
        "cold-room", STAYS % ("Room Was Cold", "2 business hours", "5 business hours")
    )
    guest = await stack.know("guest-cold")
    await stack.tell("Room Was Cold", customer="guest-cold")
    case = await case_of(stack, guest)
    clock = await clock_of(stack, case)

    await stack.until(lambda: shows(stack, clock, "open in Rooms desk, first answer by"))
    described = await clock.describe()
    assert described.workflow_type == STAFF_CASE
    assert (await clock.query(QUERY_STANDING))["state"] == "open"

    desk = CaseDesk(stack.pool, stack.heard.set)
    await desk.claim(case.case, "eva")
    await stack.until(lambda: shows(stack, clock, "eva has it, decided by"))
    await desk.decide(case.case, "moved", {}, by="eva")

    run = await stack.run_of("guest-cold")
    assert (await stack.outcome(run.workflow_id))["outcome"] == "moved"
    assert await clock.result() == {"state": "resolved"}
    assert await stack.failed_tasks(run.workflow_id) == []


async def test_a_case_nobody_takes_is_escalated_and_at_last_the_journey_goes_on_without(
    stack: Stack,
) -> None:
    await stack.write("no-towels", STAYS % ("Towels Missing", "1s", "3s"))
    guest = await stack.know("guest-towels")
    await stack.tell("Towels Missing", customer="guest-towels")
    case = await case_of(stack, guest)

    run = await stack.run_of("guest-towels")
    assert (await stack.outcome(run.workflow_id))["outcome"] == "nobody-came"

    ended = await CaseDesk(stack.pool).case(case.case)
    assert ended is not None
    assert (ended.state, ended.queue) == ("expired", "rooms-leads")
    assert [each["to"] for each in ended.escalations] == ["rooms-leads"]
    clock = await clock_of(stack, case)
    assert await clock.result() == {"state": "expired"}


async def test_a_clock_that_somebody_ended_in_the_web_ui_is_started_again(stack: Stack) -> None:
    await stack.write("lost-key", STAYS % ("Key Lost", "2 business hours", "5 business hours"))
    guest = await stack.know("guest-key")
    await stack.tell("Key Lost", customer="guest-key")
    case = await case_of(stack, guest)
    clock = await clock_of(stack, case)
    await stack.until(lambda: shows(stack, clock, "open in Rooms desk"))
    await clock.terminate()

    # The moment at which it should have looked has passed.
    passed = datetime.now(UTC) - timedelta(minutes=2)
    await stack.rows(
        'update cases set look_at = %s where "case" = %s returning 1', passed, case.case
    )
    await stack.overlooked()

    async def runs_again() -> bool:
        return (await clock.describe()).status == WorkflowExecutionStatus.RUNNING

    await stack.until(runs_again)
    desk = CaseDesk(stack.pool, stack.heard.set)
    await desk.decide(case.case, "moved", {}, by="eva")
    assert await clock.result() == {"state": "resolved"}


async def test_a_case_that_is_opened_again_has_a_clock_again(stack: Stack) -> None:
    await stack.write("noisy", STAYS % ("Noise Heard", "2 business hours", "5 business hours"))
    guest = await stack.know("guest-noise")
    await stack.tell("Noise Heard", customer="guest-noise")
    case = await case_of(stack, guest)
    clock, desk = await clock_of(stack, case), CaseDesk(stack.pool, stack.heard.set)
    await stack.until(lambda: shows(stack, clock, "open in Rooms desk"))
    await desk.decide(case.case, "moved", {}, by="eva")
    assert await clock.result() == {"state": "resolved"}

    await desk.reopen(case.case, "eva", why="Still noisy")

    await stack.until(lambda: shows(stack, clock, "reopened in Rooms desk"))
    await desk.decide(case.case, "moved", {}, by="eva")
    assert await clock.result() == {"state": "resolved"}
