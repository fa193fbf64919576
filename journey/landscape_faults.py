"""What the gate asks of a journey and what is described around it: that each names what the other knows."""

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from journey import conditions
from journey.expressions import Fault
from journey.known_events import Named, asked, named
from journey.landscape import Landscape, Property, TouchpointDescription
from journey.message_descriptions import MESSAGE_DESCRIPTIONS
from journey.program import Path, Program
from journey.touchpoint import is_ours

_HOLDS = {"text": "text", "time": "text", "number": "number", "integer": "number"}
"""What a property of a type is compared with; a list or an object with no constant at all."""


def landscape_faults(program: Program, landscape: Landscape) -> Iterator[Fault]:
    """Faults of what a journey names and nobody described; touchpoints only where some are described."""
    definition = program.definition
    yield from _unknown("personas", definition.personas, landscape.personas)
    yield from _unknown("goals", definition.goals, landscape.goals)
    if "touchpoints" in landscape.files:
        yield from _Descriptions(program, landscape).faults()


def undescribed(program: Program) -> frozenset[str]:
    """Every touchpoint that somebody should describe for this journey."""
    return frozenset(each.event for each in named(program) if not is_ours(each.event))


def _unknown(part: str, names: list[str], described: Collection[str]) -> Iterator[Fault]:
    for index, name in enumerate(names):
        if name not in described:
            where = f"describe it in {part}.yaml, beside the journey or in the folder above"
            remedy = _meant(name, described, where)
            yield (part, index), f"{part[:-1]} {name!r} is not described", remedy


def _meant(name: str, known: Collection[str], otherwise: str) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]}? if not, {otherwise}" if close else otherwise


class _Descriptions:
    def __init__(self, program: Program, landscape: Landscape) -> None:
        self._program = program
        self._known = landscape.touchpoints
        self._file = landscape.files["touchpoints"]

    def faults(self) -> Iterator[Fault]:
        told: set[str] = set()
        for each in named(self._program):
            description = self._known.get(each.event)
            if description is not None:
                yield from self._match(each, description)
            elif not is_ours(each.event) and each.event not in told:
                told.add(each.event)
                remedy = _meant(each.event, self._known, f"describe it in {self._file}")
                yield each.path, f"touchpoint {each.event!r} is not described", remedy
        for each in asked(self._program):
            event = each.event or ""
            description = self._known.get(event) or MESSAGE_DESCRIPTIONS.get(event)
            if description is not None:
                yield from self._expression(each.path, each.source, description)

    def _expression(
        self, path: Path, source: str, description: TouchpointDescription
    ) -> Iterator[Fault]:
        if description.properties is None:
            return
        try:
            tree = conditions.compiled(source, self._program.names).tree
        except conditions.ConditionError:
            return  # told already, with why
        for name in _properties(tree.paths):
            if name not in description.properties:
                message = f"{description.touchpoint} has no property {name!r} by its description"
                remedy = f"add it to the properties in {self._file}"
                if description.touchpoint not in self._known:  # ours: nobody may add to it
                    remedy = f"it has {', '.join(description.properties)}"
                yield path, message, _meant(name, description.properties, remedy)
        for compared, literal in sorted(tree.compared):
            declared = description.properties.get(compared[2]) if len(compared) == 3 else None
            if declared is not None and compared[:2] == ("event", "properties"):
                yield from self._compared(path, compared[2], declared, literal, description)

    def _compared(
        self,
        path: Path,
        name: str,
        declared: Property,
        literal: str,
        description: TouchpointDescription,
    ) -> Iterator[Fault]:
        holds = _HOLDS.get(declared.type, declared.type)
        if holds == literal:
            return
        such = _SUCH.get((holds, literal), "compare it with what it holds")
        message = (
            f"{name!r} of {description.touchpoint} is described as {declared.type}, "
            f"and compared with {_WORDS[literal]}"
        )
        yield path, message, f"{such}, or change its type in {self._file}"

    def _match(self, each: Named, description: TouchpointDescription) -> Iterator[Fault]:
        """What the journey-wide `match` reads of a touchpoint about the customer must be there, or it never fits."""
        match = self._program.match
        if (
            match is None
            or each.on is None
            or each.on.match is not None
            or each.on.about is not None
            or description.subject is not None
            or description.properties is None
        ):
            return
        try:
            paths = conditions.compiled(match, self._program.names).paths
        except conditions.ConditionError:
            return  # told already, with why
        for name in _properties(paths):
            if name not in description.properties:
                message = f"{each.event} never fits the match of this journey: it has no {name!r}"
                remedy = (
                    f"add {name} to its properties in {self._file}, say subject: there where it is "
                    "about a thing, or write match: false here"
                )
                yield each.path, message, remedy


_WORDS = {"number": "a number", "text": "text", "boolean": "true or false"}
_SUCH = {("text", "number"): "put the number in quotes", ("number", "text"): "leave out the quotes"}


def _properties(paths: Collection[tuple[str, ...]]) -> list[str]:
    """Names of the properties of `event` that are read."""
    return sorted({path[2] for path in paths if path[:2] == ("event", "properties") and path[2:]})
