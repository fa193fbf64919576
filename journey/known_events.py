"""Which touchpoint an expression is asked of, as far as the file tells."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel

from journey.document import Path
from journey.language import Condition, MomentText, On, Step, Value, WrittenStep
from journey.moments import read_moment
from journey.program import Program

_KEEPING = frozenset(
    {
        "call",
        "choose",
        "for_each",
        "go",
        "offer",
        "parallel",
        "promise",
        "repeat",
        "send",
        "set",
        "show",
        "split",
    }
)
"""Kinds of step that are never met by a touchpoint themselves: `event` stays what it was."""


@dataclass(slots=True, frozen=True)
class Asked:
    """An expression and the name of the touchpoint that `event` is there; None: it depends on the way taken."""

    path: Path
    source: str
    event: str | None


@dataclass(slots=True, frozen=True)
class Named:
    """A place that names a touchpoint. `on`: how it is named, None where the journey is entered by it."""

    path: Path
    event: str
    on: On | None


def asked(program: Program) -> Iterator[Asked]:
    """Every expression of a journey with the touchpoint it is asked of."""
    definition = program.definition
    yield from _asked(definition.enter, ("enter",), None)
    yield from _asked(definition.keep, ("keep",), definition.enter.on)
    yield from _asked(definition.exit, ("exit",), None)
    yield from _asked(definition.whenever, ("whenever",), None)
    for step, path, event in met(program):
        yield from _asked(step, path, event)


def met(program: Program) -> Iterator[tuple[Step, Path, str | None]]:
    """Every step with its path and the touchpoint that `event` is there, if that can be told."""
    definition = program.definition
    for index, rule in enumerate(definition.whenever):
        yield from _met(rule.do, ("whenever", index, "do"), rule.on)
    yield from _met(definition.on_exit, ("on_exit",), None)
    for index, stage in enumerate(definition.stages):
        yield from _met(stage.steps, ("stages", index, "steps"), None)


def named(program: Program) -> Iterator[Named]:
    """Every place that names a touchpoint, the entry first."""
    definition = program.definition
    if definition.enter.on is not None:
        yield Named(("enter", "on"), definition.enter.on, None)
    for name, counted in definition.enter.counts.items():
        yield Named(("enter", "counts", name, "on"), counted.on, None)
    for part in ("exit", "whenever"):
        for index, rule in enumerate(getattr(definition, part)):
            if rule.on is not None:
                yield Named((part, index, "on"), rule.on, rule.touchpoint)
    for node in program.nodes.values():
        inside = list(_named(node.step, node.path))
        yield from inside
        known = {each.event for each in inside}
        for on in node.step.listens():
            if on.on not in known:
                yield Named(node.path, on.on, on)


def _named(value: object, path: Path) -> Iterator[Named]:
    if isinstance(value, On):
        yield Named((*path, "on"), value.on, value)
        return
    for part, inner in _parts(value):
        yield from _named(inner, (*path, part))


def _asked(value: object, path: Path, event: str | None) -> Iterator[Asked]:
    if isinstance(value, MomentText):
        source = read_moment(value).source
        if source is not None:
            yield Asked(path, source, event)
    elif isinstance(value, Condition | Value):
        yield Asked(path, str(value), event)
    else:
        named_here = getattr(value, "on", None) if isinstance(value, BaseModel) else None
        for part, inner in _parts(value):
            yield from _asked(inner, (*path, part), named_here or event)


def _met(
    steps: list[WrittenStep], path: Path, event: str | None
) -> Iterator[tuple[Step, Path, str | None]]:
    for index, written in enumerate(steps):
        step = written.step
        here = (*path, index, step.kind)
        if step.kind == "repeat" and not _keeps(step):
            event = None  # another one each time round
        yield step, here, event
        for _, at, block in step.blocks():
            yield from _met(block, (*here, *at), _begins_with(step, at, event))
        event = event if _keeps(step) else None


def _begins_with(step: Step, at: Path, event: str | None) -> str | None:
    """The touchpoint that `event` is where a block begins."""
    inside: Any = step
    for part in at:
        inside = inside[part] if isinstance(part, int) else _part(inside, part)
        if isinstance(inside, On):
            return inside.on
    return event if step.kind in _KEEPING else None


def _keeps(step: Step) -> bool:
    inside = (written.step for _, _, block in step.blocks() for written in block)
    return step.kind in _KEEPING and all(map(_keeps, inside))


def _part(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).get(name)
    return getattr(value, name, None)


def _parts(value: object) -> Iterator[tuple[str | int, object]]:
    """What a thing is made of, steps inside left out."""
    match value:
        case WrittenStep():
            return
        case BaseModel():
            for name, info in type(value).model_fields.items():
                yield info.alias or name, getattr(value, name)
        case dict():
            yield from cast("dict[str, object]", value).items()
        case list():
            yield from enumerate(cast("list[object]", value))
        case _:
            return
