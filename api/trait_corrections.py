"""Which traits customers may correct on their page, and what a correction must be."""

import re
from collections.abc import Mapping, Sequence
from datetime import date

from pydantic import JsonValue

from api.customer_form import Form

CORRECTABLE = (
    "first_name", "firstName", "last_name", "lastName", "name", "title", "birthday", "street",
    "address", "postcode", "city", "country", "company", "zone",
)  # fmt: skip
"""Unless the house says otherwise. Not e-mail and phone: whoever holds a forwarded link could lead
our messages to themselves."""

MOST_TEXT = 200
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"-?\d{1,15}(?:[.,]\d{1,6})?")


class WrongTraitError(ValueError):
    """A correction that cannot be; `trait` names it, the message is the key of the words."""

    def __init__(self, trait: str, key: str) -> None:
        super().__init__(key)
        self.trait, self.key = trait, key


def correctable(traits: Mapping[str, JsonValue], names: Sequence[str]) -> dict[str, JsonValue]:
    """Those held that may be corrected, in the order of the names; lists and objects may not."""
    return {
        name: traits[name]
        for name in names
        if isinstance(traits.get(name), str | int | float | bool)
    }


def field_name(trait: str) -> str:
    """What the field of a trait is called in the form."""
    return f"trait.{trait}"


def corrections(form: Form, held: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """What the form changes; an emptied trait is null. Raises: `WrongTraitError`."""
    changed: dict[str, JsonValue] = {}
    for name, before in held.items():
        if form.all(field_name(name)):
            after = _read(name, form.line(field_name(name), MOST_TEXT), before)
            if after != before:
                changed[name] = after
    return changed


def _read(name: str, text: str, before: JsonValue) -> JsonValue:
    """A value of the kind that is held now: journeys compare it."""
    if not text:
        return None
    match before:
        case bool():
            if text not in ("yes", "no"):
                raise WrongTraitError(name, "correct.yes_or_no")
            return text == "yes"
        case int() | float():
            if not _NUMBER.fullmatch(text):
                raise WrongTraitError(name, "correct.number")
            number = float(text.replace(",", "."))
            return int(number) if number.is_integer() else number
        case str() if _DATE.fullmatch(before) and not _is_date(text):
            raise WrongTraitError(name, "correct.date")
        case _:
            return text


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return bool(_DATE.fullmatch(text))
