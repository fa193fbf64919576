"""Which runs somebody looks for, as conditions of SQL that are put together of our own texts."""

import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, LiteralString, get_args

from pydantic import JsonValue, TypeAdapter

from stores.database import clean_text

State = Literal["under_way", "ended", "goal", "stuck"]
"""Goes on; is over; is over with the goal; goes on, and cannot without people."""

Comparison = Literal["is", "is_not", "at_least", "at_most", "is_there"]
"""How a trait stands to the value that is asked for."""

STATES: tuple[State, ...] = get_args(State)
COMPARISONS: tuple[Comparison, ...] = get_args(Comparison)

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,29})(\.[0-9]{1,30})?")
"""As JSON has numbers; one with zeros before it is a text."""


class ValueNotComparedError(ValueError):
    """At least and at most take a number or a day, such as 80 or 2026-11-28."""


@dataclass(slots=True, frozen=True, kw_only=True)
class WantedRuns:
    """Runs for which everything holds that is given; what is empty is not asked for.

    `trait`, `comparison`, `value`: of the customer; a list is what one of its items is, and *is not* holds
    also for who has no such trait. `step`: an address, such as `offer/2`. `since` and `until`: when they
    entered, in run time, the latter not with it. `wakes_before`: who goes on, and has a timer that is due before then.

    Raises: `ValueNotComparedError`.
    """

    identity: str = ""
    trait: str = ""
    comparison: Comparison = "is"
    value: str = ""
    journey: str = ""
    version: str = ""
    stage: str = ""
    step: str = ""
    state: State | None = None
    since: datetime | None = None
    until: datetime | None = None
    wakes_before: datetime | None = None

    def __post_init__(self) -> None:
        compared = self.trait and self.comparison in _COMPARED
        if compared and not _is_number(self.value) and _day(self.value) is None:
            raise ValueNotComparedError(ValueNotComparedError.__doc__)

    @property
    def anything(self) -> bool:
        """Whether anything is asked for."""
        return self != WantedRuns(comparison=self.comparison)

    @property
    def narrows_by_trait(self) -> bool:
        """Whether few customers may have what is asked for, so that it is best to begin with them."""
        return bool(self.trait) and self.comparison != "is_not" and not self.identity

    def trait_condition(self, *, of_few: bool = False) -> LiteralString:
        """Of the customer `c`. `of_few`: the planner may take it for one that few meet; else for what half do."""
        if self.comparison not in _COMPARED:
            return _TRAITS[self.comparison]
        return _BY_PATH if of_few else f"coalesce({_BY_PATH}, false)"

    def conditions(self) -> list[LiteralString]:
        """Of the run `r`, but for who it is and what traits they have."""
        given: list[tuple[object, LiteralString]] = [
            (self.journey, "r.journey = %(journey)s"),
            (self.version, "r.version = %(version)s"),
            (self.stage, "r.stage = %(stage)s"),
            (self.step, "r.stands ? %(step)s"),
            (self.since, "r.entered_at >= %(since)s"),
            (self.until, "r.entered_at < %(until)s"),
            (self.wakes_before, "r.state = 'open' and r.wakes_at < %(wakes_before)s"),
        ]
        return [_STATES[self.state], *(sql for value, sql in given if value)]

    def values(self) -> dict[str, Any]:
        """The parameters of all conditions."""
        named, said = clean_text(self.trait), clean_text(self.value)
        read = json.loads(self.value) if self.value in ("true", "false") else None
        number = self.value if _is_number(self.value) else None
        given = {
            "journey": self.journey,
            "version": self.version,
            "stage": self.stage,
            "step": self.step,
        }
        return {
            **{name: clean_text(value) for name, value in given.items()},
            "since": self.since,
            "until": self.until,
            "wakes_before": self.wakes_before,
            "trait": named,
            "compared": _path(named, self.comparison, said)
            if self.comparison in _COMPARED and self.trait
            else None,
            "said": json.dumps({named: said}),
            "said_in_list": json.dumps({named: [said]}),
            "read": _as_json(named, said if read is None else read, number),
            "read_in_list": _as_json(named, [said if read is None else read], number, in_list=True),
        }


_WANTED = TypeAdapter(WantedRuns)
_ADDRESS = re.compile(r".*@.*|\+[0-9 ()./-]+", re.DOTALL)


def conditions_of(wanted: WantedRuns) -> dict[str, JsonValue]:
    """What is asked for, as JSON."""
    asked = {
        name: value for name, value in _WANTED.dump_python(wanted, mode="json").items() if value
    }
    if not wanted.trait:
        asked.pop("comparison")
    return asked


def wanted_of(conditions: dict[str, JsonValue]) -> WantedRuns:
    """The same from JSON."""
    return _WANTED.validate_python(conditions)


def is_address(value: str) -> bool:
    """Whether it looks like a mail address, or a telephone number with its country."""
    return _ADDRESS.fullmatch(value) is not None


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def _as_json(name: str, value: object, number: str | None, *, in_list: bool = False) -> str:
    """A number goes as it was written: a float would round it."""
    if number is None:
        return json.dumps({name: value})
    return f"{{{json.dumps(name)}: {f'[{number}]' if in_list else number}}}"


_STATES: dict[State | None, LiteralString] = {
    None: "r.state in ('open', 'finished')",
    "under_way": "r.state = 'open'",
    "ended": "r.state = 'finished'",
    "goal": "r.state = 'finished' and r.goal",
    "stuck": "r.state = 'open' and r.needs_attention is not null",
}

# Each by itself is found by the index of traits.
_IS: LiteralString = """(c.traits @> %(said)s::jsonb or c.traits @> %(said_in_list)s::jsonb
    or c.traits @> %(read)s::jsonb or c.traits @> %(read_in_list)s::jsonb)"""

_TRAITS: dict[str, LiteralString] = {
    "is": _IS,
    "is_not": f"not {_IS}",
    "is_there": "c.traits ? %(trait)s",
}

# Each trait is read once, and nothing further is asked of one that is too small or too large. `strict`: a list is
# not its items.
_BY_PATH: LiteralString = "c.traits @? %(compared)s::jsonpath"
_COMPARED: tuple[Comparison, ...] = ("at_least", "at_most")


def _path(trait: str, comparison: Comparison, value: str) -> str:
    """Numbers, or texts that begin with a day, that are at least or at most so much."""
    if _is_number(value):
        compared = f"@ {'>=' if comparison == 'at_least' else '<='} {value}"
    else:  # at most a day is also what is said of its hours: before the text that follows all of them
        day = _day(value)
        assert day is not None, "what is neither a number nor a day is not compared"
        following = f"{day.isoformat()[:8]}{day.day + 1:02}"
        bound = f'>= "{day}"' if comparison == "at_least" else f'< "{following}"'
        compared = f'@ {bound} && @ like_regex "^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}"'
    return f"strict $.{json.dumps(trait)} ? ({compared})"
