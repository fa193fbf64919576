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
    if told["type"] in _SHAPES:
        return document.problem(path, *_SHAPES[told["type"]])
    return document.problem(path, str(told["msg"]).removeprefix("Value error, "), _remedy(told))


def _remedy(told: Any) -> str:
    value = told.get("input")
    if told["type"] in ("string_type", "text") and isinstance(value, bool | int | float):
        return "put it in quotes"
    if told["type"] == "step" and isinstance(value, dict) and len(value) != 1:  # pyright: ignore[reportUnknownArgumentType]
        return "begin each step with its own dash"
    return _REMEDIES.get(told["type"], "write it as it says")


_SHAPES = {
    "model_type": ("expected names and values here", "write it as name: value"),
    "dict_type": ("expected names and values here", "write it as name: value"),
    "list_type": ("expected a list here", "put it in [ ], or begin each with a dash"),
}
_REMEDIES = {
    "string_pattern_mismatch": "use small letters, digits and dashes (names for conditions: underscores), "
    "starting with a letter; no spaces around it",
    "text": "write text; CEL goes in quotes",
    "step": "name one of them, with what it needs behind a colon",
    "too_short": "add at least one",
    "too_long": "take some out",
    "literal_error": "write one of these",
    "less_than_equal": "stay within it",
    "greater_than_equal": "stay within it",
}
