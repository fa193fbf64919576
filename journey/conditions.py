"""Conditions and values in CEL, Google's Common Expression Language (https://cel.dev), behind one door.

Total: every evaluation ends in a value or in `ConditionError`; an error is never truthy.
Bounded: sources up to 1,000 characters, 10,000 iterations, no clock, no I/O. The engine
returns errors as values and raises only for its iteration budget; both are mapped here.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import cast

from cel_expr_python import cel
from pydantic import JsonValue

from journey import cel_tree

MAX_SOURCE = 1_000
MAX_TEXT = 100_000
FIRST_YEAR, LAST_YEAR = 2, 9_998

Type = cel.Type


class ConditionError(ValueError):
    """A condition that cannot be compiled or evaluated; the message says why in the engine's words."""


@dataclass(slots=True, frozen=True)
class Expression:
    """A compiled expression: what it names, and what type it has as far as that is known."""

    source: str
    compiled: cel.Expression
    roots: frozenset[str]
    paths: frozenset[tuple[str, ...]]
    type_name: str


@lru_cache(maxsize=64)
def _environment(names: frozenset[str]) -> cel.Env:
    variables = dict.fromkeys(names, Type.DYN)
    variables["now"] = Type.TIMESTAMP
    return cel.NewEnv(variables=variables)


@lru_cache(maxsize=20_000)
def compiled(source: str, names: frozenset[str]) -> Expression:
    """Compile an expression over the given names (`now` is always one).

    Raises: `ConditionError` with line and column where the engine knows them.
    """
    if len(source) > MAX_SOURCE:
        raise ConditionError(
            f"a condition may have {MAX_SOURCE} characters; this one has {len(source)}"
        )
    try:
        expression = _environment(names).compile(source)
    except (RuntimeError, ValueError) as error:
        raise ConditionError(_in_words(str(error))) from None
    tree = cel_tree.read(expression.serialize())
    if tree.grows_text_in_loop:
        raise ConditionError("text may not be joined with + inside map, filter, all or exists")
    return Expression(
        source, expression, tree.roots, tree.paths, str(expression.return_type().name())
    )


def evaluate(
    source: str, names: Mapping[str, object], declared: frozenset[str] | None = None
) -> JsonValue | datetime | timedelta:
    """The value of an expression.

    `names` are plain JSON values, and `now` a datetime; `declared` are all names that may occur,
    where these are more than the ones that have a value now. Raises: `ConditionError`.
    """
    expression = compiled(source, declared if declared is not None else frozenset(names) - {"now"})
    data = {name: names[name] for name in expression.roots if name in names}
    try:
        value = expression.compiled.eval(data=data)
    except (RuntimeError, ValueError, TypeError, OverflowError) as error:
        raise ConditionError(f"{source!r}: {_in_words(str(error))}") from None
    if value.type() == Type.ERROR:
        raise ConditionError(f"{source!r}: {_in_words(str(value.plain_value()))}")
    return _plain(value.plain_value())


def holds(source: str, names: Mapping[str, object], declared: frozenset[str] | None = None) -> bool:
    """Whether a condition holds. Raises: `ConditionError`, also where its value is not true or false."""
    value = evaluate(source, names, declared)
    if not isinstance(value, bool):
        raise ConditionError(f"{source!r}: is {_kind(value)}, not true or false")
    return value


def json_value(
    source: str, names: Mapping[str, object], declared: frozenset[str] | None = None
) -> JsonValue:
    """The value of an expression as plain JSON: instants as RFC 3339 text, durations as seconds."""
    value = evaluate(source, names, declared)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value


def instant(
    source: str, names: Mapping[str, object], declared: frozenset[str] | None = None
) -> datetime:
    """The value of an expression as an instant: a timestamp, or RFC 3339 text with a zone."""
    value = evaluate(source, names, declared)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ConditionError(
                f"{source!r}: {value[:40]!r} is not a moment in RFC 3339"
            ) from None
    if not isinstance(value, datetime):
        raise ConditionError(f"{source!r}: is {_kind(value)}, not a moment")
    if value.tzinfo is None:
        raise ConditionError(f"{source!r}: the moment has no zone; end it with Z or an offset")
    return within_calendar(value, source)


def within_calendar(moment: datetime, source: str) -> datetime:
    """The instant in UTC, on every calendar there is. Raises: `ConditionError` at the ends of time."""
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        moment = datetime.max.replace(tzinfo=UTC)
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ConditionError(f"{source!r}: the moment is out of range")
    return moment


def roots_of(sources: Iterable[str], names: frozenset[str]) -> frozenset[str]:
    """All names that the expressions use."""
    return frozenset[str]().union(*(compiled(source, names).roots for source in sources))


def _plain(value: object) -> JsonValue | datetime | timedelta:
    match value:
        case None | bool() | int() | str():
            if isinstance(value, str) and len(value) > MAX_TEXT:
                raise ConditionError(f"a text value may have {MAX_TEXT} characters")
            return value
        case float():
            if not math.isfinite(value):
                raise ConditionError("the value is not a finite number")
            return value
        case datetime():
            return value if value.tzinfo else value.replace(tzinfo=UTC)
        case timedelta():
            return value
        case list():
            return [_plain_json(item) for item in cast("list[object]", value)]
        case dict():
            items = cast("dict[object, object]", value).items()
            return {str(key): _plain_json(item) for key, item in items}
        case _:
            raise ConditionError(f"a value of type {type(value).__name__} cannot be kept")


def _plain_json(value: object) -> JsonValue:
    plain = _plain(value)
    if isinstance(plain, datetime):
        return plain.isoformat()
    if isinstance(plain, timedelta):
        return plain.total_seconds()
    return plain


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case datetime():
            return "a moment"
        case timedelta():
            return "a duration"
        case list():
            return "a list"
        case _:
            return "an object"


def _in_words(message: str) -> str:
    for noise in (
        "INVALID_ARGUMENT: ERROR: <input>:",
        "INVALID_ARGUMENT: ",
        "NOT_FOUND: ",
        "UNKNOWN: ",
        " [INVALID_ARGUMENT]",
    ):
        message = message.replace(noise, "")
    if "no matching overload" in message and "double" in message and "int" in message:
        message += " (CEL does not mix 20 and 20.0: write 20.0, or double(x))"
    return message.strip()[:500]
