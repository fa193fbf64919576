"""An erasure on a real Temporal: open runs, closed ones, and what somebody's own SDK began."""

from typing import Any
from uuid import uuid4

from temporalio.service import RPCError

from contracts.ids import workflow_id
from routing.erasing import Eraser
from routing.temporal_executions import TemporalExecutions
from stores.erased_hashes import ErasedHashes
from stores.erasures import ErasureStore
from tests.integration.conftest import Stack
from tests.integration.erasure.conftest import SECRET

JOURNEY = """
enter: {on: Wanted, key: event.properties.what, again: always}
stages:
  - stage: asked
    steps:
      - send: {message: heard, purpose: service}
      - wait: {any: [{on: Over, when: 'event.properties.what == run.key', do: [{finish: over}]}], until: 30d}
      - finish: forgotten
"""


async def test_every_execution_of_a_customer_is_gone_open_closed_and_foreign(stack: Stack) -> None:
    journey, user = f"erased-{uuid4().hex[:6]}", f"zq{uuid4().hex[:8]}"
    await stack.write(journey, JOURNEY.replace("run.key", "event.properties.what"), "heard")
    anna = await stack.know(user, email=f"{user}@example.com")
    ben = await stack.know(f"{user}-other", email=f"{user}-other@example.org")
    for customer, what in ((user, "one"), (user, "two"), (f"{user}-other", "one")):
        await stack.tell("Wanted", customer=customer, what=what)
    await stack.entries(journey, 3)
    request = {"journey": journey, "customer": user, "key": "foreign"}
    touchpoint: dict[str, Any] = {
        "message_id": uuid4().hex,
        "event": "Wanted",
        "properties": {"what": "foreign", "plain": user},
    }
    await stack.client.start_workflow(
        "customer_journey",
        request,
        id=workflow_id(journey, user, "foreign"),
        task_queue="journeys",
        start_signal="touchpoint",
        start_signal_args=[touchpoint],
    )
    runs = await stack.entries(journey, 4)
    await stack.until(lambda: len(stack.told(anna)) == 3)
    store = ErasureStore(stack.pool, hashes=ErasedHashes(SECRET))

    erasure = await store.begin(anna, by="eva")
    await stack.tell("Wanted", customer=user, what="late")
    await Eraser(store, TemporalExecutions(stack.client), "tests").finish(erasure)

    proof = await store.proof(erasure)
    assert (proof.state, proof.executions) == ("done", 3)
    assert await _there(stack, [run.workflow_id for run in runs]) == {
        run.workflow_id for run in runs if run.customer == ben
    }
    for table in ("runs", "deliveries", "trace", "identities", "touchpoints", "outbox"):
        rows = await stack.rows(f"select to_jsonb(t)::text as row from {table} t")
        assert not [row for row in rows if anna in row["row"] or f"{user}@" in row["row"]], table


async def _there(stack: Stack, workflow_ids: list[str]) -> set[str]:
    """Those under which the server still has an execution."""
    left = set[str]()
    for each in workflow_ids:
        try:
            await stack.client.get_workflow_handle(each).describe()
        except RPCError:
            continue
        left.add(each)
    return left
