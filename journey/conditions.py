"""Conditions and values in CEL, Google's Common Expression Language (https://cel.dev), behind one door.

Total: every evaluation ends in a value or in `ConditionError`; an error is never truthy.
Bounded: sources up to 1,000 characters, 10,000 iterations, time and memory as condition_bounds
has it, no clock, no I/O. The engine returns errors as values and raises only for its iteration
budget; both are mapped here.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, cast

from cel_expr_python import cel
from pydantic import JsonValue
from whenever import Date

from journey import cel_tree, condition_bounds
from journey.spans import midnight

MAX_SOURCE = 1_000
MAX_TEXT = 100_000
MAX_PARTS = 10_000
MAX_INT = 2**53
"""Whole numbers up to here are read at a path as they are; larger ones are left to the engine, which has 64 bits."""

FIRST_YEAR, LAST_YEAR = 2, 9_998

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_PATH = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", re.ASCII)

Type = cel.Type


class ConditionError(ValueError):
    """A condition that cannot be compiled or evaluated; the message says why in the engine's words."""


@dataclass(slots=True, frozen=True)
class Expression:
    """A compiled expression: what it names, and what type it has as far as that is known."""

    source: str
    compiled: cel.Expression
    type_name: str
    tree: cel_tree.Tree
    path: tuple[str, ...] = ()
    """What it is, where it is nothing but a path, such as ("run", "due")."""
    needs: tuple[tuple[str, frozenset[str] | None], ...] = ()
    """The names it uses, each with what it reads of it; None where that may be all of it."""

    @property
    def roots(self) -> frozenset[str]:
        """The names it uses."""
        return frozenset(self.tree.roots)

    @property
    def paths(self) -> frozenset[tuple[str, ...]]:
        """The dotted paths it reads, such as ("customer", "tier")."""
        return frozenset(self.tree.paths)


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
    if tree.unnamed_list:
        raise ConditionError(
            "map and filter go through a list that has a name, such as run.legs.map(l, l.flight)"
        )
    fault = condition_bounds.pattern_faults(tree) or _broken_pattern(tree)
    if fault:
        raise ConditionError(fault)
    path = tuple(source.split(".")) if _PATH.fullmatch(source) else ()
    path = path if set(tree.paths) == {path} else ()
    kind = str(expression.return_type().name())
    return Expression(source, expression, kind, tree, path, tuple(_needs(tree)))


def _needs(tree: cel_tree.Tree) -> Iterator[tuple[str, frozenset[str] | None]]:
    for root in tree.roots:
        paths = [path for path in tree.paths if path[0] == root]
        parts = frozenset(path[1] for path in paths if len(path) > 1)
        whole = not paths or any(len(path) == 1 for path in paths)
        yield root, None if whole else parts


def _broken_pattern(tree: cel_tree.Tree) -> str | None:
    """What the engine says of a pattern that is none, which it else says only when it is used."""
    for pattern in (*tree.outside.patterns, *tree.inside.patterns):
        value = _match().eval(data={"pattern": pattern})
        if value.type() == Type.ERROR:
            return _in_words(str(value.plain_value()))
    return None


@lru_cache(maxsize=1)
def _match() -> cel.Expression:
    return cel.NewEnv(variables={"pattern": Type.STRING}).compile("''.matches(pattern)")


def evaluate(
    source: str, names: Mapping[str, object], declared: frozenset[str] | None = None
) -> JsonValue | datetime | timedelta:
    """The value of an expression.

    `names` are plain JSON values, and `now` a datetime; `declared` are all names that may occur,
    where these are more than the ones that have a value now. Raises: `ConditionError`.
    """
    expression = compiled(source, declared if declared is not None else frozenset(names) - {"now"})
    if expression.path:
        # Half of all that is evaluated is a path, which needs no engine: a fortieth of the time.
        plain = _at(expression.path, names)
        if plain is not None:
            return plain
    data = {name: _parts(names[name], parts) for name, parts in expression.needs if name in names}
    fault = condition_bounds.too_much(expression.tree, data)
    if fault:
        raise ConditionError(f"{source!r}: {fault}")
    try:
        value = expression.compiled.eval(data=data)
    except (RuntimeError, ValueError, TypeError, OverflowError) as error:
        raise ConditionError(f"{source!r}: {_in_words(str(error))}") from None
    if value.type() == Type.ERROR:
        raise ConditionError(f"{source!r}: {_in_words(str(value.plain_value()))}")
    try:
        return _plain(value, [MAX_PARTS])
    except RecursionError:
        raise ConditionError(f"{source!r}: the value is nested too deep") from None


def _parts(value: object, parts: frozenset[str] | None) -> object:
    """What is read of a value: the engine takes as long as what it is given is large."""
    if parts is None or not isinstance(value, dict):
        return value
    known = cast("dict[str, object]", value)
    return {part: known[part] for part in parts if part in known}


def _at(path: tuple[str, ...], names: Mapping[str, object]) -> str | float | bool | None:
    """What stands at a path; None where it is not as simple as that, which the engine then tells."""
    found: object = names.get(path[0])
    for name in path[1:]:
        if not isinstance(found, dict):
            return None
        found = cast("dict[str, object]", found).get(name)
    if isinstance(found, str):
        return found if len(found) <= MAX_TEXT and "\0" not in found else None
    if isinstance(found, float):
        return found if math.isfinite(found) else None
    return found if isinstance(found, int) and abs(found) <= MAX_INT else None


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
    source: str,
    names: Mapping[str, object],
    declared: frozenset[str] | None = None,
    zone: str | None = None,
) -> datetime:
    """The value of an expression as an instant: a timestamp, or RFC 3339 text with a zone.

    A day, `2026-03-02`, is its midnight in `zone`. Raises: `ConditionError`.
    """
    value = evaluate(source, names, declared)
    if isinstance(value, str):
        try:
            day = Date.parse_iso(value) if zone and _DAY.fullmatch(value) else None
            value = midnight(day, zone) if day and zone else datetime.fromisoformat(value)
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
    if moment.tzinfo is not UTC:
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


def _plain(value: Any, left: list[int]) -> JsonValue | datetime | timedelta:
    """A value of the engine as Python has it; `left` is how many parts it may still have."""
    left[0] -= 1
    if left[0] < 0:
        raise ConditionError(f"a value may have {MAX_PARTS:,} parts")
    if value.type() == Type.NULL:
        # Of null the engine (0.1.3) gives a None that is not ours to give back: before Python 3.12, after some ten
        # thousand of them there is none left, and the process aborts.
        return None
    plain: object = value.value()
    match plain:
        case bool() | int() | str():
            if isinstance(plain, str) and len(plain) > MAX_TEXT:
                raise ConditionError(f"a text value may have {MAX_TEXT} characters")
            return plain
        case float():
            if not math.isfinite(plain):
                raise ConditionError("the value is not a finite number")
            return plain
        case datetime():
            return plain if plain.tzinfo else plain.replace(tzinfo=UTC)
        case timedelta():
            return plain
        case list():
            return [_plain_json(item, left) for item in cast("list[object]", plain)]
        case dict():
            # The engine's maps are in another order in each process.
            items = cast("dict[object, object]", plain).items()
            told = {str(key): item for key, item in items}
            return {key: _plain_json(told[key], left) for key in sorted(told)}
        case _:
            raise ConditionError(f"a value of type {type(plain).__name__} cannot be kept")


def _plain_json(value: object, left: list[int]) -> JsonValue:
    plain = _plain(value, left)
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
