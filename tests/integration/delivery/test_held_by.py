"""Whose customer is in a journey that holds marketing back gets it when that ends, and no later."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from contracts.names import UPDATE_LEAVE
from stores.runs import Run
from tests.integration.conftest import Stack

HOLDING = """
enter: {on: Complained}
while_running: {hold: marketing}
exit: [{on: Resolved, outcome: resolved}]
stages:
  - stage: only
    steps:
      - wait: {any: [{on: Settled, do: [{finish: settled}]}], until: 90d}
      - finish: forgotten
"""
SPEAKING = """
enter: {on: Signed Up}
stages:
  - stage: only
    steps:
      - send: {message: welcome, purpose: service}
      - send: {message: buy-more, purpose: marketing}
      - finish: told
"""
RACING = 20


@pytest_asyncio.fixture
async def town(stack: Stack) -> Stack:
    """Where one journey holds back marketing, and another one has a service message and marketing to send."""
    await stack.write("holding", HOLDING)
    await stack.write("speaking", SPEAKING, "welcome", "buy-more")
    return stack


async def known(stack: Stack, name: str) -> str:
    return await stack.know(name, email=f"{name}@example.com")


async def put_off_till_tomorrow(stack: Stack, run: Run) -> bool:
    """Nothing but the end of what holds it lets this run's message go out within the test."""
    told = await stack.status(run.workflow_id)
    wakes_at = datetime.fromisoformat(told["wakes_at"]) if told["wakes_at"] else None
    return wakes_at is not None and wakes_at > datetime.now(UTC) + timedelta(hours=12)


async def deliveries(stack: Stack, customer: str) -> dict[str, str]:
    rows = await stack.rows(
        "select message, state || coalesce(nullif(': ' || words, ': '), '') as told"
        " from deliveries where customer = %s order by n",
        customer,
    )
    return {row["message"]: row["told"] for row in rows}


async def ends_by_exit(stack: Stack, name: str, run: Run) -> None:
    await stack.tell("Resolved", customer=name)


async def ends_by_finish(stack: Stack, name: str, run: Run) -> None:
    await stack.tell("Settled", customer=name)


async def is_told_to_leave(stack: Stack, name: str, run: Run) -> None:
    handle = stack.client.get_workflow_handle(run.workflow_id)
    await handle.execute_update(UPDATE_LEAVE, {"reason": "asked to"})


@pytest.mark.parametrize(
    ("ends", "outcome"),
    [(ends_by_exit, "resolved"), (ends_by_finish, "settled"), (is_told_to_leave, "left")],
)
async def test_marketing_waits_for_the_journey_that_holds_it_however_that_ends(
    town: Stack, ends: Callable[[Stack, str, Run], Awaitable[None]], outcome: str
) -> None:
    name = f"emil-{outcome}"
    emil = await known(town, name)
    await town.tell("Complained", customer=name)
    holding = await town.run_of(name, "holding")
    await town.tell("Signed Up", customer=name)
    speaking = await town.run_of(name, "speaking")
    await town.until(lambda: put_off_till_tomorrow(town, speaking))
    assert town.told(emil) == ["welcome"], "service does not wait"
    assert await deliveries(town, emil) == {
        "welcome": "accepted",
        "buy-more": "deferred: held_by: the customer is in holding",
    }

    await ends(town, name, holding)

    assert (await town.outcome(speaking.workflow_id))["outcome"] == "told"
    assert (await town.outcome(holding.workflow_id))["outcome"] == outcome
    assert town.told(emil) == ["welcome", "buy-more"]


