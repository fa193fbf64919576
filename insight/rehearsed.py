"""What came of a rehearsal: runs, deliveries, cases and promises, as plain values."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from pydantic import JsonValue

from journey.effects import (
    Deliver,
    GrantOffer,
    OpenCase,
    PromiseRecord,
    ShowRecord,
    TraceEntry,
)
from journey.machine import needs_attention
from journey.state import State

Stay = tuple[str, datetime, datetime]
"""At which step, from when until when."""

SHORTEST_STAY = timedelta(seconds=1)


@dataclass(slots=True)
class RehearsedRun:
    """One run: who, its whole trace, its promises as they stand, and its state at the end."""

    workflow_id: str
    entry: int
    customer: str
    key: str | None
    entered_at: datetime
    state: State
    ended_at: datetime | None = None
    wakes_at: datetime | None = None
    trace: list[TraceEntry] = field(default_factory=list[TraceEntry])
    promises: dict[int, PromiseRecord] = field(default_factory=dict[int, PromiseRecord])
    shows: dict[int, ShowRecord] = field(default_factory=dict[int, ShowRecord])
    listens: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    entered_by: str = ""
    stands: dict[str, datetime] = field(default_factory=dict[str, datetime])
    """Where it stands, since when; of one that is over, where it stood when it ended."""
    stays: list[Stay] = field(default_factory=list[Stay])

    def stands_at(self, now_at: Mapping[str, datetime], at: datetime) -> None:
        """It came to stand there: what it has left was a stay where it lasted a second."""
        ended = self.ended_at is not None
        for address, since in self.stands.items():
            if (ended or now_at.get(address) != since) and at - since >= SHORTEST_STAY:
                self.stays.append((address, since, at))
        if not ended:
            self.stands = dict(now_at)

    @property
    def outcome(self) -> str | None:
        """How it ended; None while it goes on."""
        return self.state.outcome

    @property
    def needs_attention(self) -> str | None:
        """Why it cannot go on by itself, if so."""
        return needs_attention(self.state)


@dataclass(slots=True)
class RehearsedDelivery:
    """One message under its key. `refused` has a `reason`, and `words` for a person."""

    key: str
    customer: str
    message: Deliver
    asked_at: datetime
    state: Literal["asked", "accepted", "refused", "deferred"] = "asked"
    reason: str = ""
    words: str = ""
    channel: str | None = None
    settled_at: datetime | None = None


@dataclass(slots=True)
class RehearsedCase:
    """One case: what staff were asked, and what they decided."""

    case: str
    customer: str
    workflow_id: str
    queue: str
    asked: OpenCase
    opened_at: datetime
    state: Literal["open", "resolved", "closed"] = "open"
    decision: str | None = None
    fields: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    by: str | None = None
    reason: str = ""
    settled_at: datetime | None = None


@dataclass(slots=True)
class RehearsedOffer:
    """One coupon: to whom, its code, and how it stands."""

    key: str
    customer: str
    granted: GrantOffer
    code: str
    at: datetime
    state: Literal["open", "redeemed", "expired", "voided"] = "open"


@dataclass(slots=True, frozen=True)
class RehearsedStart:
    """Another journey that a run asked to begin, under the key by which its end is told."""

    key: str
    customer: str
    journey: str
    properties: dict[str, JsonValue]


@dataclass(slots=True)
class Rehearsed:
    """All that came of a rehearsal, up to now.

    `touchpoints`: how many were taken in. `fates`: what became of them, by `signalled`, `entered`,
    `not_entered`, `ignored`, `refused` and `repeated`; one touchpoint may have several.
    `turned_away`: how often customers did not enter, by the reason in words and the customer.
    """

    runs: dict[str, RehearsedRun] = field(default_factory=dict[str, RehearsedRun])
    ended: list[RehearsedRun] = field(default_factory=list[RehearsedRun])
    deliveries: dict[str, RehearsedDelivery] = field(default_factory=dict[str, RehearsedDelivery])
    cases: dict[str, RehearsedCase] = field(default_factory=dict[str, RehearsedCase])
    offers: dict[str, RehearsedOffer] = field(default_factory=dict[str, RehearsedOffer])
    starts: dict[str, RehearsedStart] = field(default_factory=dict[str, RehearsedStart])
    touchpoints: int = 0
    fates: Counter[str] = field(default_factory=Counter[str])
    turned_away: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])

    def turn_away(self, customer: str, why: str) -> None:
        """A customer did not enter, for this reason."""
        self.turned_away[why, customer] += 1

    def all_runs(self) -> Iterator[RehearsedRun]:
        """Every run, also earlier entries of a customer who came again."""
        yield from self.ended
        yield from self.runs.values()

    def promises(self) -> Iterator[tuple[RehearsedRun, PromiseRecord]]:
        """Every promise as it stands, with its run."""
        for run in self.all_runs():
            for promise in run.promises.values():
                yield run, promise

    def trace(self) -> Iterator[tuple[RehearsedRun, TraceEntry]]:
        """Every decision of every run."""
        for run in self.all_runs():
            for entry in run.trace:
                yield run, entry
