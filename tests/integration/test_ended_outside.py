"""Somebody terminates a run in Temporal's Web UI: on a real server, what we hold follows."""

from datetime import UTC, datetime

from routing.run_sweeper import RunSweeper
from routing.temporal_standing import TemporalStanding
from stores.run_sweep import RunSweepStore
from tests.integration.conftest import Stack

INNER = """
enter: {by: request, again: always}
stages:
  - stage: only
    steps:
      - handoff: {queue: guides, brief: Help them, decisions: {helped: {}}}
      - finish: helped
"""
OUTER = """
enter: {on: Set Out Terminated, again: always}
stages:
  - stage: only
    steps:
      - run: {journey: guided-terminated, until: 30d, outcomes: {ended-outside: [{finish: alone}]}}
      - finish: guided
"""


async def test_who_was_terminated_is_ended_let_go_and_may_come_again(stack: Stack) -> None:
    await stack.write("guided-terminated", INNER)
    await stack.write("trip-terminated", OUTER)
    await stack.tell("Set Out Terminated", customer="walker")
    guided = await stack.run_of("walker", "guided-terminated")
    trip = await stack.run_of("walker", "trip-terminated")
    await stack.until(lambda: _cases(stack, guided.entry, "open"))
    handle = stack.client.get_workflow_handle(guided.workflow_id)
    await handle.terminate(reason="a trial of ours")
    await stack.rows(
        "update runs set updated_at = now() - interval '1 hour' where entry = %s returning 1",
        guided.entry,
    )
    store = RunSweepStore(stack.pool, lambda: datetime.now(UTC), stack.heard.set, waits=False)
    work = RunSweeper(store, TemporalStanding(stack.client))

    async def swept() -> bool:
        await store.anew()
        await work.round()
        return any(each.run.entry == guided.entry for each in work.ended)

    await stack.until(swept)

    [told] = await stack.rows(
        "select state, outcome, reason, detail from runs where entry = %s", guided.entry
    )
    assert (told["state"], told["outcome"], told["reason"]) == (
        "finished",
        "ended-outside",
        "terminated",
    )
    assert "a trial of ours" in told["detail"]
    assert await _cases(stack, guided.entry, "closed")
    assert (await stack.outcome(trip.workflow_id))["outcome"] == "alone"
    assert [each.run.entry for each in work.ended if each.run.entry == trip.entry] == []

    await stack.tell("Set Out Terminated", customer="walker")
    await stack.entries("guided-terminated", 2)
    again = await stack.run_of("walker", "guided-terminated")
    assert (again.entry, again.state) != (guided.entry, "not_admitted")
    for run in await stack.runs("trip-terminated", state="open"):
        await stack.client.get_workflow_handle(run.workflow_id).execute_update(
            "leave", {"reason": "the test is over"}
        )
    for run in await stack.runs("guided-terminated", state="open"):
        await stack.client.get_workflow_handle(run.workflow_id).execute_update(
            "leave", {"reason": "the test is over"}
        )


async def _cases(stack: Stack, entry: int, state: str) -> bool:
    found = await stack.rows("select state from cases where entry = %s", entry)
    return [each["state"] for each in found] == [state]
