"""All who wait at a step of a real server's runs are moved and ended."""

from datetime import UTC, datetime

from contracts.bulk_acts import BulkKind, BulkOrder
from routing.bulk_acts import BulkActs, TemporalBulk
from stores.bulk_acts import BulkAct, BulkActStore
from tests.integration.conftest import Stack

WAITS = """
enter: {on: Set Out In Bulk}
stages:
  - stage: only
    steps:
      - wait: {any: [{on: Arrived In Bulk, do: [{finish: arrived}]}], until: 30d}
      - finish: lost
"""
JOURNEY = "trip-in-bulk"


async def act(
    stack: Stack, kind: BulkKind, version: str, n: int, to_version: str | None = None
) -> BulkAct:
    """Previewed, ordered and carried out."""
    store = BulkActStore(stack.pool)
    await stack.until(lambda: _standing(stack, version, n))
    seen = await store.see(JOURNEY, version, "only/0", datetime.now(UTC))
    await store.order(
        BulkOrder(
            form=f"form-{kind}", kind=kind, bound=seen.bound, shown=seen.n, reason="a trial", by="eva",
            to_version=to_version,
        )
    )  # fmt: skip
    work = BulkActs(store, TemporalBulk(stack.client))

    async def settled() -> bool:
        await work.round()
        return (await store.acts(JOURNEY))[0].waits == 0

    await stack.until(settled)
    return (await store.acts(JOURNEY))[0]


async def test_runs_at_a_wait_are_moved_and_then_ended(stack: Stack) -> None:
    old = await stack.write(JOURNEY, WAITS)
    for customer in ("rover", "nomad", "pilgrim"):
        await stack.tell("Set Out In Bulk", customer=customer)
    await stack.until(lambda: _standing(stack, old, 3))
    new = await stack.write(JOURNEY, WAITS.replace("30d", "40d"))

    moved = await act(stack, "move", old, 3, new)

    assert (moved.shown, moved.done, moved.refused) == (3, 3, 0)
    assert {run.version for run in await stack.runs(JOURNEY, state="open")} == {new}

    await stack.tell("Arrived In Bulk", customer="nomad")
    ended = await act(stack, "end", new, 2)

    assert (ended.shown, ended.done, ended.left_alone) == (2, 2, 0)
    runs = [await stack.run_of(each, JOURNEY) for each in ("rover", "nomad", "pilgrim")]
    outcomes = [(await stack.outcome(run.workflow_id))["outcome"] for run in runs]
    assert outcomes == ["left", "arrived", "left"]


async def _standing(stack: Stack, version: str, n: int) -> bool:
    seen = await BulkActStore(stack.pool).see(JOURNEY, version, "only/0", datetime.now(UTC))
    return seen.n == n
