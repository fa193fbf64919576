"""How work goes for staff: waiting, answers, resolutions, load, authority, what they lack. Pure.

Made of what happened to cases, in order. Lengths are business time of the queue in which the case was, in
seconds; p50 and p90 are nearest ranks (the smallest value that so many of a hundred do not exceed).
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from pydantic import JsonValue

from journey.business_time import BusinessCalendar
from journey.spans import in_zone

BY_CLOCK = "clew"
"""Who did what nobody asked for."""

DECIDED = "decided "
ENDS = (DECIDED, "expired", "closed", "merged")
TAKES = ("claimed", "given", "went on")
LETS_GO = ("let go", "taken back", "handed over", "escalated")


@dataclass(slots=True, frozen=True, kw_only=True)
class Happened:
    """One thing that happened to a case."""

    at: datetime
    who: str
    did: str
    why: str = ""
    detail: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])


@dataclass(slots=True, frozen=True, kw_only=True)
class WorkedCase:
    """A case with all that happened to it. `queue`: where it is now; `service`: what it is about, as its journey."""

    case: str
    queue: str
    service: str
    place: str | None
    happened: Sequence[Happened]


@dataclass(slots=True, frozen=True, kw_only=True)
class Spread:
    """How many there are, and the length that half and nine tenths of them do not exceed; seconds."""

    count: int
    p50: float | None
    p90: float | None


@dataclass(slots=True, frozen=True, kw_only=True)
class HourOfDay:
    """How it is at this hour on an average day at work: cases that come, cases in hand, room for so many."""

    hour: int
    opened: float
    in_hand: float
    capacity: float


@dataclass(slots=True, frozen=True, kw_only=True)
class WorkFigures:
    """The figures of a queue, a member or a place. `waiting`: cases that nobody has, and how long by now."""

    opened: int
    waiting: Spread
    first_answer: Spread
    resolution: Spread
    resolved: int
    reopened: int
    escalated: int
    expired: int
    in_hand: int
    within_authority: int
    above_authority: int
    approved: int
    refused: int
    lacked: tuple[str, ...]
    decisions: Mapping[str, int]


@dataclass(slots=True)
class _Counted:
    """What is counted while cases are gone through."""

    opened: int = 0
    reopened: int = 0
    escalated: int = 0
    expired: int = 0
    in_hand: int = 0
    above: int = 0
    approved: int = 0
    refused: int = 0
    waiting: list[float] = field(default_factory=list[float])
    first: list[float] = field(default_factory=list[float])
    resolution: list[float] = field(default_factory=list[float])
    within: int = 0
    lacked: list[str] = field(default_factory=list[str])
    decisions: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(slots=True)
class _Walk:
    """Where a case stands while what happened to it is read."""

    since: datetime | None = None
    opened: datetime | None = None
    taken: datetime | None = None
    holder: str | None = None
    answered: bool = False
    over: bool = False
    approved: bool = False


Key = TypeVar("Key")
Calendars = Callable[[str], BusinessCalendar]


def queue_figures(
    cases: Iterable[WorkedCase], calendars: Calendars, since: datetime, now: datetime
) -> dict[str, WorkFigures]:
    """By queue, of what happened since."""
    return _figures(cases, calendars, since, now, lambda _, queue, __: queue)


def member_figures(
    cases: Iterable[WorkedCase], calendars: Calendars, since: datetime, now: datetime
) -> dict[str, WorkFigures]:
    """By member of staff: of what they had, did and decided. Resolution counts from when they took it."""
    return _figures(cases, calendars, since, now, lambda _, __, who: who, members=True)


def place_figures(
    cases: Iterable[WorkedCase], calendars: Calendars, since: datetime, now: datetime
) -> dict[tuple[str, str], WorkFigures]:
    """By service and place, of services that are given at more than one."""
    known = [each for each in cases if each.place is not None]
    places: dict[str, set[str]] = {}
    for each in known:
        places.setdefault(each.service, set()).add(each.place or "")
    several = [each for each in known if len(places[each.service]) > 1]
    return _figures(
        several, calendars, since, now, lambda case, _, __: (case.service, case.place or "")
    )


def queues_over_time(case: WorkedCase) -> Iterator[tuple[str, Happened]]:
    """What happened with the queue in which it did, read backwards from where the case is now."""
    queue, told = case.queue, list[tuple[str, Happened]]()
    for each in reversed(case.happened):
        moved = each.did in ("escalated", "handed over")
        came_from = each.detail.get("from")
        if moved and isinstance(came_from, str):
            to = each.detail.get("to") if each.did == "escalated" else each.detail.get("queue")
            queue = came_from if to is not None else queue
        told.append((queue, each))
    return iter(reversed(told))


def _figures(
    cases: Iterable[WorkedCase],
    calendars: Calendars,
    since: datetime,
    now: datetime,
    key: Callable[[WorkedCase, str, str], Key | None],
    *,
    members: bool = False,
) -> dict[Key, WorkFigures]:
    counting = _Counting(calendars, since, members, key)
    for case in cases:
        walk, queue = _Walk(), case.queue
        for queue, each in queues_over_time(case):
            counting.step(case, queue, each, walk)
        if walk.over or walk.opened is None:
            continue
        if walk.holder is not None:
            counting.of(case, queue, walk.holder).in_hand += 1
        elif walk.since is not None and not members:
            waits = calendars(case.queue).open_between(walk.since, now)
            counting.of(case, case.queue, None).waiting.append(waits.total_seconds())
    return {name: _told(each) for name, each in counting.counted.items()}


@dataclass(slots=True)
class _Counting(Generic[Key]):
    """Counts for whom `key` says; what is nobody's is counted and forgotten."""

    calendars: Calendars
    since: datetime
    members: bool
    key: Callable[[WorkedCase, str, str], Key | None]
    counted: dict[Key, _Counted] = field(default_factory=dict[Key, _Counted])

    def of(self, case: WorkedCase, queue: str, who: str | None) -> _Counted:
        nobody = self.members and who in (None, BY_CLOCK)
        named = None if nobody else self.key(case, queue, who or "")
        return _Counted() if named is None else self.counted.setdefault(named, _Counted())

    def step(self, case: WorkedCase, queue: str, each: Happened, walk: _Walk) -> None:
        """Count one thing where it is of the time asked for, and go on with the case."""

        def counts(who: str | None) -> _Counted:
            return self.of(case, queue, who) if each.at >= self.since else _Counted()

        calendar = self.calendars(queue)
        if each.did in ("opened", "reopened"):
            if each.did == "opened":
                counts(None).opened += 1
            else:
                counts(walk.holder).reopened += 1  # whoever decided it
            walk.since = walk.opened = each.at
            walk.answered, walk.over, walk.holder = False, False, None
            return
        _take(each, walk, calendar, counts)
        _count(each, counts, walk)
        _let_go(each, walk)
        if each.did.startswith(ENDS):
            self._end(each, walk, calendar, counts)

    def _end(
        self, each: Happened, walk: _Walk, calendar: BusinessCalendar, counts: "Counts"
    ) -> None:
        ended = counts(walk.holder)
        if each.did == "expired":
            ended.expired += 1
        begun = walk.taken if self.members else walk.opened
        if each.did.startswith(DECIDED) and begun is not None:
            ended.resolution.append(calendar.open_between(begun, each.at).total_seconds())
            name = each.did.removeprefix(DECIDED)
            ended.decisions[name] = ended.decisions.get(name, 0) + 1
            ended.within += 0 if walk.approved else 1
        walk.over, walk.approved = True, False


