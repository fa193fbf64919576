"""Runs as workflows on a real Temporal server: nothing works them here, the server keeps what they are told."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from contracts.clock import RunClock
from contracts.ids import workflow_id
from contracts.search_attributes import CUSTOMER, JOURNEY, VERSION
from routing.signals import RunClosedError, RunStart, RunsUnreachableError, SignalRefusedError
from routing.temporal_runs import TemporalRuns
from stores.database import Pool
from tests.integration.routing.conftest import PARCEL, Happens, MakeRouter, Publish


def a_start(**more: Any) -> RunStart:
    customer = f"c_{uuid4().hex}"
    given: dict[str, Any] = {
        "workflow_id": workflow_id("parcel", customer, "7"),
        "journey": "parcel",
        "version": "a" * 64,
        "customer": customer,
        "key": "7",
        "title": "A parcel on its way",
        "touchpoint": {"message_id": "m-1", "event": "Ordered", "number": 1},
    }
    return RunStart(**given | more)


async def told(client: Client, run: str) -> list[tuple[str, Any]]:
    """Every signal of a run: its name and what it carried."""
    handle: WorkflowHandle[Any, Any] = client.get_workflow_handle(run)
    converter = client.data_converter.payload_converter
    signals: list[tuple[str, Any]] = []
    async for event in handle.fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            given = event.workflow_execution_signaled_event_attributes
            signals.append((given.signal_name, *converter.from_payloads(given.input.payloads)))
    return signals


async def input_of(client: Client, run: str) -> dict[str, Any]:
    history = await client.get_workflow_handle(run).fetch_history()
    given = history.events[0].workflow_execution_started_event_attributes.input.payloads
    return client.data_converter.payload_converter.from_payloads(given)[0]


async def test_a_start_brings_its_touchpoint_and_can_be_found(
    temporal: WorkflowEnvironment,
) -> None:
    runs = TemporalRuns(temporal.client)
    start = a_start()

    first = await runs.start(start)

    described = await temporal.client.get_workflow_handle(start.workflow_id).describe()
    assert described.run_id == first
    attributes = described.typed_search_attributes
    found = [attributes.get(key) for key in (JOURNEY, VERSION, CUSTOMER)]
    assert found == [start.journey, start.version, start.customer]
    assert await described.static_summary() == (
        f"A parcel on its way: customer {start.customer}, 7, entered by Ordered"
    )
    assert await told(temporal.client, start.workflow_id) == [("touchpoint", start.touchpoint)]
    assert await input_of(temporal.client, start.workflow_id) == {
        "journey": "parcel",
        "customer": start.customer,
        "version": start.version,
        "key": "7",
    }


async def test_a_second_start_tells_the_run_that_is_under_way(
    temporal: WorkflowEnvironment,
) -> None:
    runs = TemporalRuns(temporal.client)
    start = a_start()
    again = replace(start, touchpoint={**start.touchpoint, "message_id": "m-2"})

    assert await runs.start(start) == await runs.start(again)
    assert len(await told(temporal.client, start.workflow_id)) == 2


async def test_one_touchpoint_and_several_go_under_their_own_names(
    temporal: WorkflowEnvironment,
) -> None:
    runs = TemporalRuns(temporal.client)
    start = a_start()
    await runs.start(start)

    await runs.signal(start.workflow_id, [{"message_id": "m-2"}])
    await runs.signal(start.workflow_id, [{"message_id": "m-3"}, {"message_id": "m-4"}])

    assert (await told(temporal.client, start.workflow_id))[1:] == [
        ("touchpoint", {"message_id": "m-2"}),
        ("touchpoints", [{"message_id": "m-3"}, {"message_id": "m-4"}]),
    ]


async def test_a_sped_up_clock_goes_into_the_run(temporal: WorkflowEnvironment) -> None:
    wall, storm = datetime(2026, 11, 22, tzinfo=UTC), datetime(2013, 2, 8, tzinfo=UTC)
    runs = TemporalRuns(
        temporal.client, clock=RunClock(wall_epoch=wall, run_epoch=storm, factor=60.0)
    )
    start = a_start()
    await runs.start(start)

    assert (await input_of(temporal.client, start.workflow_id))["clock"] == {
        "wall_epoch": "2026-11-22T00:00:00+00:00",
        "run_epoch": "2013-02-08T00:00:00+00:00",
        "factor": 60.0,
    }


async def test_a_run_that_ended_or_never_was_is_closed(temporal: WorkflowEnvironment) -> None:
    runs = TemporalRuns(temporal.client)
    start = a_start()
    await runs.start(start)
    await temporal.client.get_workflow_handle(start.workflow_id).terminate()

    for run in (start.workflow_id, "journey/parcel/nobody"):
        with pytest.raises(RunClosedError):
            await runs.signal(run, [{"message_id": "m-2"}])


async def test_a_signal_the_server_will_never_take_is_refused(
    temporal: WorkflowEnvironment,
) -> None:
    runs = TemporalRuns(temporal.client)
    start = a_start()
    await runs.start(start)

    with pytest.raises(SignalRefusedError):
        await runs.signal(start.workflow_id, [{"properties": {"x": "x" * 3_000_000}}])


async def test_a_missing_namespace_is_no_ended_run(temporal_address: str) -> None:
    """Else a router that starts before its namespace is made would take every run for ended."""
    client = await Client.connect(temporal_address, namespace="not-made-yet", lazy=True)

    with pytest.raises(RunsUnreachableError):
        await TemporalRuns(client).signal("journey/parcel/anna", [{"message_id": "m-1"}])


async def test_the_router_starts_and_tells_real_workflows(
    pool: Pool,
    publish: Publish,
    router: MakeRouter,
    happens: Happens,
    temporal: WorkflowEnvironment,
) -> None:
    version = await publish(PARCEL)
    customer = f"c_{uuid4().hex}"
    ordered = await happens("Ordered", customer, order="7")
    asked = await happens("Asked", customer)
    delivered = await happens("Delivered", customer)

    await router(TemporalRuns(temporal.client)).drain()

    run = workflow_id("parcel", customer, "7")
    assert (await input_of(temporal.client, run))["version"] == version
    (one, entering), (several, following) = await told(temporal.client, run)
    assert (one, several) == ("touchpoint", "touchpoints")
    assert entering == {
        "message_id": ordered,
        "event": "Ordered",
        "timestamp": "2026-11-22T12:00:00+00:00",
        "number": 1,
        "properties": {"order": "7"},
    }
    assert [touchpoint["message_id"] for touchpoint in following] == [asked, delivered]
