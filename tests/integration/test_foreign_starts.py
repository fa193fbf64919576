"""Runs begun by anybody with a Temporal SDK: each ends or goes on with a recorded fate."""

from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowHandle
from temporalio.common import RawValue

from contracts.ids import workflow_id
from tests.integration.conftest import Stack

REFUND = """
language: 1
journey: {journey}
title: Give a refund
owner: support
enter:
  on: Refund Asked
  when: 'event.properties.amount >= 10.0'
  again: {again}
{key}
stages:
  - stage: asked
    steps:
      - wait:
          any: [{{on: Refund Paid, do: [{{finish: paid}}]}}]
          until: 30d
          late: [{{finish: forgotten}}]
"""


async def published(stack: Stack, *, again: str = "never", key: str = "") -> str:
    journey = f"refund-x{uuid4().hex[:8]}"
    line = f"  key: {key}" if key else ""
    await stack.publish_text(REFUND.format(journey=journey, again=again, key=line))
    return journey


def asked(message_id: str | None = None, **properties: Any) -> dict[str, Any]:
    given = {"amount": 80.0, **properties}
    return {"message_id": message_id or uuid4().hex, "event": "Refund Asked", "properties": given}


PAID = {"event": "Refund Paid"}


async def start(
    client: Client, journey: str, customer: str, *signals: dict[str, Any], **given: Any
) -> WorkflowHandle[Any, Any]:
    """Signal-with-start with nothing but names, as other languages do it."""
    first = signals[0] if signals else asked()
    request = {"journey": journey, "customer": customer, **given}
    return await client.start_workflow(
        "customer_journey",
        request,
        id=workflow_id(journey, customer, given.get("key")),
        task_queue="journeys",
        start_signal="touchpoint",
        start_signal_args=[first],
    )


async def live_through(stack: Stack, handle: WorkflowHandle[Any, Any]) -> dict[str, Any]:
    """The run's result, where none of its tasks has failed."""
    result = await stack.outcome(handle.id)
    assert await stack.failed_tasks(handle.id) == []
    return result


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="nothing"),
        pytest.param([{"journey": "a", "customer": "b"}, "c"], id="two arguments"),
        pytest.param(["flight"], id="text"),
        pytest.param([[1, 2]], id="a list"),
        pytest.param([None], id="null"),
        pytest.param([{}], id="no names"),
        pytest.param([{"journey": 7, "customer": {}}], id="names of other types"),
        pytest.param([{"journey": "a\0b", "customer": "c"}], id="a name with U+0000"),
        pytest.param([{"journey": "x" * 400, "customer": "b"}], id="a name too long"),
        pytest.param([{"journey": "a", "customer": "b", "clock": 5}], id="a clock that is none"),
        pytest.param(
            [RawValue(Payload(metadata={"encoding": b"binary/plain"}, data=b"\x00\xff\xfe"))],
            id="binary",
        ),
        pytest.param(
            [RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b"{broken"))],
            id="broken JSON",
        ),
        pytest.param(
            [RawValue(Payload(metadata={"encoding": b"json/protobuf"}, data=b"{}"))],
            id="protobuf without a type",
        ),
        pytest.param([RawValue(Payload(data=b"??"))], id="no encoding"),
        pytest.param(
            [
                RawValue(
                    Payload(
                        metadata={"encoding": b"json/plain", "clew-definition": b"\xff"}, data=b"1"
                    )
                )
            ],
            id="a definition nobody has",
        ),
    ],
)
async def test_a_start_that_cannot_be_read_ends_and_says_why(
    stack: Stack, arguments: list[Any]
) -> None:
    handle = await stack.client.start_workflow(
        "customer_journey", args=arguments, id=f"unreadable/{uuid4()}", task_queue="journeys"
    )

    result = await live_through(stack, handle)

    assert result["outcome"] == "not_admitted"
    assert result["reason"].startswith("unreadable_start: ")


