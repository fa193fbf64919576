"""The time of a case: its deadlines in business time of its queue, what is due now, and when to look again. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from journey.business_time import BusinessCalendar, read_business_span
from journey.queues import Queue, queue_calendar
from journey.spans import in_zone, read_span

CaseState = Literal[
    "open", "claimed", "snoozed", "pending", "reopened", "resolved", "expired", "closed"
]
"""Waiting for somebody; somebody has it; put off; the customer is to answer; open again; decided; undecided in
time; not needed any more. Of the last three it is over."""

OVER: frozenset[str] = frozenset({"resolved", "expired", "closed"})
UNTAKEN: frozenset[str] = frozenset({"open", "reopened"})
TAKEN: frozenset[str] = frozenset({"claimed", "snoozed", "pending"})

Deadline = Literal["first_answer", "next_answer", "resolve"]

IN_WORDS: dict[Deadline, str] = {
    "first_answer": "first answer",
    "next_answer": "next answer",
    "resolve": "decided",
}


@dataclass(slots=True, frozen=True, kw_only=True)
class Pause:
    """The customer was to answer, from when until when; None: still."""

    since: datetime
    until: datetime | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class CaseTimes:
    """What the clock of a case needs to know of it; instants are the run's own.

    `first_answer`, `next_answer`, `resolve`: the spans it was opened with, where its journey says them;
    else its queue's hold. `fixed`: instants that its journey counted itself. `opened_at`: when it was opened, or
    opened again. `queued_at`: since when it waits for somebody of this queue. `waits_since`: since when the
    customer waits for the next answer. `acted_at`: when whoever has it did something last. `away_from`: from
    when on they are absent. `present_from`: when somebody of the queue is at work next. `marks`: what was
    done already.
    """

    state: CaseState
    opened_at: datetime
    queued_at: datetime
    first_answer: str | None = None
    next_answer: str | None = None
    resolve: str | None = None
    fixed: Mapping[Deadline, datetime] = field(default_factory=dict[Deadline, datetime])
    escalate_to: str | None = None
    expires: bool = False
    answered: bool = False
    waits_since: datetime | None = None
    pauses: tuple[Pause, ...] = ()
    snoozed_until: datetime | None = None
    assignee: str | None = None
    acted_at: datetime | None = None
    away_from: datetime | None = None
    present_from: datetime | None = None
    marks: frozenset[str] = frozenset()


@dataclass(slots=True, frozen=True, kw_only=True)
class Remind:
    """Tell whoever has the case, else the queue, that a deadline is near."""

    deadline: Deadline
    by: datetime
    mark: str


@dataclass(slots=True, frozen=True, kw_only=True)
class Escalate:
    """A deadline has passed: to another queue, or louder where there is none."""

    deadline: Deadline
    to: str | None
    mark: str


@dataclass(slots=True, frozen=True, kw_only=True)
class TakeBack:
    """Whoever has it is silent or away: somebody else is to have it."""

    why: Literal["silent", "absent"]


@dataclass(slots=True, frozen=True, kw_only=True)
class Wake:
    """What it was put off for is over: it is looked at again."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Expire:
    """Nobody decided in time, and its journey goes on without."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Assign:
    """It waits for nobody in particular: somebody is to have it, where somebody can."""


CaseAct = Remind | Escalate | TakeBack | Wake | Expire | Assign


@dataclass(slots=True, frozen=True, kw_only=True)
class Due:
    """What is due, in this order; when to look again, where nothing happens before; its deadlines."""

    acts: tuple[CaseAct, ...]
    next_at: datetime | None
    deadlines: dict[Deadline, datetime]


def due(times: CaseTimes, queue: Queue, now: datetime) -> Due:
    """What is due on a case at this instant. After what changes who has it or where it is, ask again."""
    if times.state in OVER:
        return Due(acts=(), next_at=None, deadlines={})
    calendar = queue_calendar(queue)
    until = deadlines(times, queue, calendar)
    looks = sorted(_looks(times, queue, calendar, until), key=lambda each: each[0])
    acts = [act for at, act in looks if at <= now and act is not None]
    over = next((act for act in acts if isinstance(act, Expire)), None)
    following = (at for at, _ in looks if at > now)
    return Due(
        acts=(over,) if over else tuple(acts), next_at=next(following, None), deadlines=until
    )


def deadlines(
    times: CaseTimes, queue: Queue, calendar: BusinessCalendar | None = None
) -> dict[Deadline, datetime]:
    """The deadlines that run now; none of an answer while the customer is to answer."""
    calendar = calendar or queue_calendar(queue)
    until: dict[Deadline, datetime] = {}
    for name, within, since in _running(times, queue):
        if within is not None:
            until[name] = _after(within, since, times.pauses, calendar)
        elif name in times.fixed:
            until[name] = times.fixed[name]
    return until


def _running(times: CaseTimes, queue: Queue) -> Iterator[tuple[Deadline, str | None, datetime]]:
    def within(name: Deadline) -> str | None:
        said: str | None = getattr(times, name)
        return said or (None if name in times.fixed else getattr(queue, name))

    if times.state in OVER or times.state == "pending":
        return
    if not times.answered:
        yield "first_answer", within("first_answer"), _since(times, "first_answer")
    elif times.waits_since is not None:
        yield "next_answer", within("next_answer"), _since(times, "next_answer")
    yield "resolve", within("resolve"), _since(times, "resolve")


def _after(
    within: str, since: datetime, pauses: tuple[Pause, ...], calendar: BusinessCalendar
) -> datetime:
    """So long after `since`, and as long again as the customer was to answer meanwhile."""
    business = read_business_span(within)
    end = (
        read_span(within).after(since, calendar.zone)
        if business is None
        else calendar.after(business, since)
    )
    for pause in pauses:
        begins, ends = max(pause.since, since), pause.until
        if ends is None or ends <= begins or begins >= end:
            continue
        if business is not None:
            end = calendar.open_for(calendar.open_between(begins, ends), end)
        else:
            end += ends - begins
    return end


def _looks(
    times: CaseTimes,
    queue: Queue,
    calendar: BusinessCalendar,
    until: Mapping[Deadline, datetime],
) -> Iterator[tuple[datetime, CaseAct | None]]:
    if times.state in ("snoozed", "pending") and times.snoozed_until is not None:
        yield times.snoozed_until, Wake()
    yield from _of_holder(times, queue, calendar)
    for name, by in until.items():
        yield from _of_deadline(times, queue, calendar, name, by)


def _of_holder(
    times: CaseTimes, queue: Queue, calendar: BusinessCalendar
) -> Iterator[tuple[datetime, CaseAct | None]]:
    if times.state in UNTAKEN:
        if queue.assign != "pulled":
            yield times.queued_at, Assign()
            if times.present_from is not None:
                yield times.present_from, None
        return
    if times.away_from is not None:
        yield times.away_from, TakeBack(why="absent")
    if queue.silent_after is not None and times.state == "claimed" and times.acted_at is not None:
        yield _after(queue.silent_after, times.acted_at, (), calendar), TakeBack(why="silent")


def _of_deadline(
    times: CaseTimes, queue: Queue, calendar: BusinessCalendar, name: Deadline, by: datetime
) -> Iterator[tuple[datetime, CaseAct | None]]:
    if name == "resolve" and times.expires:
        yield by, Expire()
    passed = f"{name} passed {_since(times, name).isoformat()}"
    if passed not in times.marks and not (name == "resolve" and times.expires):
        to = times.escalate_to or queue.escalate_to
        yield by, Escalate(deadline=name, to=to if to != queue.queue else None, mark=passed)
    near = f"{name} near {by.isoformat()}"
    if queue.remind_before is not None and near not in times.marks and passed not in times.marks:
        begins = read_span(queue.remind_before).before(by, calendar.zone)
        yield begins, Remind(deadline=name, by=by, mark=near)


def _since(times: CaseTimes, name: Deadline) -> datetime:
    """What a deadline counts from: moved hours move the deadline, and it is still the same one."""
    match name:
        case "first_answer":
            return times.queued_at
        case "next_answer":
            return times.waits_since or times.queued_at
        case "resolve":
            return times.opened_at


def standing_in_words(times: CaseTimes, queue: Queue, until: Mapping[Deadline, datetime]) -> str:
    """How a case stands, for whoever looks at its workflow: its state, its queue, its deadlines."""
    said = [_state_in_words(times, queue)]
    for name, by in sorted(until.items(), key=lambda each: each[1]):
        said.append(f"{IN_WORDS[name]} by {_on_clock(by, queue.zone)}")
    return ", ".join(said)


def _state_in_words(times: CaseTimes, queue: Queue) -> str:
    where = f"{times.state} in {queue.title or queue.queue}"
    match times.state:
        case "claimed":
            return f"{where}, {times.assignee} has it"
        case "snoozed" if times.snoozed_until is not None:
            return f"{where} until {_on_clock(times.snoozed_until, queue.zone)}, {times.assignee} has it"
        case "pending":
            return f"{where}: the customer is to answer {times.assignee}"
        case _:
            return where


def _on_clock(at: datetime, zone: str) -> str:
    local = in_zone(at, zone)
    return f"{local.to_stdlib():%a %d %b %Y %H:%M} {zone}"
