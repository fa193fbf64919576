"""What to say or offer to a customer here and now: who may hear what, in which order, and why. Pure.

A suggestion's score is its priority times (0.5 + how often it was taken here), where that rate
begins at a half: two answers of each kind are added to those that were given. So what nobody
answered keeps its priority, and ten refusals lower it by a third.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from journey.touchpoint import minute

PRIOR_ANSWERS = 2
"""So many that took it, and as many that refused, are added to those that were counted."""

Kind = Literal["show", "coupon", "problem"]


@dataclass(slots=True, frozen=True, kw_only=True)
class Counted:
    """What became of a suggestion at a place, for all customers."""

    shown: int = 0
    taken: int = 0
    refused: int = 0

    @property
    def rate(self) -> float:
        """How often it is taken, of those who answered."""
        answered = self.taken + self.refused
        return (self.taken + PRIOR_ANSWERS) / (answered + 2 * PRIOR_ANSWERS)


@dataclass(slots=True, frozen=True, kw_only=True)
class Candidate:
    """Something that may be said or offered. `because`: why it is there. `told`: what this customer last made of it."""

    suggestion: str
    kind: Kind
    key: str
    say: str
    because: str
    priority: int = 50
    journey: str | None = None
    run: str | None = None
    name: str = ""
    until: datetime | None = None
    held_out: bool = False
    told: Literal["shown", "taken", "refused"] | None = None
    again_at: datetime | None = None
    counted: Counted = Counted()


@dataclass(slots=True, frozen=True, kw_only=True)
class Allowed:
    """What of this customer decides whether they may be offered something, besides what is true."""

    consent_withheld: bool = False
    unsubscribed: bool = False
    paused_until: datetime | None = None
    held_by: str | None = None
    """The journey that holds marketing back."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Suggestion:
    """Something to say or offer, and why it stands where it does."""

    candidate: Candidate
    score: float
    reasons: tuple[str, ...]


@dataclass(slots=True, frozen=True, kw_only=True)
class NotNow:
    """Something that is not to be said now, and why."""

    candidate: Candidate
    reason: str


def ranked(
    candidates: Iterable[Candidate], allowed: Allowed, now: datetime
) -> tuple[list[Suggestion], list[NotNow]]:
    """What to say, the best first, and what not, with the reasons."""
    said: list[Suggestion] = []
    kept_back: list[NotNow] = []
    for candidate in candidates:
        reason = _against(candidate, allowed, now)
        if reason is not None:
            kept_back.append(NotNow(candidate=candidate, reason=reason))
        else:
            score = round(candidate.priority * (0.5 + candidate.counted.rate), 2)
            said.append(
                Suggestion(candidate=candidate, score=score, reasons=tuple(_for(candidate)))
            )
    said.sort(key=_place)
    return said, kept_back


def _place(suggestion: Suggestion) -> tuple[float, float, str]:
    until = suggestion.candidate.until
    return (
        -suggestion.score,
        until.timestamp() if until is not None else float("inf"),
        suggestion.candidate.suggestion,
    )


def _against(candidate: Candidate, allowed: Allowed, now: datetime) -> str | None:
    """Why it is not to be said now."""
    if candidate.until is not None and candidate.until <= now:
        return f"its time is over since {minute(candidate.until)} UTC"
    if candidate.held_out:
        return "the customer is in the hold-out group of its journey"
    if candidate.told == "taken":
        return "the customer has taken it already"
    if candidate.again_at is not None and candidate.again_at > now:
        return f"the customer refused it: not again before {minute(candidate.again_at)} UTC"
    return _offers_off(allowed, now) if candidate.kind == "coupon" else None


def _offers_off(allowed: Allowed, now: datetime) -> str | None:
    """Why nothing is offered to this customer, whatever it is."""
    if allowed.consent_withheld or allowed.unsubscribed:
        return "the customer wants no marketing"
    if allowed.paused_until is not None and allowed.paused_until > now:
        return f"the customer wants no marketing before {minute(allowed.paused_until)} UTC"
    if allowed.held_by is not None:
        return f"journey {allowed.held_by} holds marketing back as long as it goes on"
    return None


def _for(candidate: Candidate) -> Iterable[str]:
    yield candidate.because
    if candidate.until is not None:
        yield f"it holds until {minute(candidate.until)} UTC"
    yield f"priority {candidate.priority} of 100"
    counted = candidate.counted
    answered = counted.taken + counted.refused
    if answered:
        yield f"taken by {counted.taken} of the {answered} who answered it here"
    if candidate.told == "refused":
        yield "the customer refused it before, long enough ago"
