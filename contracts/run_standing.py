"""How the server has a run that our record says is open."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Gone = Literal["terminated", "timed_out", "failed", "canceled", "completed", "not_found"]
"""Ways in which an execution may be over although our record says that its run is open."""

ENDED_OUTSIDE = "ended-outside"
"""The outcome of a run that the server ended, or lost, without the run's doing."""

GONE_IN_WORDS: dict[Gone, str] = {
    "terminated": "terminated on the Temporal server",
    "timed_out": "timed out on the Temporal server",
    "failed": "failed on the Temporal server",
    "canceled": "cancelled on the Temporal server before it could end by itself",
    "completed": "completed on the Temporal server, and its end was never written down",
    "not_found": "not on the Temporal server any more",
}


@dataclass(slots=True, frozen=True, kw_only=True)
class OpenRecord:
    """A run that is open in our record. `first_run_id`: of the first execution of its chain."""

    entry: int
    workflow_id: str
    first_run_id: str
    journey: str
    customer: str


@dataclass(slots=True, frozen=True, kw_only=True)
class EndedOutside:
    """A run that is over on the server. `told`: who ended it there and why, where it says so."""

    run: OpenRecord
    how: Gone
    told: str = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class Sweep:
    """What one round looks at: open runs that wrote nothing lately.

    `closed_since`: from when on the server is asked what it ended; None where it never was.
    """

    runs: list[OpenRecord]
    closed_since: datetime | None
    whole: bool
    """Whether these are the last ones: the next round begins anew."""
