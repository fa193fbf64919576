"""What a Temporal server must have before it carries runs: the namespace and our search attributes."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from contracts.search_attributes import SEARCH_ATTRIBUTES

RETENTION = timedelta(days=30)  # how long the Web UI still shows a run that has ended
PATIENCE_SECONDS = 60


async def register_namespace(client: Client) -> None:
    """Make the client's namespace, unless it is there."""
    request = RegisterNamespaceRequest(namespace=client.namespace)
    request.workflow_execution_retention_period.FromTimedelta(RETENTION)
    try:
        await client.workflow_service.register_namespace(request)
    except RPCError as error:
        if error.status != RPCStatusCode.ALREADY_EXISTS:
            raise


async def register_search_attributes(
    client: Client, keys: Sequence[SearchAttributeKey[Any]] = SEARCH_ATTRIBUTES
) -> None:
    """Make our search attributes known; a namespace made just now may need some seconds."""
    request = AddSearchAttributesRequest(namespace=client.namespace)
    for key in keys:
        # The SDK's enumeration has the server's own numbers.
        request.search_attributes[key.name] = int(key.indexed_value_type)  # pyright: ignore[reportArgumentType]
    for second in range(PATIENCE_SECONDS):
        try:
            await client.operator_service.add_search_attributes(request)
        except RPCError as error:
            if error.status == RPCStatusCode.ALREADY_EXISTS:
                return
            if error.status != RPCStatusCode.NOT_FOUND or second == PATIENCE_SECONDS - 1:
                raise
            await asyncio.sleep(1)
        else:
            return
