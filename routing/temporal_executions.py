"""Executions of runs, ended and deleted for good, with every run that went under their workflow ids.

Deleting is the only way to take plain payloads out, which SDKs without our codec sent. The server
does it by and by: whether one is gone is asked of it, not of its search, which lags behind.
"""

import asyncio
from collections.abc import Sequence

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    DescribeWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryRequest,
    TerminateWorkflowExecutionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from routing.temporal_search import RPC_TIMEOUT, of_workflows, quoted

BETWEEN_LOOKS, GONE_LOOKS = 0.1, 300
"""One portion is waited for 30 seconds; what is not gone then is looked at again by the next."""

WHY = "the customer is erased"


class TemporalExecutions:
    """Reaches executions through a plain Temporal client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def delete(self, found: Sequence[tuple[str, str]]) -> None:
        """End and delete these, and wait for it. See `routing.erasing.Executions`."""
        for execution in found:
            await self._end(execution)
        # The oldest of a chain first: as long as the newest is there, all before it are found by it.
        for execution in reversed(found):
            await self._delete(execution)
        left, looks = set(found), GONE_LOOKS
        while left and looks:
            left = {execution for execution in left if await self._there(*execution)}
            looks -= 1
            await asyncio.sleep(BETWEEN_LOOKS if left else 0)

    # -- finding

    async def find(
        self, customers: Sequence[str], runs: Sequence[tuple[str, str]], most: int
    ) -> list[tuple[str, str]]:
        """What is open under each id, and all runs before it. See `routing.erasing.Executions`."""
        found: dict[tuple[str, str], None] = {}
        for named in dict.fromkeys([*runs, *((each, "") for each, _ in runs)]):
            for execution in await self._chain(*named):
                found[execution] = None
            if len(found) >= most:
                return list(found)
        for query in _queries(customers, sorted({each for each, _ in runs})):
            async for one in self._client.list_workflows(query, rpc_timeout=RPC_TIMEOUT):
                if (one.id, one.run_id) in found or not await self._there(one.id, one.run_id):
                    continue
                found[one.id, one.run_id] = None
                if len(found) >= most:
                    return list(found)
        return list(found)

    async def _chain(self, workflow_id: str, run_id: str) -> list[tuple[str, str]]:
        """This run and those that it goes on from; of no run id, the newest."""
        chain: list[tuple[str, str]] = []
        while True:
            there = await self._there(workflow_id, run_id)
            if not there:
                return chain
            chain.append((workflow_id, there))
            run_id = await self._before(workflow_id, there)
            if not run_id:
                return chain

    async def _there(self, workflow_id: str, run_id: str) -> str:
        """The run id of an execution that is there; '' where it is gone."""
        asked = DescribeWorkflowExecutionRequest(
            namespace=self._client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
        )
        try:
            told = await self._client.workflow_service.describe_workflow_execution(
                asked, timeout=RPC_TIMEOUT
            )
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return ""
            raise
        return told.workflow_execution_info.execution.run_id

    async def _before(self, workflow_id: str, run_id: str) -> str:
        asked = GetWorkflowExecutionHistoryRequest(
            namespace=self._client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            maximum_page_size=1,
        )
        try:
            told = await self._client.workflow_service.get_workflow_execution_history(
                asked, timeout=RPC_TIMEOUT
            )
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return ""
            raise
        events = told.history.events
        if not events:
            return ""
        return events[0].workflow_execution_started_event_attributes.continued_execution_run_id

    # -- ending

    async def _end(self, execution: tuple[str, str]) -> None:
        asked = TerminateWorkflowExecutionRequest(
            namespace=self._client.namespace, workflow_execution=_named(execution), reason=WHY
        )
        try:
            await self._client.workflow_service.terminate_workflow_execution(
                asked, timeout=RPC_TIMEOUT
            )
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:  # it has ended already
                raise

    async def _delete(self, execution: tuple[str, str]) -> None:
        asked = DeleteWorkflowExecutionRequest(
            namespace=self._client.namespace, workflow_execution=_named(execution)
        )
        try:
            await self._client.workflow_service.delete_workflow_execution(
                asked, timeout=RPC_TIMEOUT
            )
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise


def _named(execution: tuple[str, str]) -> WorkflowExecution:
    return WorkflowExecution(workflow_id=execution[0], run_id=execution[1])


def _queries(customers: Sequence[str], workflow_ids: list[str]) -> list[str]:
    of_customers = [f"ClewCustomer = {quoted(each)}" for each in customers]
    return [*of_customers, *(named for _, named in of_workflows(workflow_ids))]
