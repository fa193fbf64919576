"""A journey as its author writes it."""

import hashlib
import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Literal

import rfc8785
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from journey.business_hours import Business
from journey.entry_dates import Clock, OffsetText, RecurrenceText
from journey.language import (
    Condition,
    EventName,
    Identifier,
    Match,
    Model,
    On,
    Slug,
    SpanText,
    Value,
    Yes,
)
from journey.spans import read_span
from journey.steps import AnyStep
from journey.steps.wait import Counted
from journey.time_zones import ZoneName
from journey.touchpoint import AUDIENCE_LEFT

_AGAIN = re.compile(r"never|always|join|after\s+(?P<span>.+)")
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%")


Share = Annotated[str, StringConstraints(pattern=r"^\s*\d{1,3}(\.\d+)?\s*%\s*$")]
"""A share in percent, such as `5%`."""


def _again(text: str) -> str:
    found = _AGAIN.fullmatch(text.strip())
    if not found:
        raise PydanticCustomError(
            "again", "again is never, always, join, or after with a length of time: after 7d"
        )
    if found["span"]:
        read_span(found["span"].strip())
    return text.strip()


def _language(value: Any) -> Any:
    if isinstance(value, bool | float):
        raise PydanticCustomError("language", "Input should be 1", {"remedy": "write language: 1"})
    return value


def _percent(value: Any) -> Any:
    if isinstance(value, str):
        found = _PERCENT.fullmatch(value.strip())
        if not found:
            raise PydanticCustomError("percent", "expected a share such as 5%")
        return float(found[1])
    raise PydanticCustomError("percent", "expected a share such as 5%")


class Cap(Model):
    """How many customers may enter within an hour and within a day, both counted back from each entry."""

    per_hour: int | None = Field(default=None, ge=1, le=10_000_000)
    """How many within an hour."""
    per_day: int | None = Field(default=None, ge=1, le=100_000_000)
    """How many within a day."""

    def limits(self) -> Iterator[tuple[int, timedelta, str]]:
        """How many at the most, within how long, and that in words."""
        if self.per_hour is not None:
            yield self.per_hour, timedelta(hours=1), "within an hour"
        if self.per_day is not None:
            yield self.per_day, timedelta(days=1), "within a day"


class Entry(Model):
    """How a customer enters: by a touchpoint, by coming to be of an audience, on a date, by schedule, by request."""

    on: EventName | None = None
    """The touchpoint that brings customers in."""
    audience: Condition | None = None
    """Who enters when this becomes true of them: over `customer`, `counts` and `now`."""
    counts: dict[Identifier, Counted] = {}
    """What the audience may count: `orders: {on: Order Completed, within: 90d}`."""
    existing: bool = False
    """Whether those who are of the audience when the journey is first published enter too."""
    date: Value | None = None
    """A date or moment in the customer's traits, such as `customer.renews_on`."""
    offset: OffsetText | None = None
    """How long before (`-30d`) or after (`2d`) that date."""
    at: Clock | None = None
    """At what time of that day, on the customer's clock; midnight unless said otherwise."""
    every: Literal["year"] | None = None
    """Again on each anniversary of the date."""
    schedule: RecurrenceText | None = None
    """When all of the audience enter: an RRULE (RFC 5545) on the journey's clock, `FREQ=WEEKLY;BYDAY=MO;BYHOUR=9`."""
    by: Literal["request"] | None = None
    """Only by request: the API, staff, or a `run` step of another journey."""
    cap: Cap | None = None
    """How many may enter; who comes beyond that is not admitted, as `capped`."""
    when: Condition | None = None
    """What must hold of the touchpoint and of the customer besides."""
    key: Value | None = None
    """What tells several runs of one customer apart, such as `event.properties.order`."""
    again: Annotated[str, AfterValidator(_again)] = "never"
    """May the same customer (with the same key) enter again: never, always, join, `after 7d`."""
    hold_out: Annotated[
        float,
        BeforeValidator(_percent, json_schema_input_type=Share),
        Field(ge=0, le=100),
    ] = 0.0
    """Share of customers whose run is full but whose sends are refused as `held_out`."""


class Exit(Model):
    """What ends the run at once: a touchpoint, a condition that comes true, or leaving the audience."""

    on: EventName | None = None
    """The touchpoint that ends the run."""
    when: Condition | None = None
    """What must hold of it; alone: the condition that ends the run when it comes true."""
    about: Value | None = None
    """The id of the subject that it must be about."""
    match: Match = None
    """In place of the journey-wide `match`; `false` lifts it."""
    leaves_audience: Yes | None = None
    """When the customer is no longer of the audience that they entered with."""
    outcome: Slug
    """How the run ended then."""

    @cached_property
    def touchpoint(self) -> On | None:
        """The touchpoint that ends the run, if it is one."""
        if self.leaves_audience:
            return On(on=AUDIENCE_LEFT, match=False)
        if self.on is None:
            return None
        return On(on=self.on, when=self.when, about=self.about, match=self.match)


