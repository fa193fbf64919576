"""Traits computed from touchpoints as they come in: counts, sums, first and last times and values."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, cast

from pydantic import Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from journey import conditions
from journey.language import EventName, Model
from journey.spans import SpanError, read_span
from journey.touchpoint import Touchpoint, stamp

Sort = Literal["count", "sum", "last_time", "first_time", "last_value", "distinct", "most_frequent"]
_OF_A_PROPERTY = ("sum", "last_value", "distinct", "most_frequent")

MOST_KEPT = 1_000
"""So many touchpoints within a span, or different values, are kept; older ones give way."""

LONGEST_VALUE = 200
"""Characters of a value that is counted by itself."""

Path = tuple[str | int, ...]
State = dict[str, Any]

_NAMES = frozenset({"event"})


class ComputedTrait(Model):
    """One computed trait: exactly one of the words names the touchpoint it is computed from."""

    count: EventName | None = None
    """How often it came."""
    sum: EventName | None = None
    """The sum of a number in it."""
    last_time: EventName | None = None
    """When it came last."""
    first_time: EventName | None = None
    """When it came first."""
    last_value: EventName | None = None
    """What it said last."""
    distinct: EventName | None = None
    """How many different values it had."""
    most_frequent: EventName | None = None
    """The value it had most often; of equals the later one."""
    of: str | None = Field(default=None, min_length=1, max_length=200)
    """The property that is meant."""
    when: str | None = Field(default=None, min_length=1, max_length=2_000)
    """CEL over `event`: others do not count."""
    within: str | None = None
    """Only the last so long counts, such as 30d."""

    @model_validator(mode="after")
    def _one(self) -> "ComputedTrait":
        named = [sort for sort in _SORTS if getattr(self, sort) is not None]
        if len(named) != 1:
            told = {"sorts": ", ".join(_SORTS), "remedy": "name one of them, with a touchpoint"}
            raise PydanticCustomError("sort", "expected exactly one of {sorts}", told)
        sort = named[0]
        if (self.of is None) == (sort in _OF_A_PROPERTY):
            needed = sort in _OF_A_PROPERTY
            words = "{sort} needs of:" if needed else "{sort} takes no of:"
            remedy = "say which property: of: revenue" if needed else "take it out"
            raise PydanticCustomError("of", words, {"sort": sort, "remedy": remedy})
        return self

    @property
    def sort(self) -> Sort:
        """Which one it is."""
        return next(sort for sort in _SORTS if getattr(self, sort) is not None)

    @property
    def on(self) -> str:
        """The touchpoint it is computed from."""
        return getattr(self, self.sort)

    def faults(self) -> Iterator[tuple[Path, str, str]]:
        """What cannot be read in it: where, what is wrong, and the remedy."""
        if self.within is not None:
            try:
                read_span(self.within)
            except SpanError as error:
                yield ("within",), str(error), "write a number and a unit: 30d"
        if self.when is not None:
            try:
                conditions.compiled(self.when, _NAMES)
            except conditions.ConditionError as error:
                yield ("when",), str(error), "write CEL over event, in quotes"

    def counts(self, touchpoint: Touchpoint) -> bool:
        """Whether a touchpoint counts; what cannot be told of it does not."""
        if touchpoint.event != self.on:
            return False
        if self.when is None:
            return True
        try:
            return conditions.holds(self.when, {"event": touchpoint.named()}, _NAMES)
        except conditions.ConditionError:
            return False


_SORTS: tuple[Sort, ...] = (
    "count",
    "sum",
    "last_time",
    "first_time",
    "last_value",
    "distinct",
    "most_frequent",
)


def take_in(rule: ComputedTrait, state: Mapping[str, Any] | None, touchpoint: Touchpoint) -> State:
    """The state after one more touchpoint. A touchpoint without the property changes nothing."""
    value = touchpoint.properties.get(rule.of) if rule.of else None
    before: State = dict(state or {})
    if rule.sort in _OF_A_PROPERTY and not _fits(rule.sort, value):
        return before
    return _fold(rule, before, [[stamp(touchpoint.timestamp), value]])


def together(rule: ComputedTrait, one: Mapping[str, Any], other: Mapping[str, Any]) -> State:
    """The state of two customers who became one."""
    if rule.within is not None:
        return _fold(rule, dict(one), list(other.get("kept", [])))
    if rule.sort in ("count", "sum"):
        total = one.get("total", 0) + other.get("total", 0)
        return {"total": total}
    if rule.sort in ("distinct", "most_frequent"):
        counted: dict[str, Any] = {**one.get("values", {})}
        for value, (times, at) in other.get("values", {}).items():
            had, last = counted.get(value, [0, ""])
            counted[value] = [had + times, max(last, at)]
        return {"values": counted}
    pair = [each for each in (one, other) if each]
    chosen = min if rule.sort == "first_time" else max
    return dict(chosen(pair, key=lambda each: each["at"])) if pair else {}


def value_of(rule: ComputedTrait, state: Mapping[str, Any], now: datetime, zone: str) -> JsonValue:
    """What the trait is now; null where there is nothing to tell."""
    if rule.within is not None:
        since = stamp(read_span(rule.within).before(now, zone))
        kept = [each for each in state.get("kept", []) if each[0] > since]
        plain = rule.model_copy(update={"within": None})
        return _told(plain, _fold(plain, {}, kept))
    return _told(rule, state)


def changes_at(
    rule: ComputedTrait, state: Mapping[str, Any], now: datetime, zone: str
) -> datetime | None:
    """When time alone changes the trait next."""
    if rule.within is None:
        return None
    span = read_span(rule.within)
    since = stamp(span.before(now, zone))
    still = [each[0] for each in state.get("kept", []) if each[0] > since]
    return span.after(datetime.fromisoformat(min(still)), zone) if still else None


def _fits(sort: Sort, value: object) -> bool:
    if sort == "sum":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if sort == "last_value":
        return value is not None
    return isinstance(value, str | int | float | bool) and len(str(value)) <= LONGEST_VALUE


def _fold(rule: ComputedTrait, state: State, came: list[list[Any]]) -> State:
    if rule.within is not None:
        kept = sorted([*state.get("kept", []), *came], key=lambda each: each[0])
        return {"kept": kept[-MOST_KEPT:]}
    for at, value in came:
        match rule.sort:
            case "count":
                state["total"] = state.get("total", 0) + 1
            case "sum":
                state["total"] = state.get("total", 0) + value
            case "first_time":
                state["at"] = min(state.get("at", at), at)
            case "last_time":
                state["at"] = max(state.get("at", at), at)
            case "last_value":
                if at >= state.get("at", ""):
                    state = {"at": at, "value": value}
            case "distinct" | "most_frequent":
                state = {"values": _counted(state.get("values", {}), at, value)}
    return state


def _counted(values: Mapping[str, Any], at: str, value: object) -> State:
    named = value if isinstance(value, str) else str(value).lower()
    times, last = values.get(named, [0, ""])
    counted = {**values, named: [times + 1, max(last, at)]}
    if len(counted) > MOST_KEPT:
        del counted[min(counted, key=lambda each: (counted[each][0], counted[each][1]))]
    return counted


def _told(rule: ComputedTrait, state: Mapping[str, Any]) -> JsonValue:
    values = cast("dict[str, list[Any]]", state.get("values", {}))
    match rule.sort:
        case "count" | "sum":
            return state.get("total", 0)
        case "first_time" | "last_time":
            return state.get("at")
        case "last_value":
            return state.get("value")
        case "distinct":
            return len(values)
        case "most_frequent":
            return max(values, key=lambda each: (values[each][0], values[each][1]), default=None)