Counts = Callable[[str | None], _Counted]


def _take(each: Happened, walk: _Walk, calendar: BusinessCalendar, counts: Counts) -> None:
    """Somebody has it now, which is the first answer where it is the first time."""
    decided = each.did.startswith(DECIDED)
    if not decided and each.did not in TAKES:
        return
    taker = (walk.holder or each.who) if decided else _taker(each)
    if not walk.answered and walk.since is not None:
        waited = calendar.open_between(walk.since, each.at)
        counts(taker).first.append(waited.total_seconds())
        walk.answered = True
    if walk.holder != taker:
        walk.holder, walk.taken = taker, each.at


def _count(each: Happened, counts: Counts, walk: _Walk) -> None:
    match each.did:
        case "asked for approval":
            counts(each.who).above += 1
        case "approved":
            counts(_named(each, "of")).approved += 1
            walk.approved = True
        case "disapproved":
            counts(_named(each, "of")).refused += 1
        case "lacked":
            counts(each.who).lacked.append(each.why)
        case "escalated":
            counts(walk.holder).escalated += 1
        case _:
            pass


def _let_go(each: Happened, walk: _Walk) -> None:
    """Nobody has it any more, or whoever it was handed to; a louder escalation leaves it where it is."""
    if each.did not in LETS_GO or (each.did == "escalated" and each.detail.get("to") is None):
        return
    to = _named(each, "to") if each.did == "handed over" else None
    walk.holder, walk.taken, walk.since = to, each.at if to else None, each.at