class Goal(Model):
    """Which outcome is the aim, and within what time it counts."""

    outcome: Slug
    """The outcome that is hoped for."""
    within: SpanText | None = None
    """How soon after entry it must be reached to count."""
    value: Value | None = None
    """What it is worth."""
    measure: str | None = Field(default=None, min_length=1, max_length=500)
    """In words, how one would know that the journey works."""


class Reaction(Model):
    """Steps that run whenever a touchpoint comes or a condition becomes true, whatever the stage is doing.

    One at a time; what comes meanwhile is dealt with by `mode`. `settle`: wait until nothing more of it
    came for so long, then react once, to the last.
    """

    on: EventName | None = None
    """The touchpoint that it reacts to."""
    when: Condition | None = None
    """What must hold of it; alone: the condition to whose coming true it reacts."""
    about: Value | None = None
    """The id of the subject that it must be about."""
    match: Match = None
    """In place of the journey-wide `match`; `false` lifts it."""
    settle: SpanText | None = None
    """How long nothing more of it must have come."""
    mode: Literal["queue", "restart", "ignore-while-running"] = "queue"
    """What comes while it runs waits its turn, begins it anew, or is left alone."""
    do: list[AnyStep] = Field(min_length=1)
    """What is done."""

    @cached_property
    def touchpoint(self) -> On | None:
        """The touchpoint it reacts to, if it is one."""
        if self.on is None:
            return None
        return On(on=self.on, when=self.when, about=self.about, match=self.match)


class WhileRunning(Model):
    """What holds of the customer, also in other journeys, as long as a run of this one is open."""

    hold: Literal["marketing"]
    """Messages of other journeys with this purpose wait until the run ends, however it ends."""


class Stage(Model):
    """A part of the path as the customer would tell it. It ends in `go` or `finish`."""

    stage: Slug
    """Its name."""
    title: str | None = None
    """Its name as people read it."""
    feeling: Slug | None = None
    """How the customer is likely to feel here; picks the tone of messages."""
    steps: list[AnyStep] = Field(min_length=1)
    """What happens in it, in order; the last one is `go` or `finish`."""


class Definition(Model):
    """A whole journey."""

    language: Annotated[Literal[1], BeforeValidator(_language)]
    """The version of the language."""
    journey: Slug
    """Its name."""
    title: str = Field(min_length=1, max_length=200)
    """What it is for, as a sentence people read."""
    description: str | None = None
    """More words about it."""
    owner: str = Field(min_length=1, max_length=100)
    """Who answers for it."""
    shared_with: list[Slug] = []
    """Teams that share it."""
    personas: list[Slug] = []
    """Whom it is made for; described in personas.yaml."""
    goals: list[Slug] = []
    """Shared goals that it serves; described in goals.yaml."""
    zone: ZoneName = "UTC"
    """The time zone for customers of whom none is known, and of the staff."""
    business: Business = Business()
    """When the business is open; Monday to Friday, 09:00 to 17:00 unless it is said."""
    enter: Entry
    """How customers enter."""
    match: Condition | None = None
    """What must hold of every touchpoint about the customer, such as `event.properties.order == run.key`."""
    listen: dict[Identifier, Value] = {}
    """Subjects the run listens to: kind → list of ids, such as `flight: 'run.legs.map(l, l.flight)'`."""
    keep: dict[Identifier, Value] = {}
    """Values taken at entry and kept as `run.NAME`."""
    exit: list[Exit] = []
    """What ends a run at once."""
    on_exit: list[AnyStep] = []
    """What is done when the run ends otherwise than by its own `finish`; coupons are void and cases closed by then."""
    priority: int | None = Field(default=None, ge=1, le=100)
    """Marketing of a journey waits while the customer is in one with a higher priority; 100 is the highest."""
    while_running: WhileRunning | None = None
    """What holds of the customer as long as a run is open."""
    goal: Goal | None = None
    """Which outcome is the aim."""
    whenever: list[Reaction] = []
    """Reactions."""
    stages: list[Stage] = Field(min_length=1, max_length=200)
    """The parts of the path, the first one first."""


def canonical_json(data: Any) -> bytes:
    """A definition as RFC 8785 canonical JSON."""
    return rfc8785.dumps(data)


def version_of(canonical: bytes) -> str:
    """The version of a journey: SHA-256 of its canonical JSON, in hex."""
    return hashlib.sha256(canonical).hexdigest()


Definition.model_rebuild()  # here, and not within the first task of a workflow
