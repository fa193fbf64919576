"""What the router and the outbox hand each other."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, unquote

from pydantic import JsonValue

from journey.touchpoint import Touchpoint

Fate = dict[str, JsonValue]
"""What became of a touchpoint. `fate` is signalled, entered, handed_back, not_entered, too_late,
refused, ignored or perhaps; `run`, `journey` and `reason` say where and why; `number` is the number that
the run was given, where it is not the arrival's own. `handed_back` takes one `signalled` back: the run
had ended when it came. `perhaps`: a router that ended may have told the run (of that `entry`), which does
not want it any more; it is not told again."""

GIVEN = ("signalled", "entered")
"""The fates by which a run has a touchpoint."""


def had_by(fates: Iterable[Fate]) -> frozenset[str]:
    """The runs that were given a touchpoint and did not hand it back."""
    return frozenset(run for run, times in _given(fates).items() if times > 0)


def may_have(fates: Iterable[Fate]) -> frozenset[int]:
    """The entries of runs of which nobody knows whether they were told of a touchpoint."""
    return frozenset(int(str(fate["entry"])) for fate in fates if fate["fate"] == "perhaps")


def unwritten(fates: Iterable[Fate]) -> tuple[str, ...]:
    """The runs that handed a touchpoint back more often than it is written that they were given it; as much more often.

    A router died after it had told them and before it wrote that down, and they ended meanwhile.
    """
    return tuple(sorted((-_given(fates)).elements()))


def _given(fates: Iterable[Fate]) -> Counter[str]:
    """How often each run was given it, without what it handed back."""
    given: Counter[str] = Counter()
    for fate in fates:
        if fate["fate"] in GIVEN:
            given[str(fate["run"])] += 1
        elif fate["fate"] == "handed_back":
            given[str(fate["run"])] -= 1
    return given


class LeaseLostError(RuntimeError):
    """The unit's lease ran out or is another router's; what was begun is begun again there."""


@dataclass(slots=True, frozen=True, kw_only=True)
class PendingTouchpoint:
    """One row of a customer's outbox, numbered, with its touchpoint.

    `run`: it goes to that run only. `subject`: what it is about. `own`: it names this customer
    itself, and did not come through a subject alone. `had_by`: runs that were given it before;
    `unwritten`: runs that handed it back, each as often as nothing says that it had been given it.
    `arrival`: the number under which the customer first had it, mostly `number`. `fated`: it is
    written already what became of it. `doubtful`: a batch that was never finished had it too, so runs
    may have been told it, and what came behind it.
    """

    row: int
    touchpoint: int
    number: int
    arrival: int
    message_id: str
    event: str
    occurred_at: datetime
    run: str | None = None
    properties: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    context: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    subject: tuple[str, str] | None = None
    own: bool = True
    had_by: frozenset[str] = frozenset()
    unwritten: tuple[str, ...] = ()
    fated: bool = False
    doubtful: bool = False

    def as_touchpoint(self) -> Touchpoint:
        """The touchpoint as journeys see it."""
        return Touchpoint(
            message_id=self.message_id,
            event=self.event,
            timestamp=self.occurred_at,
            properties=self.properties,
            context=self.context,
            number=self.number,
        )


@dataclass(slots=True, frozen=True, kw_only=True)
class StartingRun:
    """A run that the router started and that was not admitted yet when the router last looked."""

    workflow_id: str
    first_run_id: str
    journey: str
    version: str
    key: str | None = None


@dataclass(slots=True, frozen=True)
class NumberedUnit:
    """What is known once a unit is numbered. `starting`: runs that may still be starting.

    `begun`: rows that a batch had which was never finished: what they tell may have been told.
    """

    starting: tuple[StartingRun, ...] = ()
    begun: frozenset[int] = frozenset()


@dataclass(slots=True, kw_only=True)
class PutBack:
    """What is pending for one run alone. `numbers`: touchpoint → the highest number under which it is.

    `entered_under`: the number of what the run entered by, where that is among it: a router ended
    before it wrote that it had begun the run; else 0.
    """

    numbers: dict[int, int] = field(default_factory=dict[int, int])
    entered_under: int = 0


@dataclass(slots=True, frozen=True, kw_only=True)
class PendingBatch:
    """A customer's pending touchpoints by number; `gone`: rows whose touchpoint is no more."""

    touchpoints: tuple[PendingTouchpoint, ...]
    gone: tuple[int, ...] = ()


@dataclass(slots=True, frozen=True, kw_only=True)
class RoutedBatch:
    """What came of a batch: rows done, the fates of their touchpoints, runs still starting.

    `not_started`: what runs asked to begin and nobody began, by the key of the asking, with the reason.
    `signals`: how many went to the run that was sent most; one with very many touchpoints counts as several.
    """

    rows: tuple[int, ...]
    fates: dict[int, list[Fate]]
    starting: tuple[StartingRun, ...]
    signals: int = 0
    not_started: dict[str, str] = field(default_factory=dict[str, str])


def customer_unit(customer: str) -> str:
    """The unit of routing of one customer."""
    return f"c/{customer}"


def subject_unit(kind: str, subject: str) -> str:
    """The unit of routing of one subject."""
    return f"s/{quote(kind, safe='')}/{quote(subject, safe='')}"


def customer_of(unit: str) -> str | None:
    """Whose unit it is; None where it is a subject's."""
    return unit[2:] if unit.startswith("c/") else None


def subject_of(unit: str) -> tuple[str, str]:
    """The kind and the id of the subject whose unit it is."""
    _, kind, subject = unit.split("/")
    return unquote(kind), unquote(subject)
