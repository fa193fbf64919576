"""What would have happened, in figures: plain counts that add up, whoever counted which customers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from zoneinfo import ZoneInfo

from insight.rehearsed import (
    Rehearsed,
    RehearsedCase,
    RehearsedDelivery,
    RehearsedOffer,
    RehearsedRun,
)
from insight.sorted_recording import lot_of
from journey.effects import TraceEntry
from journey.program import Program

Way = tuple[str, str]
"""An address, and which way was taken there."""

WAYS = {"chose", "arm", "met", "late", "at_most", "reacted"}
"""Kinds of decisions that tell which way somebody went."""

GOES_ON = "goes on"

MOST_REASONS = 2_000
ANOTHER = "another reason, rarer than these"


@dataclass(slots=True, frozen=True, order=True)
class ToldRun:
    """One customer told in full. Sorts by the customer's lot, so that which are told does not hang on the order."""

    lot: int
    customer: str
    entered_at: datetime
    ended: str
    goal: bool
    held_out: bool
    trace: tuple[TraceEntry, ...] = field(compare=False)


@dataclass(slots=True)
class Figures:
    """Counts over customers. Days are those of the journey's zone.

    `outcomes` counts runs by how they ended, whether that is the goal, and whether they were held
    out; a run under way ended as `goes on`. `stages` counts runs that came to a stage, `standing`
    those that stand there at the end. `ways` counts runs that went a way. `deliveries` counts by message, state and
    reason; `sent_by` what was sent by message and channel; `case_days` by day and queue; `why_not` by
    what did not happen and why, and `example` names a customer of each.
    """

    touchpoints: int = 0
    customers: int = 0
    entered: int = 0
    happenings: Counter[str] = field(default_factory=Counter[str])
    runs: int = 0
    held_out: int = 0
    entry_days: Counter[date] = field(default_factory=Counter[date])
    outcomes: Counter[tuple[str, bool, bool]] = field(
        default_factory=Counter[tuple[str, bool, bool]]
    )
    stages: Counter[str] = field(default_factory=Counter[str])
    standing: Counter[str] = field(default_factory=Counter[str])
    ways: Counter[Way] = field(default_factory=Counter[Way])
    deliveries: Counter[tuple[str, str, str]] = field(default_factory=Counter[tuple[str, str, str]])
    sent_by: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    sent_days: Counter[tuple[date, str]] = field(default_factory=Counter[tuple[date, str]])
    case_days: Counter[tuple[date, str]] = field(default_factory=Counter[tuple[date, str]])
    cases: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    promises: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    offers: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    started: Counter[str] = field(default_factory=Counter[str])
    why_not: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    example: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    told: dict[str, list[ToldRun]] = field(default_factory=dict[str, list[ToldRun]])

    def add(self, other: "Figures", examples: int) -> None:
        """Add the figures of others who come behind these."""
        for each in fields(self):
            mine, theirs = getattr(self, each.name), getattr(other, each.name)
            if isinstance(mine, int):
                setattr(self, each.name, mine + theirs)
            elif isinstance(mine, Counter):
                mine.update(theirs)
        for key, customer in other.example.items():
            self.example.setdefault(key, customer)
        self._pool_reasons()
        for ended, runs in other.told.items():
            self.told[ended] = sorted([*self.told.get(ended, []), *runs])[:examples]

    def _pool_reasons(self) -> None:
        """Reasons that name what only one customer has must not grow without end."""
        if len(self.why_not) <= MOST_REASONS:
            return
        for (what, why), times in self.why_not.most_common()[MOST_REASONS // 2 :]:
            del self.why_not[what, why]
            self.why_not[what, ANOTHER] += times
            self.example.setdefault((what, ANOTHER), self.example.pop((what, why)))

    def stories(self, examples: int) -> list[ToldRun]:
        """So many runs to tell in full: one of each way of ending first, the most usual first."""
        usual = sorted(self.told, key=lambda ended: (-self._ended(ended), ended))
        found: list[ToldRun] = []
        for turn in range(examples):
            found += [self.told[ended][turn] for ended in usual if turn < len(self.told[ended])]
        return found[:examples]

    def _ended(self, ended: str) -> int:
        return sum(count for (name, _, _), count in self.outcomes.items() if name == ended)


class Count:
    """Counts what came of runs into figures."""

    def __init__(self, program: Program, examples: int) -> None:
        self.figures = Figures()
        self._zone = ZoneInfo(program.zone)
        self._examples = examples

    def run(
        self, customer: str, run: RehearsedRun, deliveries: Sequence[RehearsedDelivery]
    ) -> None:
        """Count a run with its deliveries."""
        figures, state = self.figures, run.state
        figures.runs += 1
        figures.held_out += state.held_out
        figures.entry_days[self._day(run.entered_at)] += 1
        ended = run.outcome or GOES_ON
        figures.outcomes[ended, state.goal, state.held_out] += 1
        if run.outcome is None:
            figures.standing[state.stage or "entering"] += 1
        self._trace(customer, run)
        for promise in run.promises.values():
            figures.promises[promise.name, promise.state] += 1
            if promise.state in ("late", "broken", "dropped"):
                words = promise.reason or "its time passed"
                self._why_not(customer, f"promise {promise.name} {promise.state}", words)
        if run.needs_attention and run.outcome is None:
            self._why_not(customer, "cannot go on by itself", run.needs_attention)
        for delivery in deliveries:
            self._delivery(customer, delivery)
        self._tell(customer, run, ended)

    def case(self, customer: str, case: RehearsedCase) -> None:
        """Count a case; on the day and in the queue in which it was opened."""
        queue = case.asked.queue
        self.figures.case_days[self._day(case.opened_at), queue] += 1
        self.figures.cases[queue, case.decision or case.state] += 1
        if case.state == "closed":
            self._why_not(customer, f"case in {queue} not decided", case.reason)

    def offer(self, offer: RehearsedOffer) -> None:
        """Count an offer that was granted."""
        self.figures.offers[offer.granted.offer, offer.state] += 1

    def rest(self, result: Rehearsed, names: dict[str, str]) -> None:
        """Count what belongs to no run. `names`: what customers are called in the recording."""
        self.figures.happenings.update(result.fates)
        self.figures.started.update(start.journey for start in result.starts.values())
        for (why, customer), times in result.turned_away.items():
            self._why_not(names.get(customer, customer), "not entered", why, times)

    def _delivery(self, customer: str, delivery: RehearsedDelivery) -> None:
        message = delivery.message.message
        self.figures.deliveries[message, delivery.state, delivery.reason] += 1
        if delivery.state == "accepted" and delivery.settled_at is not None:
            self.figures.sent_days[self._day(delivery.settled_at), message] += 1
            self.figures.sent_by[message, delivery.channel or ""] += 1
        elif delivery.state in ("refused", "deferred"):
            words = f"{delivery.reason}: {delivery.words}" if delivery.reason else delivery.words
            self._why_not(customer, f"{message} not sent", _without_times(words))

    def _trace(self, customer: str, run: RehearsedRun) -> None:
        ways, stages = set[Way](), set[str]()
        for entry in run.trace:
            if entry.kind in WAYS:
                ways.add((entry.address, way_of(entry)))
            elif entry.kind == "stage":
                stages.add(entry.address)
            elif entry.kind in ("failed", "condition_error", "stopped"):
                self._why_not(customer, f"{entry.kind} at {entry.address}", entry.why)
        self.figures.ways.update(ways)
        self.figures.stages.update(stages)

    def _why_not(self, customer: str, what: str, why: str, times: int = 1) -> None:
        self.figures.why_not[what, why] += times
        self.figures.example.setdefault((what, why), customer)

    def _tell(self, customer: str, run: RehearsedRun, ended: str) -> None:
        before = self.figures.told.get(ended, [])
        full = len(before) >= self._examples
        if full and (not before or before[-1].lot < lot_of(customer)):
            return
        told = ToldRun(
            lot=lot_of(customer),
            customer=customer,
            entered_at=run.entered_at,
            ended=ended,
            goal=run.state.goal,
            held_out=run.state.held_out,
            trace=tuple(run.trace),
        )
        self.figures.told[ended] = sorted([*before, told])[: self._examples]

    def _day(self, at: datetime) -> date:
        return at.astimezone(self._zone).date()


def way_of(entry: TraceEntry) -> str:
    """Which way a decision went, in the same words for everybody."""
    match entry.kind:
        case "late":
            return "its time passed"
        case "arm":
            return entry.why.partition(" of ")[0]
        case "at_most":
            return "often enough"
        case _:
            return entry.why


def _without_times(words: str) -> str:
    """A reason without the moment in it, so that the same reason is the same for everybody."""
    return " ".join(part for part in words.split() if not _is_time(part))


def _is_time(word: str) -> bool:
    digits = sum(letter.isdigit() for letter in word)
    return digits >= 3 and all(letter.isdigit() or letter in "-:." for letter in word)
