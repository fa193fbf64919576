"""The account of a day: every passenger, every message, every promise, each with its reason.

Made from plain rows, so that it can be drawn up from the database of a real run as well as from
a rehearsal. It balances when each passenger has one run, and each run is finished, travelling or
with staff.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from examples.flight.naive import Naive

SHOWN = 20
"""How many of those missing are named."""


@dataclass(slots=True, frozen=True, kw_only=True)
class RunRow:
    """A passenger's run: how it ended, else whether staff have a case of it or it is stuck."""

    user_id: str
    outcome: str | None = None
    with_staff: bool = False
    stuck: bool = False


@dataclass(slots=True, frozen=True, kw_only=True)
class DeliveryRow:
    """One message: accepted, or why not. `words`: the reason as told to a person."""

    user_id: str
    message: str
    state: str
    reason: str = ""
    words: str = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class PromiseRow:
    """One promise as it stands: open, kept, late, kept_late, broken or dropped."""

    name: str
    state: str
    reason: str = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class CaseRow:
    """One case, in the queue that it was opened in."""

    queue: str
    state: str
    decision: str | None = None


@dataclass(slots=True, kw_only=True)
class Account:
    """What became of everyone and everything."""

    passengers: int
    finished: int = 0
    travelling: int = 0
    with_staff: int = 0
    stuck: int = 0
    missing: list[str] = field(default_factory=list[str])
    strangers: list[str] = field(default_factory=list[str])
    twice: list[str] = field(default_factory=list[str])
    outcomes: Counter[str] = field(default_factory=Counter[str])
    deliveries: Counter[str] = field(default_factory=Counter[str])
    promises: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    promise_reasons: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    cases: Counter[str] = field(default_factory=Counter[str])
    touchpoints: int = 0
    seconds: float = 0.0
    why_not: str = ""
    naive: Naive | None = None

    def balance(self) -> bool:
        """Whether every passenger is accounted for once, and nobody is stuck."""
        counted = self.finished + self.travelling + self.with_staff
        odd = self.missing or self.strangers or self.twice or self.stuck
        return counted == self.passengers and not odd

    def as_json(self) -> dict[str, Any]:
        """The account as plain data: the closing line of `clew demo flights --json`."""
        return {
            "passengers": self.passengers,
            "finished": self.finished,
            "travelling": self.travelling,
            "with_staff": self.with_staff,
            "stuck": self.stuck,
            "missing": self.missing[:SHOWN],
            "strangers": self.strangers[:SHOWN],
            "twice": self.twice[:SHOWN],
            "balances": self.balance(),
            "outcomes": _sorted(self.outcomes),
            "touchpoints": self.touchpoints,
            "deliveries": _sorted(self.deliveries),
            "promises": {name: _sorted(states) for name, states in sorted(self.promises.items())},
            "promise_reasons": {
                state: _sorted(reasons) for state, reasons in sorted(self.promise_reasons.items())
            },
            "cases": self.cases.total(),
            "case_decisions": _sorted(self.cases),
            "why_not": self.why_not,
            "naive": self.naive.as_json() if self.naive else None,
            "seconds": round(self.seconds, 3),
        }


def account(
    *,
    passengers: Iterable[str],
    runs: Iterable[RunRow],
    deliveries: Iterable[DeliveryRow],
    promises: Iterable[PromiseRow],
    cases: Iterable[CaseRow],
    touchpoints: int,
    seconds: float,
    naive: Naive | None = None,
) -> Account:
    """Draw up the account. `passengers`: the user ids of all who booked."""
    booked = set(passengers)
    drawn = Account(passengers=len(booked), touchpoints=touchpoints, seconds=seconds, naive=naive)
    _count_runs(drawn, booked, runs)
    _count_deliveries(drawn, deliveries)
    by_name: defaultdict[str, Counter[str]] = defaultdict(Counter)
    by_reason: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for promise in promises:
        by_name[promise.name][promise.state] += 1
        by_reason[promise.state][_plain(promise.reason)] += 1
    drawn.promises, drawn.promise_reasons = dict(by_name), dict(by_reason)
    for case in cases:
        drawn.cases[f"{case.queue}: {case.decision or case.state}"] += 1
    return drawn


def _count_runs(drawn: Account, booked: set[str], runs: Iterable[RunRow]) -> None:
    seen: Counter[str] = Counter()
    for run in runs:
        seen[run.user_id] += 1
        if run.outcome is not None:
            drawn.finished += 1
            drawn.outcomes[run.outcome] += 1
        elif run.with_staff:
            drawn.with_staff += 1
        elif run.stuck:
            drawn.stuck += 1
        else:
            drawn.travelling += 1
    drawn.missing = sorted(booked - seen.keys())
    drawn.strangers = sorted(seen.keys() - booked)
    drawn.twice = sorted(user for user, times in seen.items() if times > 1)


def _count_deliveries(drawn: Account, deliveries: Iterable[DeliveryRow]) -> None:
    found: dict[int, str] = {}
    for delivery in deliveries:
        if delivery.state == "accepted":
            drawn.deliveries["sent"] += 1
            continue
        drawn.deliveries[delivery.reason if delivery.state == "refused" else delivery.state] += 1
        if delivery.reason == "expired":
            bag = delivery.message == "bag-on-board"
            name = "bag message" if bag else delivery.message
            found.setdefault(0 if bag else 1, f"{name} dropped: {delivery.words or 'too late'}")
    if found:
        drawn.why_not = found[min(found)]


def _plain(reason: str) -> str:
    """A reason without the instant in it, so that alike ones count together."""
    return reason.split(" by 20", 1)[0] or "as promised"


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