async def test_the_journey_that_comes_first_speaks_and_the_other_one_after_it(stack: Stack) -> None:
    for journey, priority in (("rescue", 80), ("newsletter", 20)):
        text = f"""
enter: {{on: Fell Behind, when: 'event.properties.journey == "{journey}"'}}
priority: {priority}
stages:
  - stage: only
    steps:
      - send: {{message: from-{journey}, purpose: marketing}}
      - wait: {{any: [{{on: Caught Up, do: [{{finish: well}}]}}], until: 90d}}
      - finish: over
"""
        await stack.write(journey, text, f"from-{journey}")
    ferda = await known(stack, "ferda-first")
    await stack.tell("Fell Behind", customer="ferda-first", journey="rescue")
    await stack.until(lambda: stack.told(ferda) == ["from-rescue"])
    await stack.tell("Fell Behind", customer="ferda-first", journey="newsletter")
    newsletter = await stack.run_of("ferda-first", "newsletter")
    await stack.until(lambda: put_off_till_tomorrow(stack, newsletter))
    assert (await deliveries(stack, ferda))["from-newsletter"] == (
        "deferred: held_by: the customer is in rescue"
    )

    rescue = await stack.run_of("ferda-first", "rescue")
    await stack.tell("Caught Up", customer="ferda-first")

    assert (await stack.outcome(rescue.workflow_id))["outcome"] == "well"
    await stack.until(lambda: stack.told(ferda) == ["from-rescue", "from-newsletter"])


async def test_the_end_of_one_journey_does_not_let_go_what_another_still_holds(
    town: Stack,
) -> None:
    await town.write("also-holding", HOLDING.replace("Complained", "Broke Down"))
    gita = await known(town, "gita-twice")
    await town.tell("Complained", customer="gita-twice")
    holding = await town.run_of("gita-twice", "holding")
    await town.tell("Broke Down", customer="gita-twice")
    also = await town.run_of("gita-twice", "also-holding")
    await town.tell("Signed Up", customer="gita-twice")
    speaking = await town.run_of("gita-twice", "speaking")
    await town.until(lambda: put_off_till_tomorrow(town, speaking))

    await is_told_to_leave(town, "gita-twice", holding)
    await town.until(lambda: _held_by(town, gita, "also-holding"))
    assert town.told(gita) == ["welcome"]

    await is_told_to_leave(town, "gita-twice", also)
    assert (await town.outcome(speaking.workflow_id))["outcome"] == "told"
    assert town.told(gita) == ["welcome", "buy-more"]


async def _held_by(stack: Stack, customer: str, journey: str) -> bool:
    told = (await deliveries(stack, customer)).get("buy-more")
    return told == f"deferred: held_by: the customer is in {journey}"


async def test_what_is_of_no_use_any_more_when_it_may_go_is_not_sent(town: Stack) -> None:
    await town.write(
        "flash-sale",
        "enter: {on: Looked Around}\n"
        "stages: [{stage: only, steps: [{send: {message: two-seconds-left, purpose: marketing, good_for: 2s}},"
        " {finish: over}]}]\n",
        "two-seconds-left",
    )
    hugo = await known(town, "hugo-held")
    await town.tell("Complained", customer="hugo-held")
    holding = await town.run_of("hugo-held", "holding")
    await town.tell("Looked Around", customer="hugo-held")
    sale = await town.run_of("hugo-held", "flash-sale")

    assert (await town.outcome(sale.workflow_id))["outcome"] == "over"

    assert town.told(hugo) == []
    told = (await deliveries(town, hugo))["two-seconds-left"]
    assert told.startswith("refused: its time passed at ")
    assert (await town.status(holding.workflow_id))["outcome"] is None


async def test_nobody_waits_till_tomorrow_whose_hold_ends_while_their_message_is_decided(
    town: Stack,
) -> None:
    names = [f"racing-{number}" for number in range(RACING)]
    ours = {each: await known(town, each) for each in names}
    await asyncio.gather(*(town.tell("Complained", customer=each) for each in names))
    for each in names:
        await town.run_of(each, "holding")

    async def race(number: int, name: str) -> str:
        await town.tell("Signed Up", customer=name)
        speaking = await town.run_of(name, "speaking")
        if number % 3 == 1:
            await town.until(lambda: town.told(ours[name]))
        if number % 3 == 2:
            await town.until(lambda: _held_by(town, ours[name], "holding"))
        await town.tell("Resolved", customer=name)
        return (await town.outcome(speaking.workflow_id))["outcome"]

    outcomes = await asyncio.gather(*(race(*each) for each in enumerate(names)))

    assert Counter(outcomes) == {"told": RACING}
    assert [town.told(ours[each]) for each in names] == [["welcome", "buy-more"]] * RACING