@pytest.mark.parametrize(
    "clock",
    [
        {"wall_epoch": "2026-01-01T00:00:00", "run_epoch": "2026-01-01T00:00:00", "factor": 2},
        {"wall_epoch": "2026-01-01T00:00:00Z", "run_epoch": "2026-01-01T00:00:00Z", "factor": 0},
        {"wall_epoch": "2026-01-01T00:00:00Z", "run_epoch": "2026-01-01T00:00:00Z", "factor": -1},
        {"wall_epoch": "0001-01-01T00:00:00Z", "run_epoch": "9999-01-01T00:00:00Z", "factor": 1e5},
        {"wall_epoch": "9999-01-01T00:00:00Z", "run_epoch": "0001-01-01T00:00:00Z", "factor": 1e5},
    ],
    ids=["no zone", "stands still", "runs backwards", "beyond the calendar", "before the calendar"],
)
async def test_a_clock_that_cannot_be_followed_ends_the_run_and_says_why(
    stack: Stack, clock: dict[str, Any]
) -> None:
    journey = await published(stack)

    handle = await start(stack.client, journey, f"c-{uuid4()}", clock=clock)

    result = await live_through(stack, handle)
    assert result["outcome"] == "not_admitted"
    assert "clock" in result["reason"]


async def test_another_workflow_type_on_our_queue_ends_and_says_why(stack: Stack) -> None:
    handle = await stack.client.start_workflow(
        "order_saga", {"order": 5}, id=f"stray/{uuid4()}", task_queue="journeys"
    )

    result = await live_through(stack, handle)

    assert result["reason"].startswith("unknown_workflow_type")


async def test_an_unknown_journey_admits_nobody_and_is_written_down(stack: Stack) -> None:
    handle = await start(stack.client, "no-such-journey", "anna-of-nowhere")

    result = await live_through(stack, handle)

    assert result["outcome"] == "not_admitted"
    assert result["reason"].startswith("unknown_journey")
    fates = await stack.runs("no-such-journey", state="not_admitted")
    assert [run.workflow_id for run in fates] == [handle.id]


async def test_an_unknown_version_admits_nobody(stack: Stack) -> None:
    journey = await published(stack)

    handle = await start(stack.client, journey, "vera", version="f" * 64)

    assert (await live_through(stack, handle))["reason"].startswith("unknown_journey")
    assert await stack.runs(journey, state="open") == []


async def test_a_touchpoint_that_the_journey_does_not_want_enters_nobody(stack: Stack) -> None:
    journey = await published(stack)

    handle = await start(stack.client, journey, "walt", asked(amount=1.0))

    assert (await live_through(stack, handle))["reason"].startswith("not_wanted")
    [fate] = await stack.runs(journey)
    assert (fate.state, fate.reason) == ("not_admitted", "not_wanted")


async def test_a_condition_that_fails_on_the_touchpoint_enters_nobody(stack: Stack) -> None:
    journey = await published(stack)

    handle = await start(stack.client, journey, "wanda", asked(amount={"no": "number"}))

    assert (await live_through(stack, handle))["reason"].startswith("not_wanted")


async def test_another_touchpoint_than_the_entering_one_enters_nobody(stack: Stack) -> None:
    journey = await published(stack)

    handle = await start(stack.client, journey, "otto", {"event": "Refund Paid"})

    assert (await live_through(stack, handle))["reason"].startswith("no_entering_touchpoint")


async def test_text_that_a_database_cannot_hold_blocks_nobody(stack: Stack) -> None:
    journey = await published(stack)
    nul = asked("message\0id", amount=20.0, note="nul \0 and \uffff", **{"name\0": {"\0": ["\0"]}})

    handle = await start(stack.client, journey, "nelly", nul)
    await handle.signal("touchpoint", {"event": "Refund\0Paid", "message_id": "\0"})
    await handle.signal("touchpoint", PAID)

    assert (await live_through(stack, handle))["outcome"] == "paid"


async def test_a_nonsense_first_signal_enters_nobody(stack: Stack) -> None:
    journey = await published(stack)
    handle = await stack.client.start_workflow(
        "customer_journey",
        {"journey": journey, "customer": "nora"},
        id=workflow_id(journey, "nora"),
        task_queue="journeys",
        start_signal="touchpoint",
        start_signal_args=["a", "b", 3],
    )
    await handle.signal("touchpoint", {"event": "Refund Paid"})

    assert (await live_through(stack, handle))["reason"].startswith("no_entering_touchpoint")


