"""What a run remembers: one small value that serialises, and is all that continue-as-new carries.

Shapes only grow: a new field has a default, so that an older state is read as it was written.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from pydantic import (
    JsonValue,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    model_serializer,
    model_validator,
)

from journey.effects import Effect, PromiseState, Values
from journey.shared_parts import read_again, write_once
from journey.touchpoint import Touchpoint


def _no_values() -> Values:
    """Named, because `dict[str, JsonValue]()` takes five times as long, and each wait makes one."""
    return {}


def _no_links() -> dict[str, tuple[str, int]]:
    return {}


def _no_rounds() -> dict[str, int]:
    return {}


def _no_arrivals() -> list[int]:
    return []


def _no_tally() -> dict[int, list[datetime]]:
    return {}


ENTRY = 1
"""The arrival of entry itself; what comes later counts on from there."""


@dataclass(slots=True)
class Mail:
    """A touchpoint in the mailbox, with its place in the order of arrival."""

    arrival: int
    touchpoint: Touchpoint


@dataclass(slots=True)
class Waiting:
    """What a thread waits for, at the step where it stands.

    `began`: when the step was reached; lengths of time count from it. `deadline`: the next instant
    at which the step wants to be looked at again, `late`: whether that instant was already dealt with.
    `n`: the effect that it waits for, or that opened the case or the promise it watches.
    `mark`: where a wait says itself since when touchpoints count, in place of the thread's own mark.
    `tally`: of each touchpoint that is counted, by its place in the step, when those were that came;
    `tallied`: the arrival up to which touchpoints were looked at. `clocked`: the case keeps its deadlines.
    """

    kind: Literal[
        "touchpoint",
        "effect",
        "deferred",
        "case",
        "threads",
        "promise",
        "stopped",
        "survey",
        "offer",
        "show",
        "run",
    ]
    began: datetime
    deadline: datetime | None = None
    n: int | None = None
    late: bool = False
    why: str = ""
    mark: int | None = None
    tallied: int = 0
    tally: dict[int, list[datetime]] = field(default_factory=_no_tally)
    clocked: bool = False


@dataclass(slots=True)
class Thread:
    """One line of progress through the steps: the main one, one per item, one per reaction or promise.

    `mark`: touchpoints that arrived up to this number are behind it. `items`: what `for_each`
    bound; `links`: where each item came from (address of the `for_each`, index), so that it is read
    anew when the list changes. `event`: what met it last. `parent`: the thread that waits for it, if any.
    `rounds`: how often the steps of a `repeat`, by its address, were begun.
    `met`: what met it of the touchpoints that are still in the mailbox; nothing meets a thread twice.
    """

    thread: int
    at: str
    home: str
    mark: int
    items: Values = field(default_factory=_no_values)
    links: dict[str, tuple[str, int]] = field(default_factory=_no_links)
    event: dict[str, JsonValue] | None = None
    parent: int | None = None
    waiting: Waiting | None = None
    met: list[int] = field(default_factory=_no_arrivals)
    rounds: dict[str, int] = field(default_factory=_no_rounds)

    def may_meet(self, mail: Mail) -> bool:
        """Whether a touchpoint is neither behind the thread nor met it before."""
        own = self.waiting.mark if self.waiting else None
        return mail.arrival > (self.mark if own is None else own) and mail.arrival not in self.met


@dataclass(slots=True)
class ReactionState:
    """Where a `whenever` stands: what it has looked at, whether its condition held, and what it lets settle."""

    mark: int = 0
    held: bool = False
    settles_at: datetime | None = None
    settling: Mail | None = None


@dataclass(slots=True)
class Outstanding:
    """An effect that was asked for and has not been answered; issued again under the same `n` after continue-as-new."""

    effect: Effect
    thread: int | None
    held: bool = False


@dataclass(slots=True)
class OpenPromise:
    """A promise made to the customer and not yet settled."""

    n: int
    name: str
    by: datetime | None
    state: PromiseState = "open"


@dataclass(slots=True)
class OpenOffer:
    """A coupon that was given and is neither redeemed nor expired. `n` is that of its GrantOffer."""

    n: int
    name: str
    code: str | None = None

    def is_told_by(self, result: Values) -> bool:
        """Whether a result is about this coupon, and not about one that was given later."""
        return self.code is None or result.get("code") == self.code


@dataclass(slots=True)
class OpenShow:
    """What is to be said at places; `seen` are the values it was last written with, None while it is not said."""

    n: int
    seen: Values | None = field(default_factory=dict[str, JsonValue])


@dataclass(slots=True)
class State:
    """All that a run remembers."""

    shape: int = 1
    entry: int = 0
    customer: str = ""
    key: str | None = None
    zone: str = "UTC"
    entered_at: datetime | None = None
    held_out: bool = False
    counter: int = 0
    sequence: int = 0
    arrivals: int = 0
    watermark: int = 0
    seen: list[str] = field(default_factory=list[str])
    values: Values = field(default_factory=dict[str, JsonValue])
    traits: Values = field(default_factory=dict[str, JsonValue])
    results: Values = field(default_factory=dict[str, JsonValue])
    sends: dict[str, int] = field(default_factory=dict[str, int])
    visits: dict[str, int] = field(default_factory=dict[str, int])
    stage: str | None = None
    threads: list[Thread] = field(default_factory=list[Thread])
    mailbox: list[Mail] = field(default_factory=list[Mail])
    reactions: dict[int, ReactionState] = field(default_factory=dict[int, ReactionState])
    exits_held: dict[int, bool] = field(default_factory=dict[int, bool])
    promises: list[OpenPromise] = field(default_factory=list[OpenPromise])
    outstanding: dict[int, Outstanding] = field(default_factory=dict[int, Outstanding])
    listens: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    outcome: str | None = None
    goal: bool = False
    offers: list[OpenOffer] = field(default_factory=list[OpenOffer])
    shows: list[OpenShow] = field(default_factory=list[OpenShow])

    @model_serializer(mode="wrap")
    def _write_once(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return write_once(handler(self))

    @model_validator(mode="before")
    @classmethod
    def _read_again(cls, raw: Any) -> Any:
        return read_again(raw)

    def thread(self, number: int) -> Thread | None:
        """The thread of this number, if it is still there."""
        for thread in self.threads:
            if thread.thread == number:
                return thread
        return None

    @property
    def finished(self) -> bool:
        """Whether the run has ended, and all that is done at its end is done and answered."""
        return self.outcome is not None and not self.outstanding and not self.threads


_STATE = TypeAdapter(State)


def dump_state(state: State) -> bytes:
    """The state as JSON, without what is as it always is."""
    return _STATE.dump_json(state, exclude_defaults=True)


def load_state(raw: object) -> State:
    """A state from plain JSON data, or from JSON text. Raises: `ValueError` naming the field."""
    if isinstance(raw, bytes | str):
        return _STATE.validate_json(raw)
    return _STATE.validate_python(raw)


def copy_state(state: State) -> State:
    """A copy that may be changed without touching the original: containers are new, leaves are shared.

    Leaves (touchpoints, effects, JSON values) are never changed in place.
    """
    # Field by field: a loop with getattr takes four times as long.
    new = object.__new__(State)
    # Three at a time at most: four make a tuple first.
    new.shape, new.entry, new.customer = state.shape, state.entry, state.customer
    new.key, new.zone, new.entered_at = state.key, state.zone, state.entered_at
    new.held_out, new.counter, new.sequence = state.held_out, state.counter, state.sequence
    new.arrivals, new.watermark, new.stage = state.arrivals, state.watermark, state.stage
    new.outcome, new.goal = state.outcome, state.goal
    new.values, new.traits = state.values.copy(), state.traits.copy()
    new.visits = state.visits.copy()
    new.seen = state.seen.copy() if state.seen else []
    new.mailbox = state.mailbox.copy() if state.mailbox else []
    new.results = state.results.copy() if state.results else {}
    new.sends = state.sends.copy() if state.sends else {}
    new.exits_held = state.exits_held.copy() if state.exits_held else {}
    new.listens = state.listens.copy() if state.listens else {}
    new.offers = state.offers.copy() if state.offers else []
    new.shows = state.shows.copy() if state.shows else []
    new.threads = list(map(_copy_thread, state.threads))
    new.reactions = _copy_reactions(state.reactions) if state.reactions else {}
    new.promises = _copy_promises(state.promises) if state.promises else []
    new.outstanding = _copy_outstanding(state.outstanding) if state.outstanding else {}
    return new


def _copy_reactions(reactions: dict[int, ReactionState]) -> dict[int, ReactionState]:
    return {
        index: ReactionState(was.mark, was.held, was.settles_at, was.settling)
        for index, was in reactions.items()
    }


def _copy_promises(promises: list[OpenPromise]) -> list[OpenPromise]:
    return [OpenPromise(was.n, was.name, was.by, was.state) for was in promises]


def _copy_outstanding(outstanding: dict[int, Outstanding]) -> dict[int, Outstanding]:
    return {n: Outstanding(was.effect, was.thread, was.held) for n, was in outstanding.items()}


def _copy_thread(was: Thread) -> Thread:
    new, waiting = object.__new__(Thread), was.waiting
    if waiting is not None:
        waiting = Waiting(
            waiting.kind,
            waiting.began,
            waiting.deadline,
            waiting.n,
            waiting.late,
            waiting.why,
            waiting.mark,
            waiting.tallied,
            {place: list(times) for place, times in waiting.tally.items()} if waiting.tally else {},
            waiting.clocked,
        )
    new.thread, new.at, new.home = was.thread, was.at, was.home
    new.mark = was.mark
    new.items = was.items.copy() if was.items else {}
    new.links = was.links.copy() if was.links else {}
    new.met = was.met.copy() if was.met else []
    new.rounds = was.rounds.copy() if was.rounds else {}
    new.event = was.event
    new.parent, new.waiting = was.parent, waiting
    return new
