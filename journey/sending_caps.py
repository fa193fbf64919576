"""Caps: when one more message may go to a customer, and who gets the last place.

A message that left at `t` counts until `t` and the cap's length, on the customer's clock. One more goes
where at no instant more than `at_most` count. Messages that wait for their time are in line: the higher
priority first, then who asked first. Nobody takes a place that somebody ahead of them needs when their
own time comes; whoever stands behind looks again a minute after the last of those ahead was to go.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from journey.house_policy import Cap

LOOK_AGAIN = timedelta(minutes=1)
"""After the time of whoever is ahead, whoever stands behind them looks again."""

_LONGEST_LOOK = timedelta(minutes=16)

GONE_AFTER = timedelta(hours=1)
"""Who has not come so long after their time is in line no more."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Sent:
    """A message that left, or may have left, at `at`."""

    at: datetime
    purpose: str
    channel: str | None
    topic: str | None
    journey: str


@dataclass(slots=True, frozen=True, kw_only=True)
class Place:
    """A place in the line: higher priority first, then who asked first."""

    priority: int
    asked_at: datetime
    key: str

    def is_ahead_of(self, other: "Place") -> bool:
        """Whether this one goes first."""
        return self.in_order < other.in_order

    @property
    def in_order(self) -> tuple[int, datetime, str]:
        """What places are sorted by."""
        return (-self.priority, self.asked_at, self.key)


@dataclass(slots=True, frozen=True, kw_only=True)
class InLine:
    """A message that waits for its time; marketing, as nothing else does."""

    place: Place
    until: datetime
    channel: str | None
    topic: str | None
    journey: str
    expires: datetime | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class Capped:
    """Not now: look again at `until`. `words` say what is full, or who is ahead.

    `behind`: it waits for whoever is ahead, and nobody knows yet whether they will go.
    """

    until: datetime
    words: str
    behind: bool = False


def capped(
    cap: Cap, zone: str, sent: Iterable[Sent], ahead: Sequence[InLine], moment: datetime
) -> Capped | None:
    """Whether a cap lets one more go at `moment`; `ahead`: who goes before it, in order."""
    left = [
        _Taken(each.at, cap.span.after(each.at, zone))
        for each in sent
        if cap.counts(
            purpose=each.purpose, channel=each.channel, topic=each.topic, journey=each.journey
        )
    ]
    alone = _first_free(cap, zone, left, moment)
    rivals = [
        each
        for each in ahead
        if cap.counts(
            purpose="marketing", channel=each.channel, topic=each.topic, journey=each.journey
        )
    ]
    free, last = _behind(cap, zone, left, rivals, moment)
    if free <= moment:
        return None
    counted = sum(each.at <= moment < each.frees for each in left)
    full = f"{counted} of {cap.in_words}"
    if free <= alone or last is None:
        return Capped(until=alone, words=f"{full}; free again at {alone:%Y-%m-%d %H:%M} UTC")
    again = max(alone, _after(last, moment))
    rival = last.who
    words = f"{full}; a message of {rival.journey} goes first (priority {rival.place.priority})"
    return Capped(until=min(free, again), words=words, behind=True)


def in_line_before(own: Place, waiting: Iterable[InLine], now: datetime) -> list[InLine]:
    """Who goes before a message, the first of them first; who will not come any more is left out."""
    ahead = [
        each
        for each in waiting
        if each.place.is_ahead_of(own)
        and each.until > now - GONE_AFTER
        and (each.expires is None or each.expires > now)
    ]
    return sorted(ahead, key=lambda each: each.place.in_order)


@dataclass(slots=True, frozen=True)
class _Taken:
    at: datetime
    frees: datetime


@dataclass(slots=True, frozen=True)
class _Last:
    who: InLine
    at: datetime


def _behind(
    cap: Cap, zone: str, left: list[_Taken], rivals: Sequence[InLine], moment: datetime
) -> tuple[datetime, _Last | None]:
    """When one may go once each of those ahead has its place, and the last of them."""
    placed, last = list(left), None
    for each in rivals:
        at = _first_free(cap, zone, placed, max(moment, each.until))
        if each.expires is None or at < each.expires:
            placed.append(_Taken(at, cap.span.after(at, zone)))
            last = _Last(each, at)
    return _first_free(cap, zone, placed, moment), last


def _first_free(cap: Cap, zone: str, taken: list[_Taken], moment: datetime) -> datetime:
    later = sorted({each.frees for each in taken if each.frees > moment})
    for at in (moment, *later):
        frees = cap.span.after(at, zone)
        looked_at = {at, *(each.at for each in taken if at <= each.at < frees)}
        if all(_count(taken, instant) < cap.at_most for instant in looked_at):
            return at
    return later[-1]  # everything counted has been freed by then


def _count(taken: list[_Taken], instant: datetime) -> int:
    return sum(each.at <= instant < each.frees for each in taken)


def _after(last: _Last, moment: datetime) -> datetime:
    """A minute after it was to go; the longer it is overdue, the later."""
    return last.at + max(LOOK_AGAIN, min(moment - last.who.until, _LONGEST_LOOK))
