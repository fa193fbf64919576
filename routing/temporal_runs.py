"""Runs as Temporal workflows: signal, and signal-with-start."""

from collections.abc import Sequence
from datetime import timedelta

from pydantic import JsonValue
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from contracts.clock import RunClock
from contracts.names import (
    JOURNEYS_QUEUE,
    SIGNAL_TOUCHPOINT,
    SIGNAL_TOUCHPOINTS,
    WORKFLOW_TYPE,
)
from contracts.search_attributes import CUSTOMER, JOURNEY, VERSION
from routing.signals import (
    RunClosedError,
    RunStart,
    RunsUnreachableError,
    SignalRefusedError,
    Told,
)

RPC_TIMEOUT = timedelta(seconds=10)


class TemporalRuns:
    """Reaches runs through a Temporal client. `clock`: every run it starts lives on this clock."""

    def __init__(self, client: Client, *, clock: RunClock | None = None) -> None:
        self._client = client
        self._clock = clock

    async def signal(self, workflow_id: str, touchpoints: Sequence[Told]) -> None:
        handle = self._client.get_workflow_handle(workflow_id)
        try:
            if len(touchpoints) == 1:
                await handle.signal(SIGNAL_TOUCHPOINT, touchpoints[0], rpc_timeout=RPC_TIMEOUT)
            else:
                await handle.signal(SIGNAL_TOUCHPOINTS, list(touchpoints), rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND and not _namespace_missing(error):
                raise RunClosedError(workflow_id) from error
            if error.status == RPCStatusCode.INVALID_ARGUMENT:
                raise SignalRefusedError(error.message) from error
            raise RunsUnreachableError(f"signal {workflow_id}: {error.message}") from error

    async def start(self, start: RunStart) -> str:
        try:
            handle = await self._client.start_workflow(
                WORKFLOW_TYPE,
                self._input(start),
                id=start.workflow_id,
                task_queue=JOURNEYS_QUEUE,
                start_signal=SIGNAL_TOUCHPOINT,
                start_signal_args=[start.touchpoint],
                search_attributes=TypedSearchAttributes(
                    [
                        SearchAttributePair(JOURNEY, start.journey),
                        SearchAttributePair(VERSION, start.version),
                        SearchAttributePair(CUSTOMER, start.customer),
                    ]
                ),
                static_summary=_summary(start),
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                request_eager_start=False,
                rpc_timeout=RPC_TIMEOUT,
            )
        except RPCError as error:
            # A refusal too is worth a retry: what is wrong with a start is wrong with the server,
            # such as a search attribute that nobody registered. The touchpoint is kept meanwhile.
            raise RunsUnreachableError(f"start {start.workflow_id}: {error.message}") from error
        return handle.first_execution_run_id or handle.result_run_id or ""

    def _input(self, start: RunStart) -> dict[str, JsonValue]:
        given: dict[str, JsonValue] = {
            "journey": start.journey,
            "customer": start.customer,
            "version": start.version,
        }
        if start.key is not None:
            given["key"] = start.key
        if self._clock is not None:
            given["clock"] = {
                "wall_epoch": self._clock.wall_epoch.isoformat(),
                "run_epoch": self._clock.run_epoch.isoformat(),
                "factor": self._clock.factor,
            }
        return given


def _namespace_missing(error: RPCError) -> bool:
    details = error.grpc_status.details
    return any("NamespaceNotFound" in detail.type_url for detail in details)


def _summary(start: RunStart) -> str:
    about = f", {start.key}" if start.key else ""
    entered = start.touchpoint["event"]
    return f"{start.title}: customer {start.customer}{about}, entered by {entered}"[:200]
