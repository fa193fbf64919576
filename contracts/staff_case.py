"""Handing a customer over to staff."""

from dataclasses import dataclass

from contracts.journey_run import RunReference
from journey.effects import CloseCase, EscalateCase, OpenCase, SentRecord


@dataclass(slots=True, frozen=True, kw_only=True)
class OpenStaffCase:
    """Open the case `case_id(run.workflow_id, run.entry, open.n)`; opening it twice is opening it once."""

    run: RunReference
    open: OpenCase
    record: SentRecord | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class EscalateStaffCase:
    """Move a case to another queue unless it was claimed or resolved meanwhile."""

    run: RunReference
    escalate: EscalateCase
    record: SentRecord | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class CloseStaffCase:
    """Close a case unless it was resolved meanwhile."""

    run: RunReference
    close: CloseCase
    record: SentRecord | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class StaffCaseChanged:
    """The case as it stands now: open, claimed, resolved or closed, and in which queue."""

    case: str
    state: str
    queue: str
