"""Whether runs are on the Temporal server, and how those ended that are not under way there."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from contracts.names import WORKFLOW_TYPE
from contracts.run_standing import EndedOutside, Gone, OpenRecord
from routing.temporal_search import RPC_TIMEOUT, of_workflows

LAGS_BEHIND = timedelta(minutes=2)
"""By so much the server's search may be late."""

SAYS_SO_ITSELF = timedelta(minutes=1)
"""A run that completed has written its end, or will have by then."""

_HOW: dict[WorkflowExecutionStatus, Gone] = {
    WorkflowExecutionStatus.TERMINATED: "terminated",
    WorkflowExecutionStatus.TIMED_OUT: "timed_out",
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.CANCELED: "canceled",
    WorkflowExecutionStatus.COMPLETED: "completed",
}


class TemporalStanding:
    """Asks through a plain Temporal client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def ended_since(self, since: datetime | None, most: int) -> list[str]:
        """See `routing.run_sweeper.ServerSide`."""
        known = [
            f"WorkflowType = '{WORKFLOW_TYPE}'",
            "ExecutionStatus in ('Terminated', 'TimedOut')",
        ]
        if since is not None:
            known.append(f"CloseTime >= '{(since - LAGS_BEHIND).isoformat()}'")
        found = self._client.list_workflows(
            " and ".join(known), limit=most, rpc_timeout=RPC_TIMEOUT
        )
        return list(dict.fromkeys([each.id async for each in found]))

    async def under_way(self, workflow_ids: Sequence[str]) -> set[str]:
        """See `routing.run_sweeper.ServerSide`."""
        there = set[str]()
        for asked, named in of_workflows(workflow_ids):
            query = f"ExecutionStatus = 'Running' and {named}"
            # Nearly always all are there. Each row of a list costs the server statements of its own.
            counted = await self._client.count_workflows(query, rpc_timeout=RPC_TIMEOUT)
            if counted.count == len(asked):
                there |= asked
                continue
            found = self._client.list_workflows(query, rpc_timeout=RPC_TIMEOUT)
            there |= {each.id async for each in found}
        return there

    async def end_of(self, run: OpenRecord) -> EndedOutside | None:
        """See `routing.run_sweeper.ServerSide`."""
        found = await self._described(run.workflow_id, None)
        if found is None:
            return EndedOutside(run=run, how="not_found")
        first = found.raw_description.workflow_execution_info.first_run_id
        if first and first != run.first_run_id:  # another run is there under the same id
            found = await self._described(run.workflow_id, run.first_run_id)
            if found is None or found.status == WorkflowExecutionStatus.CONTINUED_AS_NEW:
                return EndedOutside(run=run, how="not_found")
        how = _HOW.get(found.status) if found.status is not None else None
        if how is None:
            return None
        closed = found.close_time or datetime.now(UTC)
        if how == "completed" and datetime.now(UTC) - closed < SAYS_SO_ITSELF:
            return None
        return EndedOutside(run=run, how=how, told=await self._told(run.workflow_id, found.run_id))

    async def _described(
        self, workflow_id: str, run_id: str | None
    ) -> WorkflowExecutionDescription | None:
        handle = self._client.get_workflow_handle(workflow_id, run_id=run_id)
        try:
            return await handle.describe(rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            missing = error.status == RPCStatusCode.NOT_FOUND
            if not missing or any(
                "NamespaceNotFound" in each.type_url for each in error.grpc_status.details
            ):
                raise
            return None

    async def _told(self, workflow_id: str, run_id: str) -> str:
        """Who ended it and why, as its last event has it."""
        asked = GetWorkflowExecutionHistoryReverseRequest(
            namespace=self._client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            maximum_page_size=1,
        )
        try:
            answer = await self._client.workflow_service.get_workflow_execution_history_reverse(
                asked, timeout=RPC_TIMEOUT
            )
        except RPCError:
            return ""  # the end is known; who did it is not
        for event in answer.history.events:
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
                said = event.workflow_execution_terminated_event_attributes
                by = f"by {said.identity}" if said.identity else ""
                return ", ".join(filter(None, (by, said.reason)))
        return ""
