"""What is asked of the Temporal server's search, and how long for."""

from collections.abc import Collection
from datetime import timedelta

RPC_TIMEOUT = timedelta(seconds=10)
IDS_AT_ONCE = 40
"""Workflow ids in one question to the server's search."""


def quoted(value: str) -> str:
    """A value as it stands in a query."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def of_workflows(workflow_ids: Collection[str]) -> list[tuple[set[str], str]]:
    """Conditions that name these workflows, each with those that it names: as many as one question may have."""
    ids = list(dict.fromkeys(workflow_ids))
    portions = [ids[start : start + IDS_AT_ONCE] for start in range(0, len(ids), IDS_AT_ONCE)]
    return [(set(each), f"WorkflowId in ({', '.join(map(quoted, each))})") for each in portions]
