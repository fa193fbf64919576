"""What the gate asks of how customers enter."""

from collections.abc import Iterator

from journey.definition import Definition, Entry
from journey.expressions import Fault

_WAYS = ("on", "date", "schedule", "by", "audience")
_ONLY_WITH = {
    "counts": ("audience",),
    "existing": ("audience",),
    "offset": ("date",),
    "at": ("date",),
    "every": ("date",),
}


def entry_faults(definition: Definition) -> Iterator[Fault]:
    """Faults of the entry, and of exits that depend on it."""
    enter = definition.enter
    ways = [name for name in _WAYS if getattr(enter, name) is not None]
    if not ways:
        yield ("enter",), "nobody can enter", f"write one of {', '.join(_WAYS)}"
    for name in ways[1:]:
        if name != "audience" or ways[0] not in ("date", "schedule"):
            words = f"{ways[0]} and {name} cannot both be said"
            yield ("enter", name), words, "keep one way to enter"
    for name, needed in _ONLY_WITH.items():
        if getattr(enter, name) and not any(getattr(enter, other) for other in needed):
            yield (
                ("enter", name),
                f"{name} says nothing here",
                f"it goes with {' or '.join(needed)}",
            )
    for name, counted in enter.counts.items():
        if counted.times > 1:
            yield (
                ("enter", "counts", name, "times"),
                "a count is only named here",
                "compare it: counts.NAME >= 3",
            )
    yield from _exits(definition, enter)


def _exits(definition: Definition, enter: Entry) -> Iterator[Fault]:
    by_audience = enter.audience is not None and enter.date is None and enter.schedule is None
    for index, rule in enumerate(definition.exit):
        here = ("exit", index, "leaves_audience")
        if rule.leaves_audience and not by_audience:
            yield (
                here,
                "nobody entered by an audience",
                "enter by audience:, or exit on a condition",
            )
        if rule.leaves_audience and (rule.on or rule.when):
            yield here, "leaves_audience stands alone", "write another exit for the rest"
