"""A journey lets its customer enter another one, and hears how that ended, or that it never began."""

import asyncio
from collections import Counter

from stores.definitions import DefinitionStore
from stores.runs import Run
from tests.integration.conftest import Stack

INNER = """
enter: {by: request, again: %s}
keep: {what: event.properties.what}
goal: {outcome: settled, within: 5d}
stages:
  - stage: only
    steps:
      - choose: [{when: 'run.what == "nothing"', do: [{finish: empty}]}]
      - wait: {any: [{on: Settled, do: [{finish: settled}]}], until: 10d}
      - finish: open
"""
OUTER = """
enter: {on: Began Outer, key: event.properties.number, again: always}
keep: {what: event.properties.what}
exit: [{on: Gave Up, outcome: gave-up}]
stages:
  - stage: only
    steps:
      - run:
          journey: %s
          with: {what: run.what}
          as: inner
          until: %s
          outcomes:
            settled: [{choose: [{when: inner.goal == true, do: [{finish: well}]}]}]
            empty: [{finish: for-nothing}]
          late: [{finish: late}]
      - choose:
          - {when: 'inner.reason == "the journey is not live"', do: [{finish: not-live}]}
          - {when: 'inner.outcome == "not_admitted"', do: [{finish: once-is-enough}]}
      - finish: badly
"""


async def both(stack: Stack, name: str, again: str = "never", until: str = "20d") -> None:
    """A journey that lets its customer enter another one, of these names."""
    await stack.write(f"inner-{name}", INNER % again)
    outer = OUTER.replace("Began Outer", f"Began {name}") % (f"inner-{name}", until)
    await stack.write(f"outer-{name}", outer)


async def begin(
    stack: Stack, name: str, customer: str, what: str = "a bag", number: int = 1
) -> Run:
    await stack.tell(f"Began {name}", customer=customer, what=what, number=number)
    return await stack.run_of(customer, f"outer-{name}")


async def outcome(stack: Stack, run: Run) -> str:
    return (await stack.outcome(run.workflow_id))["outcome"]


async def test_a_run_hears_how_the_one_ended_that_it_began(stack: Stack) -> None:
    await both(stack, "heard")
    outer = await begin(stack, "heard", "fay-outer")
    await stack.run_of("fay-outer", "inner-heard")
    await stack.tell("Settled", customer="fay-outer")
    assert await outcome(stack, outer) == "well"

    await begin(stack, "heard", "fay-outer", number=2)
    again = (await stack.entries("outer-heard", 2))[0]

    assert await outcome(stack, again) == "once-is-enough"


async def test_an_end_that_comes_at_once_is_heard_by_everybody(stack: Stack) -> None:
    await both(stack, "at-once")
    names = [f"at-once-{number}" for number in range(12)]

    runs = await asyncio.gather(*(begin(stack, "at-once", each, what="nothing") for each in names))

    assert {await outcome(stack, run) for run in runs} == {"for-nothing"}
    assert len(await stack.runs("inner-at-once")) == len(names)


async def test_a_journey_that_is_not_live_is_heard_of_at_once(stack: Stack) -> None:
    await both(stack, "retired")
    await DefinitionStore(stack.pool).retire("inner-retired")

    assert await outcome(stack, await begin(stack, "retired", "gil-outer")) == "not-live"


async def test_who_may_not_enter_the_other_journey_is_heard_of_at_once(stack: Stack) -> None:
    await both(stack, "full")
    await stack.write(
        "inner-full", (INNER % "always").replace("by: request", "by: request, cap: {per_day: 1}")
    )
    first = await begin(stack, "full", "hal-outer")
    await stack.run_of("hal-outer", "inner-full")

    assert await outcome(stack, await begin(stack, "full", "ivy-outer")) == "once-is-enough"
    assert (await stack.status(first.workflow_id))["outcome"] is None


async def test_of_two_that_ask_at_once_one_hears_the_outcome_and_the_other_that_it_is_under_way(
    stack: Stack,
) -> None:
    await both(stack, "pair", again="always")
    names = [f"pair-{number}" for number in range(8)]
    await asyncio.gather(
        *(
            stack.tell("Began pair", customer=name, what="a bag", number=number)
            for name in names
            for number in (1, 2)
        )
    )
    outers = await stack.entries("outer-pair", 2 * len(names))
    refused = asyncio.gather(*(stack.outcome(run.workflow_id) for run in outers))
    await stack.until(lambda: _finished(stack, "outer-pair", len(names)))
    await asyncio.gather(*(stack.tell("Settled", customer=name) for name in names))

    seen = Counter(each["outcome"] for each in await refused)
    assert seen == {"well": len(names), "once-is-enough": len(names)}
    assert len(await stack.runs("inner-pair", state="finished")) == len(names)


async def _finished(stack: Stack, journey: str, count: int) -> bool:
    return len(await stack.runs(journey, state="finished")) == count


async def test_a_run_that_does_not_wait_goes_on_and_the_other_lives_by_itself(
    stack: Stack,
) -> None:
    await stack.write("inner-free", INNER % "never")
    await stack.write(
        "outer-free",
        """
enter: {on: Began free}
stages:
  - stage: only
    steps:
      - run: {journey: inner-free, with: {what: '"a bag"'}, wait: false}
      - finish: went-on
""",
    )
    await stack.tell("Began free", customer="jan-outer")
    outer = await stack.run_of("jan-outer", "outer-free")

    assert await outcome(stack, outer) == "went-on"
    inner = await stack.run_of("jan-outer", "inner-free")
    assert (await stack.status(inner.workflow_id))["outcome"] is None
    await stack.tell("Settled", customer="jan-outer")
    assert await outcome(stack, inner) == "settled"


async def test_the_end_of_a_run_does_not_disturb_the_one_that_it_began(stack: Stack) -> None:
    await both(stack, "left")
    outer = await begin(stack, "left", "kai-outer")
    inner = await stack.run_of("kai-outer", "inner-left")
    await stack.tell("Gave Up", customer="kai-outer")
    assert await outcome(stack, outer) == "gave-up"
    assert (await stack.status(inner.workflow_id))["outcome"] is None

    await stack.tell("Settled", customer="kai-outer")

    assert await outcome(stack, inner) == "settled"
    await stack.until(lambda: _told_of_the_end(stack, "kai-outer"))
    assert await stack.failed_tasks(outer.workflow_id) == []
    assert await stack.failed_tasks(inner.workflow_id) == []


async def _told_of_the_end(stack: Stack, name: str) -> bool:
    """Nobody waits for it any more, and that is written down."""
    rows = await stack.rows(
        "select a.fates from arrivals a join touchpoints t using (touchpoint)"
        " join identities i on i.customer = a.customer"
        " where i.value = %s and t.event = 'Run Ended'",
        name,
    )
    return [[fate["fate"] for fate in row["fates"]] for row in rows] == [["ignored"]]


async def test_an_outcome_that_comes_too_late_is_not_waited_for(stack: Stack) -> None:
    await both(stack, "slow", until="1s")
    outer = await begin(stack, "slow", "leo-outer")
    inner = await stack.run_of("leo-outer", "inner-slow")

    assert await outcome(stack, outer) == "late"

    assert (await stack.status(inner.workflow_id))["outcome"] is None
    await stack.tell("Settled", customer="leo-outer")
    assert await outcome(stack, inner) == "settled"
