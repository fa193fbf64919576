"""What pydantic finds wrong in a document, in words of ours, with its place and what to do."""

import re
from typing import Any

from journey.document import Document, Path, Problem


def place(document: Document, path: Path) -> Path:
    """The part of a model's path that the file knows: shorthands leave out what they stand for."""
    known: Path = ()
    for part in path:
        if (*known, part) in document.places:
            known = (*known, part)
    return known


def fault_of(document: Document, told: Any) -> Problem:
    """What pydantic says is wrong, with its place in the file and what to do."""
    path = place(document, tuple(told["loc"]))
    named = told["loc"][-1] if told["loc"] else ""
    if told["type"] == "missing":
        return document.problem(path, f"{named} is missing", "add it")
    if told["type"] == "extra_forbidden":
        quoted = re.search(r"[^\w -]", str(named)) or told["input"] is None
        remedy = (
            "CEL, and text with a comma or colon in it, goes in quotes"
            if quoted
            else "check its spelling"
        )
        return document.problem(path, f"{named!r} is not a word of the language here", remedy)
    message = _MESSAGES.get(told["type"], str(told["msg"]).removeprefix("Value error, "))
    return document.problem(path, message, _remedy(told))


def _remedy(told: Any) -> str:
    value, remedy = told.get("input"), told.get("ctx", {}).get("remedy")
    if remedy:
        return str(remedy)
    if value is None and told["type"] in _EMPTY:
        return "write something behind the colon, or take the line out"
    if told["type"] == "model_type" and isinstance(value, int) and told["loc"][-1] == "wait":
        return "give the length of time its unit: 90m"
    if told["type"] in ("string_type", "text") and isinstance(value, bool | int | float):
        return "put it in quotes"
    if told["type"] == "step" and isinstance(value, dict) and len(value) != 1:  # pyright: ignore[reportUnknownArgumentType]
        return "begin each step with its own dash"
    return _REMEDIES.get(told["type"], "write it as it says")


_EMPTY = ("model_type", "dict_type", "list_type", "string_type", "int_type")
"""What nothing at all may be found to be."""
_MESSAGES = {
    "model_type": "expected names and values here",
    "dict_type": "expected names and values here",
    "list_type": "expected a list here",
    "int_type": "expected a whole number",
}
_REMEDIES = {
    "model_type": "write it as name: value",
    "dict_type": "write it as name: value",
    "list_type": "put it in [ ], or begin each with a dash",
    "int_type": "write digits, without quotes",
    "string_pattern_mismatch": "use small letters, digits and dashes (names for conditions: underscores), "
    "starting with a letter; no spaces around it",
    "text": "write text; CEL goes in quotes",
    "step": "name one of them, with what it needs behind a colon",
    "too_short": "add at least one",
    "too_long": "take some out",
    "string_too_long": "shorten it",
    "literal_error": "write one of these",
    "less_than_equal": "stay within it",
    "greater_than_equal": "stay within it",
}
