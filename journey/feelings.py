"""Where feeling comes from: rules over evidence, what staff saw, and how it fades. Pure.

Of several readings the surest source counts (staff over answer over rule over the stage of a
journey); of one source the newest. A reading holds until it fades, and is weaker by then.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints, model_validator

from journey import conditions
from journey.conditions import ConditionError
from journey.language import Condition, EventName, Model, Slug, SpanText
from journey.message_events import REPLIED
from journey.touchpoint import SURVEY_ANSWERED, Touchpoint

Source = Literal["staff", "answer", "rule"]
"""Where a reading comes from, the surest first. A stage's own feeling is weaker than each."""

SOURCES: tuple[Source, ...] = ("staff", "answer", "rule")

STAFF_READING_LASTS = "7d"
"""A feeling that staff saw holds so long, unless they say otherwise."""

NAMES = frozenset({"event", "customer"})
"""What the condition of a rule may name, besides `now`."""

Phrase = Annotated[str, StringConstraints(min_length=2, max_length=100)]


class FeelingWords(Model):
    """A feeling that customers of this house may have."""

    feeling: Slug
    """Its name, as messages and stages use it."""
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """What it means, for staff."""


class FeelingRule(Model):
    """From what a feeling is read: a touchpoint, so often within so long, what must hold of it, words in it."""

    feeling: Slug
    """One of `feelings`."""
    on: EventName = REPLIED
    """Name of the touchpoint. Left out: what a customer writes to us."""
    when: Condition | None = None
    """What must hold of it, over `event` and `customer`."""
    count: int = Field(default=1, ge=1, le=100)
    """How often it must have come."""
    within: SpanText | None = None
    """Within how long, where it must come more than once."""
    words: dict[Slug, list[Phrase]] | list[Phrase] | None = None
    """One of these must be in `event.properties.text`: a list, or a list for each language of the customer."""
    lasts: SpanText = Field(alias="for")
    """How long the feeling holds; it fades all that time."""
    source: Literal["answer", "rule"] | None = None
    """How sure it is. Left out: `answer` for an answer to a survey, else `rule`."""
    because: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """The evidence in words. Left out: what the rule says."""

    @model_validator(mode="after")
    def _whole(self) -> "FeelingRule":
        if self.count > 1 and self.within is None:
            raise ValueError("count without within: say within how long they must come")
        return self

    @property
    def sure(self) -> Source:
        """Where its readings come from."""
        return self.source or ("answer" if self.on == SURVEY_ANSWERED else "rule")

    def in_words(self, found: str | None) -> str:
        """The evidence, for staff. `found`: the words that were in it."""
        if self.because is not None:
            return self.because
        often = f"{self.count} × {self.on} within {self.within}" if self.count > 1 else self.on
        said = f', where they say "{found}"' if found else ""
        return f"{often}{said}{f', and {self.when}' if self.when else ''}"


class FeelingsFile(Model):
    """A file `feelings.yaml`: the feelings of the house, and from what they are read."""

    feelings: list[FeelingWords] = Field(min_length=1, max_length=100)
    rules: list[FeelingRule] = Field(default=[], max_length=200)


@dataclass(slots=True, frozen=True, kw_only=True)
class Reading:
    """A feeling that was read. Times are run time."""

    feeling: str
    source: Source
    evidence: str
    at: datetime
    fades_at: datetime
    by: str = ""

    def strength(self, now: datetime) -> float:
        """1 when it was read, 0 when it has faded, and a straight line between."""
        if now >= self.fades_at:
            return 0.0
        whole = (self.fades_at - self.at).total_seconds()
        return min(1.0, (self.fades_at - now).total_seconds() / whole)


def felt(readings: Iterable[Reading], now: datetime) -> Reading | None:
    """The reading that counts now, or None: the surest source, of that the newest, of two at once the longest."""
    holding = (reading for reading in readings if reading.fades_at > now)
    return min(
        holding,
        key=lambda each: (
            SOURCES.index(each.source),
            -each.at.timestamp(),
            each.feeling,
            -each.fades_at.timestamp(),
            each.evidence,
            each.by,
        ),
        default=None,
    )


def fits(rule: FeelingRule, touchpoint: Touchpoint, profile: Mapping[str, JsonValue]) -> bool:
    """Whether a touchpoint is evidence for a rule; one of which that cannot be told is not."""
    if rule.on != touchpoint.event:
        return False
    if rule.words is not None and said(rule, touchpoint, profile) is None:
        return False
    if rule.when is None:
        return True
    names = {"event": touchpoint.named(), "customer": dict(profile), "now": touchpoint.timestamp}
    try:
        return conditions.holds(rule.when, names, NAMES)
    except ConditionError:
        return False


def said(rule: FeelingRule, touchpoint: Touchpoint, profile: Mapping[str, JsonValue]) -> str | None:
    """Which of the words of a rule a touchpoint holds."""
    text = touchpoint.properties.get("text")
    if not isinstance(text, str) or rule.words is None:
        return None
    flat = _flat(text[:20_000])
    for phrase in _phrases(rule.words, profile):
        if _pattern(phrase).search(flat):
            return phrase
    return None


def _phrases(
    words: Mapping[str, Sequence[str]] | Sequence[str], profile: Mapping[str, JsonValue]
) -> Sequence[str]:
    """Those of the customer's language; where that is not known, or has none, all of them."""
    if not isinstance(words, Mapping):
        return words
    spoken = profile.get("locale") or profile.get("language")
    if isinstance(spoken, str):
        own = words.get(spoken.replace("_", "-").split("-")[0].lower())
        if own is not None:
            return own
    return [phrase for phrases in words.values() for phrase in phrases]


@lru_cache(maxsize=2_000)
def _pattern(phrase: str) -> re.Pattern[str]:
    parts = r"\s+".join(re.escape(part) for part in _flat(phrase).split())
    return re.compile(rf"(?<!\w){parts}(?!\w)")


def _flat(text: str) -> str:
    """Without case and accents: people write as fast as they are upset."""
    bare = unicodedata.normalize("NFKD", text.casefold().replace("\u2019", "'"))
    return "".join(each for each in bare if not unicodedata.combining(each))
