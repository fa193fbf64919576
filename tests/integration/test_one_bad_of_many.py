"""One customer whose message cannot be put into words: theirs waits for staff, everybody else's goes out.

CLEW_FAULTS_BAD_OF sets of how many it is one.
"""

import os
import time

from contracts.names import SIGNAL_RESUME
from stores.messages import MessageStore
from stores.runs import Run
from tests.integration.conftest import Stack

OF = int(os.environ.get("CLEW_FAULTS_BAD_OF", "30"))
BAD = "bags-1"
JOURNEY = """
enter: {on: Bags Packed, key: event.properties.trip, again: never}
keep: {bags: event.properties.bags}
stages:
  - stage: only
    steps:
      - choose: [{when: '100 / run.bags > 50', do: [{set: {customer.heavy: 'true'}}]}]
      - send: {message: bags-weigh, purpose: service, on_failure: stop}
      - finish: told
"""
WRONG = "---\nsubject: Your bags\n---\nEach weighs {{ 100 | divided_by: run.bags }} kg.\n"
MENDED = "---\nsubject: Your bags\n---\n{% if run.bags == 0 %}You have none.{% else %}You have bags.{% endif %}\n"
LONGEST_LOOP_SECONDS = 60


async def _published(stack: Stack, words: str) -> None:
    await MessageStore(stack.pool).publish("bags-weigh", words)


async def _ended(stack: Stack, count: int) -> list[Run]:
    """The runs, once so many of them have ended."""
    found = list[Run]()

    async def there() -> bool:
        found[:] = [run for run in await stack.runs("bags", most=OF) if run.outcome]
        return len(found) == count

    await stack.until(there, seconds=60 + OF)
    return found


async def test_one_bad_of_many_waits_for_staff_and_all_others_finish(stack: Stack) -> None:
    await _published(stack, WRONG)
    await stack.write("bags", JOURNEY)
    for n in range(1, OF + 1):
        name = f"bags-{n}"
        await stack.know(name, email=f"{name}@example.com")
        bags = 0 if name == BAD else 1 + n % 3
        await stack.tell("Bags Packed", customer=name, trip=name, bags=bags)

    others = await _ended(stack, OF - 1)
    bad = await stack.run_of(BAD, "bags")
    await stack.until(lambda: _needs(stack))

    assert {run.outcome for run in others} == {"told"}
    assert "divi" in str((await stack.run_of(BAD, "bags")).needs_attention), "it says what is wrong"
    handle = stack.client.get_workflow_handle(bad.workflow_id)
    described = (await handle.describe()).raw_description
    assert list(described.pending_activities) == [], "nobody tries in vain meanwhile"
    assert await stack.failed_tasks(bad.workflow_id) == []

    await _published(stack, MENDED)
    began = time.monotonic()
    await handle.signal(SIGNAL_RESUME)
    assert (await stack.outcome(bad.workflow_id))["outcome"] == "told"
    assert time.monotonic() - began < LONGEST_LOOP_SECONDS
    assert [mail.text.strip() for mail in stack.mails if mail.subject == "Your bags"][
        -1
    ] == "You have none."


async def _needs(stack: Stack) -> bool:
    return (await stack.run_of(BAD, "bags")).needs_attention is not None