def _taker(each: Happened) -> str:
    return (_named(each, "to") or each.who) if each.did == "given" else each.who


def _named(each: Happened, name: str) -> str | None:
    said = each.detail.get(name)
    return said if isinstance(said, str) else None


def _told(each: _Counted) -> WorkFigures:
    return WorkFigures(
        opened=each.opened,
        waiting=spread(each.waiting),
        first_answer=spread(each.first),
        resolution=spread(each.resolution),
        resolved=sum(each.decisions.values()),
        reopened=each.reopened,
        escalated=each.escalated,
        expired=each.expired,
        in_hand=each.in_hand,
        within_authority=each.within,
        above_authority=each.above,
        approved=each.approved,
        refused=each.refused,
        lacked=tuple(each.lacked),
        decisions=dict(sorted(each.decisions.items(), key=lambda one: (-one[1], one[0]))),
    )


def spread(values: Sequence[float]) -> Spread:
    """Nearest rank; None where there is nothing."""
    known = sorted(values)

    def rank(share: float) -> float | None:
        return known[max(0, math.ceil(share * len(known)) - 1)] if known else None

    return Spread(count=len(known), p50=rank(0.5), p90=rank(0.9))


def load_over_the_day(
    cases: Iterable[WorkedCase],
    calendar: BusinessCalendar,
    capacity: Callable[[datetime], int],
    since: datetime,
    now: datetime,
) -> list[HourOfDay]:
    """For each hour at which a queue is at work, how much there is on average and how much there is room for.

    `cases`: those of this queue. `capacity`: for how many there is room at an instant.
    """
    opened = sorted(each.at for case in cases for each in case.happened if each.did == "opened")
    begins, ends = _held(cases)
    hours: dict[int, list[tuple[int, int, int]]] = {}
    moment = since.replace(minute=0, second=0, microsecond=0)
    moment += timedelta(hours=1) if moment < since else timedelta()
    while moment < now:
        if calendar.is_open(moment):
            hour = in_zone(moment, calendar.zone).hour
            came = bisect_left(opened, moment + timedelta(hours=1)) - bisect_left(opened, moment)
            held = bisect_right(begins, moment) - bisect_right(ends, moment)
            hours.setdefault(hour, []).append((came, held, capacity(moment)))
        moment += timedelta(hours=1)
    return [
        HourOfDay(hour=hour, opened=_mean(rows, 0), in_hand=_mean(rows, 1), capacity=_mean(rows, 2))
        for hour, rows in sorted(hours.items())
    ]


def _held(cases: Iterable[WorkedCase]) -> tuple[list[datetime], list[datetime]]:
    """When somebody took a case and when they had it no more, each in order."""
    begins: list[datetime] = []
    ends: list[datetime] = []
    for case in cases:
        has = False
        for each in case.happened:
            takes = each.did in TAKES or (
                each.did == "handed over" and _named(each, "to") is not None
            )
            stops = each.did.startswith(ENDS) or (each.did in LETS_GO and not takes)
            if takes and not has:
                begins.append(each.at)
                has = True
            elif stops and has:
                ends.append(each.at)
                has = False
    return sorted(begins), sorted(ends)


def _mean(rows: Sequence[tuple[int, int, int]], of: int) -> float:
    return round(sum(row[of] for row in rows) / len(rows), 2)