async def test_a_key_that_is_not_the_journeys_enters_nobody(stack: Stack) -> None:
    journey = await published(stack, key="event.properties.order")

    handle = await start(stack.client, journey, "kim", asked(order="A1"), key="B2")

    assert (await live_through(stack, handle))["reason"].startswith("wrong_key")


async def test_who_may_enter_once_does_not_enter_twice(stack: Stack) -> None:
    journey = await published(stack, again="never")
    first = await start(stack.client, journey, "ann")
    await first.signal("touchpoint", PAID)
    assert (await live_through(stack, first))["outcome"] == "paid"

    second = await start(stack.client, journey, "ann")

    assert (await live_through(stack, second))["reason"].startswith("entered_before")
    assert [run.state for run in await stack.runs(journey)] == ["not_admitted", "finished"]


async def test_who_may_enter_after_a_week_does_not_enter_now(stack: Stack) -> None:
    journey = await published(stack, again="after 7d")
    first = await start(stack.client, journey, "amy")
    await first.signal("touchpoint", PAID)
    await live_through(stack, first)

    second = await start(stack.client, journey, "amy")

    assert (await live_through(stack, second))["reason"].startswith("too_soon")


async def test_an_entering_message_that_comes_again_after_the_end_enters_nobody(
    stack: Stack,
) -> None:
    journey = await published(stack, again="always")
    message = asked("refund-7")
    first = await start(stack.client, journey, "rita", message)
    await first.signal("touchpoint", PAID)
    assert (await live_through(stack, first))["outcome"] == "paid"

    redelivered = await start(stack.client, journey, "rita", message)

    assert (await live_through(stack, redelivered))["reason"].startswith("already_entered")
    assert [run.state for run in await stack.runs(journey)] == ["not_admitted", "finished"]


async def test_an_entering_message_that_comes_again_under_way_counts_once(stack: Stack) -> None:
    journey = await published(stack, again="always")
    message = asked("refund-8")
    first = await start(stack.client, journey, "rosa", message)

    again = await start(stack.client, journey, "rosa", message)
    await again.signal("touchpoint", PAID)

    assert again.id == first.id
    assert (await live_through(stack, first))["outcome"] == "paid"
    assert [run.state for run in await stack.runs(journey)] == ["finished"]


async def test_a_start_under_a_workflow_id_of_its_own_does_not_enter_twice(stack: Stack) -> None:
    journey = await published(stack, again="always")
    first = await start(stack.client, journey, "sam")
    await stack.until(lambda: stack.runs(journey, state="open"))

    second = await stack.client.start_workflow(
        "customer_journey",
        {"journey": journey, "customer": "sam"},
        id=f"my-own-id/{uuid4()}",
        task_queue="journeys",
        start_signal="touchpoint",
        start_signal_args=[asked()],
    )

    assert (await live_through(stack, second))["reason"].startswith("already_running")
    await first.signal("touchpoint", PAID)
    assert (await live_through(stack, first))["outcome"] == "paid"
    assert [run.state for run in await stack.runs(journey)] == ["not_admitted", "finished"]


async def test_two_names_of_one_customer_enter_once(stack: Stack) -> None:
    journey = await published(stack, again="always")
    ours = await stack.know("sue")
    await start(stack.client, journey, "sue")
    await stack.until(lambda: stack.runs(journey, state="open"))

    second = await start(stack.client, journey, ours)

    assert (await live_through(stack, second))["reason"].startswith("already_running")
    assert len(await stack.runs(journey, state="open")) == 1


async def test_a_customer_who_enters_by_the_router_is_found_by_a_foreign_signal(
    stack: Stack,
) -> None:
    journey = await published(stack, again="always")
    await stack.tell("Refund Asked", customer="tom", amount=50.0)
    run = await stack.run_of("tom", journey)

    await stack.client.get_workflow_handle(run.workflow_id).signal("touchpoint", PAID)

    assert (await stack.outcome(run.workflow_id))["outcome"] == "paid"
