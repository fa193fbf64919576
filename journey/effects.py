"""What a run asks of the world, and what comes of it.

Every effect carries `n`, the run's counter: the key of anything it leaves behind
is `workflow id : entry : n`, so a repeated effect meets its own first trace.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, cast

from pydantic import (
    BeforeValidator,
    Field,
    JsonValue,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    WrapSerializer,
)

from journey.tagged import KeepKind
from journey.touchpoint import stamp

NOT_SENT = datetime(1, 1, 1, tzinfo=UTC)
"""In place of a time that travels elsewhere in the same order."""

Stamp = Annotated[datetime, PlainSerializer(stamp, when_used="json")]
"""An instant, written to the millisecond."""

Values = dict[str, JsonValue]
Purpose = Literal["service", "marketing"]


@dataclass(slots=True, frozen=True, kw_only=True)
class Asked:
    """Which survey a message invites to: the answer comes back under the `n` of the first invitation."""

    survey: str
    n: int


@dataclass(slots=True, frozen=True, kw_only=True)
class Deliver:
    """Send one message to the customer, by the first of `via` that reaches them.

    `expires`: after this instant it is dropped as `expired` (good_for, until).
    `condition`: CEL looked at again with fresh traits at the last moment (while).
    `replaces`: the `n` of the delivery that this one corrects.
    `values`: what the template may name: `run`, `event`, items and named results.
    `asks`: the survey that it invites to; the template names its page as `survey.link`.
    `last_act`: part of what is done when the run ends, so that its end does not forbid it.
    `topic`: what it is about, as customers choose; `priority`: of the message, in place of its journey's.
    """

    kind: Literal["deliver"] = "deliver"
    n: int
    message: str
    purpose: Purpose = "service"
    via: tuple[str, ...] = ("email",)
    expires: datetime | None = None
    expires_because: str = ""
    condition: str | None = None
    replaces: int | None = None
    resend_unknown: bool | None = None
    feeling: str | None = None
    values: Values = field(default_factory=dict[str, JsonValue])
    asks: Asked | None = None
    last_act: bool = False
    topic: str | None = None
    priority: int | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class OfferedDecision:
    """One decision staff may take: the typed fields they fill in, and what limits their authority."""

    title: str | None = None
    fields: dict[str, str] = field(default_factory=dict[str, str])
    authority: str | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class OpenCase:
    """Hand the customer to staff: a case in a queue, with a brief, deadlines and decisions.

    `brief` is a Liquid template over `values`. Deadlines are instants on the journey's own calendar;
    `first_answer` and `resolve` are the same in words, for the calendar of the queue.
    """

    kind: Literal["open_case"] = "open_case"
    n: int
    queue: str
    brief: str
    decisions: dict[str, OfferedDecision]
    first_answer_by: datetime | None = None
    resolve_by: datetime | None = None
    values: Values = field(default_factory=dict[str, JsonValue])
    first_answer: str | None = None
    resolve: str | None = None
    escalate_to: str | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class EscalateCase:
    """Move a case that nobody answered in time to another queue. `case` is the `n` of its OpenCase."""

    kind: Literal["escalate_case"] = "escalate_case"
    n: int
    case: int
    queue: str
    reason: str


@dataclass(slots=True, frozen=True, kw_only=True)
class CloseCase:
    """Close a case that the journey no longer needs. `case` is the `n` of its OpenCase."""

    kind: Literal["close_case"] = "close_case"
    n: int
    case: int
    reason: str


@dataclass(slots=True, frozen=True, kw_only=True)
class ReadTraits:
    """Read traits of the customer afresh, such as those a version names that the run was moved to."""

    kind: Literal["read_traits"] = "read_traits"
    n: int
    names: tuple[str, ...]


@dataclass(slots=True, frozen=True, kw_only=True)
class SetTraits:
    """Write traits of the customer."""

    kind: Literal["set_traits"] = "set_traits"
    n: int
    traits: Values


@dataclass(slots=True, frozen=True, kw_only=True)
class GrantOffer:
    """Give the customer a coupon of an offer: one for this key, whatever happens.

    `expires`: from then on it is worth nothing. `not_since`: refused where the customer was granted
    one of this offer, in any run, after this instant, whatever became of it.
    """

    kind: Literal["grant_offer"] = "grant_offer"
    n: int
    offer: str
    amount: float | None = None
    expires: datetime | None = None
    not_since: datetime | None = None


OfferEnd = Literal["redeemed", "expired", "voided"]


@dataclass(slots=True, frozen=True, kw_only=True)
class SettleOffer:
    """Say how a coupon ended. `grant` is the `n` of its GrantOffer. What was redeemed stays so."""

    kind: Literal["settle_offer"] = "settle_offer"
    n: int
    grant: int
    state: OfferEnd
    reason: str


@dataclass(slots=True, frozen=True, kw_only=True)
class CallOut:
    """Call a service over HTTP with a signed body.

    `take`: what is kept of the response, as name → CEL over `response.status` and `response.body`.
    """

    kind: Literal["call_out"] = "call_out"
    n: int
    url: str
    method: str = "POST"
    query: Values = field(default_factory=dict[str, JsonValue])
    body: Values = field(default_factory=dict[str, JsonValue])
    take: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True, frozen=True, kw_only=True)
class CallActivity:
    """Call an activity of the user's own, by its name on its task queue, with one JSON object."""

    kind: Literal["call_activity"] = "call_activity"
    n: int
    activity: str
    queue: str
    values: Values = field(default_factory=dict[str, JsonValue])


