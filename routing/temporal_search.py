"""What is asked of the Temporal server's search, and how long for."""

from datetime import timedelta

RPC_TIMEOUT = timedelta(seconds=10)
IDS_AT_ONCE = 40
"""Workflow ids in one question to the server's search."""


def quoted(value: str) -> str:
    """A value as it stands in a query."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def of_workflows(workflow_ids: list[str]) -> list[str]:
    """Conditions that name these workflows, as many in each as one question may have."""
    return [
        f"WorkflowId in ({', '.join(map(quoted, workflow_ids[start : start + IDS_AT_ONCE]))})"
        for start in range(0, len(workflow_ids), IDS_AT_ONCE)
    ]
