"""A decision in one line, as people write it where there is no form: `refund amount=20 why="it broke"`. Pure."""

import shlex
from collections.abc import Mapping

from pydantic import JsonValue

from journey.decisions import UnknownDecisionError, WrongFieldError
from journey.effects import OfferedDecision

LONGEST = 2_000


def read_decision_line(
    line: str, offered: Mapping[str, OfferedDecision]
) -> tuple[str, dict[str, JsonValue]]:
    """The decision and its fields, as its kinds say.

    Raises: `UnknownDecisionError`, `WrongFieldError`.
    """
    try:
        words = shlex.split(line[:LONGEST], comments=False)
    except ValueError:  # a quote that is not closed, an apostrophe: then each space parts
        words = line[:LONGEST].split()
    if not words or words[0] not in offered:
        known = ", ".join(offered) or "nothing"
        raise UnknownDecisionError(f"{line[:60]!r} is none of what is on offer: {known}")
    kinds = offered[words[0]].fields
    fields: dict[str, JsonValue] = {}
    for word in words[1:]:
        name, equals, text = word.partition("=")
        if not equals or name not in kinds:
            known = ", ".join(f"{field}=…" for field in kinds) or "no field"
            raise WrongFieldError(name or word, f"is not known here; {words[0]} takes {known}")
        fields[name] = field_value(name, kinds[name], text)
    return words[0], fields


def lines_of(offered: Mapping[str, OfferedDecision]) -> list[str]:
    """How each decision on offer is written: `refund amount=… reason=…`."""
    return [
        " ".join([name, *(f"{field}=…" for field in each.fields)]) for name, each in offered.items()
    ]


def field_value(name: str, kind: str, text: str) -> JsonValue:
    """A field of a decision as its kind says: of numbers a comma may part the fraction. Raises: `WrongFieldError`."""
    try:
        match kind:
            case "integer":
                return int(text)
            case "number":
                plain = text.replace(",", ".")
                return int(plain) if plain.lstrip("-").isdigit() else float(plain)
            case "boolean":
                return {"true": True, "yes": True, "false": False, "no": False}.get(
                    text.lower(), text
                )
            case _:
                return text
    except ValueError:
        raise WrongFieldError(name, f"{text[:40]!r} is no number") from None
