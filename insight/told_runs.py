"""What runs were told and what they made of it, read from the server's own histories.

The client must be one that opens them: what a run was told is sealed with its customer's key.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import orjson
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from contracts.evidence import SeenRun, Told, ToldRun
from contracts.history_codec import SEALED
from contracts.names import QUERY_STATUS, SIGNAL_TOUCHPOINT, SIGNAL_TOUCHPOINTS, WORKFLOW_TYPE

AT_ONCE = 8
IN_VAIN = 3
"""A task or an activity that is at its so manieth attempt fails rather than waits."""

ANSWER_WITHIN = timedelta(seconds=20)

Handle = WorkflowHandle[Any, Any]


class SealedHistoryError(Exception):
    """What runs were told is sealed, and the client that reads it was given no keys."""


async def told_runs(client: Client, runs: Sequence[SeenRun]) -> list[ToldRun]:
    """Each run as the server has it, save those of which it has no history.

    Needs workers: a run is asked how many touchpoints it applied.
    """
    places = asyncio.Semaphore(AT_ONCE)

    async def one(run: SeenRun) -> ToldRun | None:
        async with places:
            try:
                return await _told_run(client, run)
            except RPCError as error:
                if error.status != RPCStatusCode.NOT_FOUND:
                    raise
                return None

    return [told for told in await asyncio.gather(*map(one, runs)) if told is not None]


async def open_workflows(client: Client) -> set[str]:
    """The workflow ids of all runs that the server has under way."""
    query = f"WorkflowType = '{WORKFLOW_TYPE}' and ExecutionStatus = 'Running'"
    return {found.id async for found in client.list_workflows(query)}


async def _told_run(client: Client, run: SeenRun) -> ToldRun:
    told: list[Told] = []
    execution = run.first_run_id
    async for event, own in history_of(client, run.workflow_id, run.first_run_id):
        execution = own
        told += await _told(client, event)
    handle: Handle = client.get_workflow_handle(run.workflow_id, run_id=execution)
    described = await handle.describe()
    is_open = described.status == WorkflowExecutionStatus.RUNNING
    status = await _status(handle)
    return ToldRun(
        workflow_id=run.workflow_id,
        first_run_id=run.first_run_id,
        open=is_open,
        told=tuple(told),
        applied=None if status is None else int(status["applied"]),
        ending=status is not None and status["outcome"] is not None,
        failing=_failing(described.raw_description) if is_open else None,
        under_way=tuple(
            f"{pending.activity_type.name}, attempt {pending.attempt}"
            for pending in described.raw_description.pending_activities
        ),
    )


async def history_of(
    client: Client, workflow_id: str, first: str
) -> AsyncIterator[tuple[HistoryEvent, str]]:
    """The history through every continue-as-new, each event with its execution."""
    following = first
    while following:
        execution, following = following, ""
        handle: Handle = client.get_workflow_handle(workflow_id, run_id=execution)
        async for event in handle.fetch_history_events():
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
                continued = event.workflow_execution_continued_as_new_event_attributes
                following = continued.new_execution_run_id
            yield event, execution


async def _told(client: Client, event: HistoryEvent) -> list[Told]:
    if event.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
        return []
    given = event.workflow_execution_signaled_event_attributes
    if given.signal_name not in (SIGNAL_TOUCHPOINT, SIGNAL_TOUCHPOINTS):
        return []
    with suppress(ValueError, KeyError, TypeError, IndexError):  # nonsense told nothing
        value = await _opened(client, given.input)
        listed = value if given.signal_name == SIGNAL_TOUCHPOINTS else [value]
        return [
            Told(message_id=one["message_id"], event=one["event"], number=one.get("number"))
            for one in listed
        ]
    return []


async def _opened(client: Client, payloads: Payloads) -> Any:
    opened, codec = list(payloads.payloads), client.data_converter.payload_codec
    if codec is not None:
        opened = await codec.decode(opened)
    if opened[0].metadata.get("encoding") == SEALED:
        raise SealedHistoryError
    return orjson.loads(opened[0].data)


async def _status(handle: Handle) -> dict[str, Any] | None:
    try:
        return await handle.query(QUERY_STATUS, rpc_timeout=ANSWER_WITHIN)
    except RPCError:
        return None


def _failing(described: Any) -> str | None:
    """What is tried again and again, in words."""
    attempt = described.pending_workflow_task.attempt
    if attempt >= IN_VAIN:
        return f"its workflow task is at attempt {attempt}"
    for pending in described.pending_activities:
        if pending.attempt >= IN_VAIN:
            name, why = pending.activity_type.name, pending.last_failure.message
            return f"{name} is at attempt {pending.attempt}: {why[:200]}"
    return None