@dataclass(slots=True, frozen=True, kw_only=True)
class StartRun:
    """Let the customer enter another journey. Its end is told under this `n`."""

    kind: Literal["start_run"] = "start_run"
    n: int
    journey: str
    properties: Values = field(default_factory=dict[str, JsonValue])


Effect = Annotated[
    Deliver
    | OpenCase
    | EscalateCase
    | CloseCase
    | ReadTraits
    | SetTraits
    | GrantOffer
    | SettleOffer
    | CallOut
    | CallActivity
    | StartRun,
    Field(discriminator="kind"),
    KeepKind,
]
"""What the shell carries out by an activity, and answers with `EffectFinished` or `EffectFailed`."""


@dataclass(slots=True, frozen=True, kw_only=True)
class TraceEntry:
    """One decision of a run: where, what, and why, in words a person reads.

    `sequence` counts within the run. `kind` is a plain word: entered, touchpoint, met, late, chose,
    sent, not_sent, case, decided, promise, moved, exit, finished, refused, failed, …
    """

    sequence: int
    at: datetime
    address: str
    kind: str
    why: str


PromiseState = Literal["open", "kept", "late", "kept_late", "broken", "dropped"]


@dataclass(slots=True, frozen=True, kw_only=True)
class PromiseRecord:
    """How a promise stands: by when, kept by what, and why it was dropped."""

    n: int
    name: str
    by: datetime | None
    state: PromiseState
    at: datetime
    reason: str = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class ShowRecord:
    """What is to be said at places while it is true. `say` is Liquid over `values`; `shown` False takes it away."""

    n: int
    places: tuple[str, ...] = ()
    say: str = ""
    priority: int = 0
    until: datetime | None = None
    values: Values = field(default_factory=dict[str, JsonValue])
    shown: bool = True
    name: str = ""
    """The id of the step, where it has one."""


@dataclass(slots=True, frozen=True, kw_only=True)
class RunRecord:
    """How a run stands after a decision, and the decisions since the last record.

    Written by upsert under (run, entry, sequence): twice is the same as once, and an
    older record never overwrites a newer one. `listens` is given only when it changed:
    subject kind → ids. `outcome` is set when the run has ended. `stands`: the steps at which it
    waits, and since when; None is since this record.
    """

    sequence: int
    at: Stamp = NOT_SENT
    stage: str | None = None
    waits_for: tuple[str, ...] = ()
    wakes_at: Stamp | None = None
    outcome: str | None = None
    goal: bool = False
    needs_attention: str | None = None
    trace: tuple[TraceEntry, ...] = ()
    promises: tuple[PromiseRecord, ...] = ()
    listens: dict[str, tuple[str, ...]] | None = None
    shows: tuple[ShowRecord, ...] = ()
    stands: dict[str, Stamp | None] = field(default_factory=dict[str, datetime | None])


def _short_trace(record: RunRecord, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
    written = handler(record)
    first = record.sequence - len(record.trace) + 1
    plain = all(
        entry.at == record.at and entry.sequence == first + index
        for index, entry in enumerate(record.trace)
    )
    if record.trace and plain:
        written["trace"] = [[entry.address, entry.kind, entry.why] for entry in record.trace]
    return written


def _long_trace(value: Any) -> Any:
    return _lengthened(cast("dict[str, Any]", value)) if isinstance(value, dict) else value


def _lengthened(value: dict[str, Any]) -> dict[str, Any]:
    short: list[Any] = value.get("trace") or []
    first = value.get("sequence", 0) - len(short) + 1
    at = value.get("at", NOT_SENT)
    entries: list[Any] = [
        {
            "sequence": first + index,
            "at": at,
            "address": entry[0],
            "kind": entry[1],
            "why": entry[2],
        }
        if isinstance(entry, list)
        else entry
        for index, entry in enumerate(short)
    ]
    return {**value, "trace": entries}


SentRecord = Annotated[RunRecord, BeforeValidator(_long_trace), WrapSerializer(_short_trace)]
"""A record on the wire: its trace is `[address, kind, why]` each, where sequence and time follow from the record."""
