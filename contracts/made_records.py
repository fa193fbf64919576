"""What a backtest made: plain records, for whoever writes them down.

Ids and numbers are set already, the same each time the same backtest is made. Times are run time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue

from journey.effects import OfferedDecision, PromiseRecord, TraceEntry

Values = Mapping[str, JsonValue]


class BacktestRecordsError(RuntimeError):
    """The database is not one to write a backtest into; the message says why, and what to do."""


@dataclass(slots=True, frozen=True, kw_only=True)
class MadeCustomer:
    """A customer, with the name that the recording has for them."""

    customer: str
    name: str
    traits: Values
    zone: str | None
    since: datetime


@dataclass(slots=True, frozen=True, kw_only=True)
class MadeTouchpoint:
    """A touchpoint of the recording. `place` is its place there, from 0."""

    place: int
    message_id: str
    event: str
    at: datetime
    customer: str | None
    subject: tuple[str, str] | None
    properties: Values
    context: Values


@dataclass(slots=True, frozen=True, kw_only=True)
class MadeRun:
    """A run as it stands at the end, with its whole trace."""

    entry: int
    workflow_id: str
    customer: str
    key: str | None
    entered_by: str
    entered_at: datetime
    held_out: bool
    sequence: int
    recorded_at: datetime
    stage: str | None
    waits_for: tuple[str, ...]
    wakes_at: datetime | None
    needs_attention: str | None
    outcome: str | None
    goal: bool
    finished_at: datetime | None
    listens: tuple[tuple[str, str], ...]
    stands: dict[str, datetime]
    stays: tuple[tuple[str, datetime, datetime], ...]
    trace: tuple[TraceEntry, ...]
    promises: tuple[PromiseRecord, ...]


@dataclass(slots=True, frozen=True, kw_only=True)
class MadeDelivery:
    """A delivery under its key."""

    key: str
    entry: int
    n: int
    customer: str
    message: str
    purpose: str
    channel: str | None
    address: str | None
    state: str
    reason: str
    words: str
    asked_at: datetime
    settled_at: datetime | None
    replaces: int | None


@dataclass(slots=True, frozen=True, kw_only=True)
class MadeCase:
    """A case, and what staff decided. `brief` is a Liquid template over `values`."""

    case: str
    entry: int
    n: int
    workflow_id: str
    customer: str
    queue: str
    brief: str
    values: Values
    decisions: Mapping[str, OfferedDecision]
    state: str
    decision: str | None
    fields: Values
    by: str | None
    reason: str
    first_answer_by: datetime | None
    resolve_by: datetime | None
    opened_at: datetime
    settled_at: datetime | None


@dataclass(slots=True, kw_only=True)
class Made:
    """Records that belong together: those of some customers, whole."""

    customers: list[MadeCustomer] = field(default_factory=list[MadeCustomer])
    touchpoints: list[MadeTouchpoint] = field(default_factory=list[MadeTouchpoint])
    runs: list[MadeRun] = field(default_factory=list[MadeRun])
    deliveries: list[MadeDelivery] = field(default_factory=list[MadeDelivery])
    cases: list[MadeCase] = field(default_factory=list[MadeCase])
