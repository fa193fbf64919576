"""What a trait holds: which type a value is of, and making it one of the type that is pinned."""

import re
from collections.abc import Mapping
from datetime import datetime

from pydantic import JsonValue

from journey.identity_rules import TraitType

_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")
_WORDS = {"true": True, "false": False}

NAMES: dict[TraitType, str] = {
    "text": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "time": "a time such as 2026-11-22T09:00:00Z",
    "list": "a list",
    "object": "an object",
}


def type_of(value: JsonValue) -> TraitType | None:
    """The narrowest type that a value is of; null is of none."""
    match value:
        case None:
            return None
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "time" if _is_time(value) else "text"
        case list():
            return "list"
        case _:
            return "object"


def is_of(value: JsonValue, wanted: str) -> bool:
    """Whether a value is of a type: a whole number is a number, a time is text."""
    found = type_of(value)
    return found is None or found == wanted or (found, wanted) in _WIDER


def widened(one: str, other: str) -> str | None:
    """The narrowest type that holds values of both; None where there is none."""
    if one == other or (other, one) in _WIDER:
        return one
    return other if (one, other) in _WIDER else None


_WIDER = frozenset({("integer", "number"), ("time", "text")})


def as_pinned(
    traits: Mapping[str, JsonValue], pinned: Mapping[str, TraitType]
) -> tuple[dict[str, JsonValue], dict[str, str]]:
    """Traits with values of the types that are pinned, and what is wrong with those that cannot be such.

    Only what is exact is turned: "12" is 12 and "12.5" is no whole number.
    """
    taken, refused = dict(traits), dict[str, str]()
    for name in [name for name in traits if name in pinned]:
        wanted, value = pinned[name], traits[name]
        if is_of(value, wanted):
            continue
        turned = _turned(value, wanted)
        if turned is None:
            del taken[name]
            refused[name] = _told(name, value, wanted)
        else:
            taken[name] = turned
    return taken, refused


def _told(name: str, value: JsonValue, wanted: TraitType) -> str:
    said = str(value)[:40]
    return f"traits.{name}: expected {NAMES[wanted]}, got {said!r}; identities.yaml pins it"


def _turned(value: JsonValue, wanted: TraitType) -> JsonValue:
    match wanted, value:
        case "integer", float() if value.is_integer() and abs(value) < 2**53:
            return int(value)
        case "integer", str() if _WHOLE.fullmatch(value.strip()):
            return int(value)
        case "number", str() if _NUMBER.fullmatch(value.strip()):
            return float(value) if "." in value else int(value)
        case "boolean", str():
            return _WORDS.get(value.strip().lower())
        case "text", bool():
            return "true" if value else "false"
        case "text", int():
            return str(value)
        case _:
            return None


def _is_time(value: str) -> bool:
    # Dates of any other form are text: whoever means a time says its zone.
    if len(value) < 20 or value[4] != "-":
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
