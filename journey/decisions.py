"""What a decision of staff must be for a case to take it: offered, filled in, and within their authority."""

import math
from collections.abc import Mapping

from pydantic import JsonValue

from journey.effects import OfferedDecision


class UnknownDecisionError(ValueError):
    """The case does not offer this decision; the message lists those it offers."""


class WrongFieldError(ValueError):
    """A field of a decision is missing, unknown or of the wrong type; `field` names it."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


class AuthorityExceededError(PermissionError):
    """The decision goes beyond what this member of staff may grant; pass it to somebody who may."""


def checked_decision(
    offered: Mapping[str, OfferedDecision],
    decision: str,
    fields: Mapping[str, JsonValue],
    authority: float | None,
) -> dict[str, JsonValue]:
    """The fields of a decision that may be taken.

    Raises: `UnknownDecisionError`, `WrongFieldError`, `AuthorityExceededError`.
    """
    chosen = offered.get(decision)
    if chosen is None:
        known = ", ".join(offered) or "none"
        raise UnknownDecisionError(f"{decision!r} is not offered; choose among: {known}")
    for name in fields:
        if name not in chosen.fields:
            raise WrongFieldError(name, f"is not a field of {decision!r}")
    for name, kind in chosen.fields.items():
        if fields.get(name) is None:
            raise WrongFieldError(name, f"is missing; {decision!r} needs it")
        if not _fits(fields[name], kind):
            raise WrongFieldError(name, f"expected {_WORDS.get(kind, kind)}, got {fields[name]!r}")
    amount = fields[chosen.authority] if chosen.authority else None
    if authority is not None and isinstance(amount, int | float) and amount > authority:
        raise AuthorityExceededError(
            f"{chosen.authority}: {amount} is more than the {authority} you may grant"
        )
    return dict(fields)


_WORDS = {
    "text": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
}


def _fits(value: JsonValue, kind: str) -> bool:
    match kind:
        case "text":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            whole = isinstance(value, int) and not isinstance(value, bool)
            return whole or (isinstance(value, float) and math.isfinite(value))
        case _:
            return False
