"""Two customers become one while both are in the same journey, with a real server."""

from typing import Any

from contracts.ids import workflow_id
from stores.customers import CustomerStore
from tests.integration.conftest import Stack

REPAIR = """
enter: {on: Began Repair, again: always}
exit: [{on: Gave Up, outcome: gave-up}]
on_exit: [{send: {message: sorry-to-see-you-go, purpose: service}}]
stages:
  - stage: asked
    steps:
      - wait: {any: [{on: Looked At}], until: 30d}
      - go: mending
  - stage: mending
    steps:
      - wait: {any: [{on: Paid}], until: 30d}
      - send: {message: thanks-for-paying, purpose: service}
      - wait: {any: [{on: Fetched}], until: 30d}
      - finish: fetched
"""


async def named(stack: Stack, *names: tuple[str, str]) -> str:
    async with stack.pool.connection() as connection:
        return await CustomerStore(stack.pool).resolve(connection, names)


async def tell(stack: Stack, event: str, ours: str) -> None:
    from datetime import UTC, datetime
    from uuid import uuid4

    from stores.touchpoints import NewTouchpoint, store_touchpoints

    one = NewTouchpoint(
        message_id=uuid4().hex, event=event, occurred_at=datetime.now(UTC), customer=ours
    )
    async with stack.pool.connection() as connection:
        await store_touchpoints(connection, [one])
    stack.heard.set()


async def stage(stack: Stack, run: str) -> Any:
    rows = await stack.rows("select stage from runs where workflow_id = %s", run)
    return rows[0]["stage"] if rows else None


async def test_the_mailbox_of_the_run_that_ends_comes_to_the_one_that_stays_exactly_once(
    stack: Stack,
) -> None:
    await stack.write("repair", REPAIR, "sorry-to-see-you-go", "thanks-for-paying")
    device, mia = ("anonymous_id", "mias-phone"), ("user_id", "mia-merges")
    visitor = await named(stack, device)
    ours = await stack.know("mia-merges", email="mia@example.com")
    ahead, behind = workflow_id("repair", ours), workflow_id("repair", visitor)
    for who in (ours, visitor):
        await tell(stack, "Began Repair", who)
    for run in (ahead, behind):
        await stack.until(lambda run=run: stage(stack, run))
    await tell(stack, "Looked At", ours)
    await tell(stack, "Paid", visitor)  # it waits for Looked At: nothing looks at this yet
    await stack.until(lambda: _is(stack, ahead, "mending"))
    await stack.until(lambda: _signalled(stack, behind, "Paid"))

    assert await named(stack, mia, device) == ours
    stack.heard.set()

    ended = await stack.outcome(behind)
    assert ended["outcome"] == "merged"
    await stack.until(lambda: stack.told(ours) == ["thanks-for-paying"])
    await tell(stack, "Fetched", visitor)
    assert (await stack.outcome(ahead))["outcome"] == "fetched"
    assert stack.told(ours) == ["thanks-for-paying"], "once, and nobody was sorry to see her go"
    for run in (ahead, behind):
        assert await stack.failed_tasks(run) == []
    runs = await stack.runs("repair")
    assert {(run.customer, run.outcome) for run in runs} == {(ours, "fetched"), (ours, "merged")}


async def test_who_starts_a_run_by_an_id_of_before_begins_it_for_who_they_are(
    stack: Stack,
) -> None:
    await stack.write("repair-2", REPAIR, "sorry-to-see-you-go", "thanks-for-paying")
    device, mia = ("anonymous_id", "noras-phone"), ("user_id", "nora-merges")
    visitor = await named(stack, device)
    ours = await stack.know("nora-merges", email="nora@example.com")
    await named(stack, mia, device)

    handle = await stack.client.start_workflow(
        "customer_journey",
        {"journey": "repair-2", "customer": visitor},
        id=workflow_id("repair-2", visitor),
        task_queue="journeys",
        start_signal="touchpoint",
        start_signal_args=[{"message_id": "nora-begins", "event": "Began Repair"}],
    )

    result = await stack.outcome(handle.id)
    assert (result["outcome"], result["reason"]) == ("merged", f"this customer became {ours}")
    run = await stack.run_of("nora-merges", "repair-2")
    await stack.until(lambda: stage(stack, workflow_id("repair-2", ours)))
    assert run.customer == ours
    open_ones = await stack.rows(
        "select workflow_id from runs where journey = 'repair-2' and state = 'open'"
    )
    assert [row["workflow_id"] for row in open_ones] == [workflow_id("repair-2", ours)]


async def _is(stack: Stack, run: str, name: str) -> bool:
    return await stage(stack, run) == name


async def _signalled(stack: Stack, run: str, event: str) -> bool:
    rows = await stack.rows(
        "select 1 from arrivals a join touchpoints t using (touchpoint)"
        " where t.event = %s and a.fates::text like %s",
        *(event, f"%{run}%"),
    )
    return bool(rows)
