"""Rules that open a problem: the same thing goes wrong for several customers within a short time. Pure."""

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints

from journey import conditions
from journey.conditions import ConditionError
from journey.language import Condition, EventName, Identifier, Model, Slug, SpanText, Value
from journey.touchpoint import Touchpoint

NAMES = frozenset({"event", "customer"})
"""What a rule may name, besides `now`."""

LONGEST_SAME = 200

_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")

Words = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]


class ProblemRule(Model):
    """So many customers, the same thing, within so long: that is a problem, and they are all told."""

    problem: Slug
    """The name of the rule; problems that it opens begin with it."""
    title: Words
    """What is wrong, for staff."""
    words: Words
    """What customers are told."""
    on: EventName
    """Name of the touchpoint."""
    when: Condition | None = None
    """What must hold of it, over `event` and `customer`."""
    subject: Identifier | None = None
    """It is the same where it is about the same subject of this kind."""
    same: Value | None = None
    """It is the same where this has the same value, such as `event.properties.bank`."""
    customers: int = Field(ge=2, le=10_000)
    """How many customers it must happen to."""
    within: SpanText
    """Within how long."""
    queues: list[Slug] = Field(default=[], max_length=20)
    """An open case in one of these queues is about this problem."""
    say_at: list[Slug] = Field(default=[], max_length=20)
    """Where it is said to anyone who looks or asks, also whom we do not know."""


class ProblemsFile(Model):
    """A file `problems.yaml`: what makes a problem by itself."""

    problems: list[ProblemRule] = Field(min_length=1, max_length=100)


def sign_of(
    rule: ProblemRule, touchpoint: Touchpoint, profile: Mapping[str, JsonValue]
) -> str | None:
    """What this touchpoint has in common with others of the rule; None where it is none of them."""
    if rule.on != touchpoint.event:
        return None
    names = {"event": touchpoint.named(), "customer": dict(profile), "now": touchpoint.timestamp}
    try:
        if rule.when is not None and not conditions.holds(rule.when, names, NAMES):
            return None
        said = conditions.json_value(rule.same, names, NAMES) if rule.same is not None else ""
    except ConditionError:
        return None
    if rule.subject is not None:
        subject = subject_of(touchpoint)
        if subject is None or subject[0] != rule.subject:
            return None
        said = f"{subject[1]} {said}".strip()
    return f"{said}"[:LONGEST_SAME]


def subject_of(touchpoint: Touchpoint) -> tuple[str, str] | None:
    """The kind and id of what a touchpoint is about, besides its customer."""
    subject = touchpoint.context.get("subject")
    if not isinstance(subject, dict):
        return None
    kind, named = subject.get("kind"), subject.get("id")
    return (kind, named) if isinstance(kind, str) and isinstance(named, str) else None


def name_of(rule: ProblemRule, same: str, day: str) -> str:
    """The name of the problem that a rule opens on a day: `payments-fail-acme-bank-2026-11-27`."""
    said = _NOT_IN_NAMES.sub("-", same.lower()).strip("-")[:24].strip("-")
    # Two values that look alike in a name are two problems all the same.
    mark = hashlib.sha256(same.encode()).hexdigest()[:4]
    return "-".join(part for part in (rule.problem, said, day, mark) if part)
