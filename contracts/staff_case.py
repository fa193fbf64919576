"""Handing a customer over to staff."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

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
    """The case as it stands now: its state, and in which queue.

    `clocked`: whether its own workflow keeps its deadlines, so that the run need not.
    """

    case: str
    state: str
    queue: str
    clocked: bool = False


@dataclass(slots=True, frozen=True, kw_only=True)
class CaseToMind:
    """One case: what its workflow is started with, and asks to be minded."""

    stays_readable: ClassVar[bool] = True

    case: str


@dataclass(slots=True, frozen=True, kw_only=True)
class CaseMinded:
    """How a case stands after what was due on it was done, in words. `look_at`: when something is due next.

    `send`: messages of staff that are due. Words of ours about the case, none of the customer's: histories
    keep them readable.
    """

    stays_readable: ClassVar[bool] = True

    state: str
    words: str
    over: bool
    look_at: datetime | None = None
    send: tuple[int, ...] = ()
