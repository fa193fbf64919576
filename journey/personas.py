"""Which personas a customer fits, and why. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from journey import conditions
from journey.conditions import ConditionError
from journey.landscape import Persona

NAMES = frozenset({"customer", "counts"})
"""What the evidence for a persona may name, besides `now`."""

FITS_FROM = 1.0
"""The weight of all evidence together from which on a customer fits."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Fit:
    """A persona that a customer fits, and the evidence, the weightiest first."""

    persona: str
    title: str
    weight: float
    because: tuple[str, ...]


def personas_of(
    personas: Iterable[Persona],
    profile: Mapping[str, JsonValue],
    counts: Mapping[str, Mapping[str, int]],
    now: object,
) -> list[Fit]:
    """The personas that a customer fits, the best first. `counts`: by persona, what it counts.

    Evidence that cannot be told of this customer speaks neither for nor against.
    """
    found = [_fit(persona, profile, counts.get(persona.persona, {}), now) for persona in personas]
    return sorted(
        (fit for fit in found if fit.because and fit.weight >= FITS_FROM),
        key=lambda fit: (-fit.weight, fit.persona),
    )


def _fit(
    persona: Persona, profile: Mapping[str, JsonValue], counts: Mapping[str, int], now: object
) -> Fit:
    names = {"customer": dict(profile), "counts": dict(counts), "now": now}
    held = [each for each in persona.match if _holds(each.when, names)]
    held.sort(key=lambda each: -abs(each.weight))
    return Fit(
        persona=persona.persona,
        title=persona.title,
        weight=round(sum(each.weight for each in held), 6),
        because=tuple(each.because for each in held),
    )


def _holds(source: str, names: Mapping[str, object]) -> bool:
    try:
        return conditions.holds(source, names, NAMES)
    except ConditionError:
        return False
