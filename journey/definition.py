"""A journey as its author writes it."""

import hashlib
import re
from functools import cached_property
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import rfc8785
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

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
)
from journey.spans import read_span
from journey.steps import AnyStep

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


def _percent(value: Any) -> Any:
    if isinstance(value, str):
        found = _PERCENT.fullmatch(value.strip())
        if not found:
            raise PydanticCustomError("percent", "expected a share such as 5%")
        return float(found[1])
    raise PydanticCustomError("percent", "expected a share such as 5%")


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise PydanticCustomError("zone", "not an IANA time zone; write one such as Europe/Prague")
    return name


class Entry(Model):
    """How a customer enters: by a touchpoint."""

    on: EventName
    when: Condition | None = None
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
    """What ends the run at once, wherever it stands: a touchpoint, or a condition that comes true."""

    on: EventName | None = None
    when: Condition | None = None
    about: Value | None = None
    match: Match = None
    outcome: Slug

    @cached_property
    def touchpoint(self) -> On | None:
        """The touchpoint that ends the run, if it is one."""
        if self.on is None:
            return None
        return On(on=self.on, when=self.when, about=self.about, match=self.match)


class Goal(Model):
    """Which outcome is the aim, and within what time it counts."""

    outcome: Slug
    within: SpanText | None = None
    value: Value | None = None


class Reaction(Model):
    """Steps that run whenever a touchpoint comes or a condition becomes true, whatever the stage is doing.

    One at a time; what comes meanwhile waits its turn. `settle`: wait until nothing more of it
    came for so long, then react once, to the last.
    """

    on: EventName | None = None
    when: Condition | None = None
    about: Value | None = None
    match: Match = None
    settle: SpanText | None = None
    do: list[AnyStep] = Field(min_length=1)

    @cached_property
    def touchpoint(self) -> On | None:
        """The touchpoint it reacts to, if it is one."""
        if self.on is None:
            return None
        return On(on=self.on, when=self.when, about=self.about, match=self.match)


class Stage(Model):
    """A part of the path as the customer would tell it. It ends in `go` or `finish`."""

    stage: Slug
    title: str | None = None
    feeling: Slug | None = None
    """How the customer is likely to feel here; picks the tone of messages."""
    steps: list[AnyStep] = Field(min_length=1)


class Definition(Model):
    """A whole journey."""

    language: Literal[1]
    journey: Slug
    title: str = Field(min_length=1, max_length=200)
    description: str | None = None
    owner: str = Field(min_length=1, max_length=100)
    """Who answers for it."""
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    """The time zone for customers of whom none is known, and of the staff."""
    enter: Entry
    match: Condition | None = None
    """What must hold of every touchpoint about the customer, such as `event.properties.order == run.key`."""
    listen: dict[Identifier, Value] = {}
    """Subjects the run listens to: kind → list of ids, such as `flight: 'run.legs.map(l, l.flight)'`."""
    keep: dict[Identifier, Value] = {}
    """Values taken at entry and kept as `run.NAME`."""
    exit: list[Exit] = []
    goal: Goal | None = None
    whenever: list[Reaction] = []
    stages: list[Stage] = Field(min_length=1, max_length=200)


def canonical_json(data: Any) -> bytes:
    """A definition as RFC 8785 canonical JSON."""
    return rfc8785.dumps(data)


def version_of(canonical: bytes) -> str:
    """The version of a journey: SHA-256 of its canonical JSON, in hex."""
    return hashlib.sha256(canonical).hexdigest()
