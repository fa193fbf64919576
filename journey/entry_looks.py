"""Who enters without having done anything: by being of an audience, or because a date has come. Pure.

A customer is looked at when they change, when something that is counted comes, and when time alone
may change the answer (`look_at`). The same look twice enters once: each entry has a name of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from pydantic import JsonValue

from journey import conditions
from journey.conditions import ConditionError
from journey.entry_dates import date_of, entry_moments
from journey.program import Program
from journey.spans import read_span
from journey.steps.wait import Counted
from journey.touchpoint import TRAITS_CHANGED, Touchpoint

EntryKind = Literal["touchpoint", "audience", "date", "schedule", "request"]

AT_LEAST_DAILY = timedelta(days=1)
"""An audience that names `now` is looked at as often as this: nothing says when it will change."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Tally:
    """How often something came within its time, and when the first of those falls out of it."""

    count: int
    falls_at: datetime | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class Looked:
    """How a customer stood when they were looked at last: of the audience or not, how often they came to be.

    `looked_to`: dates up to this instant are dealt with. `foreseen`: when, as it was known then, time
    alone would change the answer.
    """

    inside: bool
    times: int
    looked_to: datetime
    foreseen: datetime | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class Look:
    """What came of a look. `enters`: names of the occasions on which the customer enters now."""

    looked: Looked
    enters: tuple[str, ...] = ()
    left: bool = False
    look_at: datetime | None = None
    why: str = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class Candidate:
    """A customer to be looked at: what conditions see as `customer`, their zone, and what was counted."""

    profile: Mapping[str, JsonValue]
    zone: str
    tallies: Mapping[str, Tally] = field(default_factory=dict[str, Tally])


def entry_kind(program: Program) -> EntryKind:
    """How customers enter."""
    enter = program.definition.enter
    if enter.on is not None:
        return "touchpoint"
    if enter.date is not None:
        return "date"
    if enter.schedule is not None:
        return "schedule"
    return "audience" if enter.audience is not None else "request"


def is_looked_at(program: Program) -> bool:
    """Whether customers enter by being looked at one by one."""
    return entry_kind(program) in ("audience", "date")


def events_looked_at(program: Program) -> frozenset[str]:
    """Names of touchpoints after which a customer is to be looked at."""
    if not is_looked_at(program):
        return frozenset()
    counted = {each.on for each in program.definition.enter.counts.values()}
    return frozenset(counted | {TRAITS_CHANGED})


def look(
    program: Program, candidate: Candidate, before: Looked | None, now: datetime, *, new: bool
) -> Look:
    """Look at a customer. `new`: they became known after the journey was published.

    Whoever was known before and is of the audience already enters only where the journey says `existing`.
    """
    if entry_kind(program) == "date":
        return _at_date(program, candidate, before, now)
    inside, why = is_of_audience(program, candidate, now)
    times = before.times if before else 0
    was_inside = before.inside if before else not (new or program.definition.enter.existing)
    comes = inside and not was_inside
    if comes:
        times += 1
    return Look(
        looked=Looked(inside=inside, times=times, looked_to=now),
        enters=(f"{times}",) if comes else (),
        left=before is not None and before.inside and not inside,
        look_at=min(_changes(program, candidate, now), default=None),
        why=why,
    )


def is_of_audience(program: Program, candidate: Candidate, now: datetime) -> tuple[bool, str]:
    """Whether a customer is of the journey's audience, and why that cannot be told where it cannot."""
    source = program.definition.enter.audience
    if source is None:
        return True, ""
    names = {
        "customer": dict(candidate.profile),
        "counts": {name: tally.count for name, tally in candidate.tallies.items()},
        "now": now,
    }
    try:
        return conditions.holds(source, names, program.names), ""
    except ConditionError as error:
        return False, str(error)


def _changes(program: Program, candidate: Candidate, now: datetime) -> Iterator[datetime]:
    """When time alone may change whether the customer is of the audience."""
    for tally in candidate.tallies.values():
        if tally.falls_at is not None:
            yield tally.falls_at
    source = program.definition.enter.audience
    if source is not None and "now" in conditions.compiled(source, program.names).roots:
        yield now + AT_LEAST_DAILY


def _at_date(program: Program, candidate: Candidate, before: Looked | None, now: datetime) -> Look:
    enter = program.definition.enter
    # A date that came is dealt with late rather than never; one that was told of when it had passed is over.
    came = before is not None and before.foreseen is not None and before.foreseen <= now
    since = before.looked_to if before is not None and came else now
    looked = Looked(inside=False, times=before.times if before else 0, looked_to=now)
    names = {"customer": dict(candidate.profile), "now": now}
    try:
        value = conditions.json_value(str(enter.date), names, program.names)
        day = date_of(value, candidate.zone)
        moments = list(
            entry_moments(
                day,
                candidate.zone,
                offset=enter.offset,
                at=enter.at,
                yearly=enter.every == "year",
                after=since,
            )
        )
    except (ConditionError, ValueError, OverflowError) as error:
        return Look(looked=looked, why=str(error))
    of_audience, why = is_of_audience(program, candidate, now)
    due = tuple(name for name, at in moments if at <= now) if of_audience else ()
    following = min((at for _, at in moments if at > now), default=None)
    return Look(looked=replace(looked, foreseen=following), enters=due, look_at=following, why=why)


def tally(times: list[datetime], within: str | None, zone: str, now: datetime) -> Tally:
    """Count moments, the latest `within` long back from now."""
    if within is None:
        return Tally(count=len(times))
    span = read_span(within)
    falls = sorted(fall for at in times if (fall := span.after(at, zone)) > now)
    return Tally(count=len(falls), falls_at=falls[0] if falls else None)


def is_counted(
    program: Program, counted: Counted, touchpoint: Touchpoint, profile: Mapping[str, JsonValue]
) -> bool:
    """Whether a touchpoint is one that the audience counts; one of which that cannot be told is not."""
    if counted.on != touchpoint.event:
        return False
    if counted.when is None:
        return True
    names = {"event": touchpoint.named(), "customer": dict(profile), "now": touchpoint.timestamp}
    try:
        return conditions.holds(counted.when, names, program.names)
    except ConditionError:
        return False
