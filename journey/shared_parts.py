"""Parts that stand several times in what a run remembers are written once.

Threads are met by the same touchpoint, and items are parts of kept lists: a third of a state or more.
"""

from collections import Counter
from typing import Any

import orjson

SHARED = "shared"
REFERENCE = "$shared"

_WORTH_IT = 48
"""Shorter parts, in bytes, are written where they stand."""

_QUOTED = b'"$shared"'


def write_once(state: dict[str, Any]) -> dict[str, Any]:
    """The state with parts that stand in it several times under `shared`, and references in their place."""
    counts: Counter[bytes] = Counter()
    keys: dict[int, bytes] = {}
    if not _count(state, counts, keys):
        return state  # somebody's own data looks like a reference
    if max(counts.values(), default=0) < 2:
        return state
    places: dict[bytes, int] = {}
    parts: list[Any] = []

    def written(value: Any) -> Any:
        key = keys.get(id(value))
        if key is None:
            return value
        if counts[key] < 2:
            return inside(value)
        if key not in places:
            parts.append(inside(value))
            places[key] = len(parts) - 1
        return {REFERENCE: places[key]}

    def inside(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: written(part) for name, part in value.items()}  # pyright: ignore[reportUnknownVariableType] -- plain JSON
        return [written(part) for part in value]

    short = inside(state)
    return {**short, SHARED: parts} if parts else state


def read_again(state: Any) -> Any:
    """The state as it was before `write_once`."""
    if not isinstance(state, dict) or SHARED not in state:
        return state  # pyright: ignore[reportUnknownVariableType] -- plain JSON
    known: dict[str, Any] = dict(state)  # pyright: ignore[reportUnknownArgumentType] -- plain JSON
    parts: list[Any] = known.pop(SHARED)

    def read(value: Any) -> Any:
        if isinstance(value, list):
            return [read(part) for part in value]  # pyright: ignore[reportUnknownVariableType] -- plain JSON
        if not isinstance(value, dict):
            return value
        if len(value) == 1 and REFERENCE in value:  # pyright: ignore[reportUnknownArgumentType] -- plain JSON
            return read(parts[value[REFERENCE]])
        return {name: read(part) for name, part in value.items()}  # pyright: ignore[reportUnknownVariableType] -- plain JSON

    return read(known)


def _count(value: Any, counts: Counter[bytes], keys: dict[int, bytes]) -> bool:
    """Count each part that is worth it, with how it is written by its identity.

    False where somebody's own data holds what a reference looks like.
    """
    if not isinstance(value, dict | list):
        return True
    key = _key(value)
    if len(key) < _WORTH_IT:  # and so is all that is in it
        return _QUOTED not in key
    if isinstance(value, dict) and REFERENCE in value:
        return False
    keys[id(value)] = key  # pyright: ignore[reportUnknownArgumentType] -- plain JSON
    counts[key] += 1
    parts: list[Any] = list(value.values() if isinstance(value, dict) else value)  # pyright: ignore[reportUnknownArgumentType] -- plain JSON
    return all(_count(part, counts, keys) for part in parts)


def _key(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
