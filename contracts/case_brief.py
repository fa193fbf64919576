"""What a member of staff must know of a case in one look: who, what they went through, what we suggest."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue


@dataclass(slots=True, frozen=True, kw_only=True)
class Who:
    """The customer.

    `assured`: how sure we are that whoever is on the line is they, in words; empty where nothing
    says. `withheld`: what is not shown for want of it, and what to do, in a sentence. `value`: what
    they are worth to the house, in its own words, such as `gold` or `1,240 EUR a year`.
    """

    customer: str
    name: str
    personas: tuple[str, ...] = ()
    value: str = ""
    locale: str = ""
    zone: str = ""
    preferences: tuple[str, ...] = ()
    consent: tuple[str, ...] = ()
    assured: str = ""
    withheld: str = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class Passed:
    """One thing on the customer's way. `kind`: touchpoint, message, reply, case, promise, feeling, failure."""

    at: datetime
    kind: str
    channel: str
    words: str
    failed: bool = False


@dataclass(slots=True, frozen=True, kw_only=True)
class Promised:
    """What they were told will be. `state`: open, kept, late, broken."""

    words: str
    by: datetime | None
    state: str


@dataclass(slots=True, frozen=True, kw_only=True)
class Felt:
    """What they feel, and why we think so."""

    feeling: str
    why: str
    at: datetime


@dataclass(slots=True, frozen=True, kw_only=True)
class Suggested:
    """What we suggest, and why. `decision`: one that the case offers, or none.

    `worked`, `of`: how often it worked for customers like this one, and out of how many; both None where
    no number stands behind it but a rule. `rate`: the smoothed success rate.
    """

    words: str
    why: str
    decision: str | None = None
    worked: int | None = None
    of: int | None = None
    rate: float | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class Choice:
    """A decision on offer, and whether this member may take it.

    `allowed`: `yes`, `no`, or `up to 50`. `fields`: name → type, as in `journey.effects.OfferedDecision`.
    """

    decision: str
    title: str
    fields: dict[str, str]
    does: str
    allowed: str


@dataclass(slots=True, frozen=True, kw_only=True)
class CaseBrief:
    """The page of one case for one member of staff."""

    who: Who
    passed: tuple[Passed, ...]
    promised: tuple[Promised, ...]
    felt: tuple[Felt, ...]
    failed: tuple[str, ...]
    suggested: tuple[Suggested, ...]
    choices: tuple[Choice, ...]
    traits: dict[str, JsonValue]
    other_cases: tuple[tuple[str, str], ...] = ()
