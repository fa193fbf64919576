"""What is ordered for all who wait at a step, and what becomes of each."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

BulkKind = Literal["end", "move", "nudge"]
Became = Literal["done", "left_alone", "refused", "later"]


@dataclass(slots=True, frozen=True, kw_only=True)
class Bound:
    """Whom an act may touch: who stood at `address` of `version` at `seen_at` (run time), up to the entry `up_to`."""

    journey: str
    version: str
    address: str
    seen_at: datetime
    up_to: int


@dataclass(slots=True, frozen=True, kw_only=True)
class BulkOrder:
    """What is ordered. `form`: the same order sent twice is one; `shown`: how many its preview counted."""

    form: str
    kind: BulkKind
    bound: Bound
    shown: int
    reason: str
    by: str
    to_version: str | None = None
    to_step: str | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class BulkDeed:
    """One run of an act that is due. `stands`: still where the preview saw it; `obeyed`: it has done this act."""

    act: int
    entry: int
    kind: BulkKind
    workflow_id: str
    address: str
    reason: str
    to_version: str | None
    to_step: str | None
    stands: bool
    obeyed: bool

    @property
    def key(self) -> str:
        """The same whoever does it and however often."""
        return f"bulk-{self.act}-{self.entry}"


@dataclass(slots=True, frozen=True, kw_only=True)
class BulkAnswer:
    """What became of one run. `later`: nobody answered, it is tried again."""

    became: Became
    why: str = ""


def said_reason(act: int, reason: str) -> str:
    """The reason as a run keeps it: it names the act, so that its own doing is known again."""
    return f"bulk act {act}: {reason}"[:200]
