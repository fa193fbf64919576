"""The page of one kind of step: what it is, an example that is run, its fields, what follows, what is refused."""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from pydantic import BaseModel

from deploy.language_docs import fields, refusals
from deploy.language_docs.example import Example
from deploy.language_docs.refusals import Refusal
from journey.effects import CloseCase, Effect, PromiseRecord, ShowRecord
from journey.language import Step
from journey.offer import OfferWords
from journey.program import Node
from journey.steps import KINDS
from journey.survey import Survey

UP = "../"
_FOLLOWS = {
    "next": "After the last step of it the journey goes on behind this step.",
    "nothing": "It has a thread and a look-back of its own, which ends behind the last step of it.",
    "here": "After the last step of it this step is looked at again.",
}
_WORDS_OF: dict[str, tuple[str, tuple[type[BaseModel], ...]]] = {
    "ask": ("The file surveys/NAME.yaml", (Survey,)),
    "offer": ("The file offers.yaml", (OfferWords,)),
}
# What a turn does for a step without the step naming the effect itself.
_THROUGH_THE_TURN: dict[str, type] = {
    "turn.close_case(": CloseCase,
    "turn.settle_promise(": PromiseRecord,
    "turn.show(": ShowRecord,
}


def step_page(kind: str, examples: Path, refused: list[Refusal]) -> str:
    """The page, in Markdown."""
    step, example = KINDS[kind], Example(examples / kind)
    nodes = [node for node in example.program.nodes.values() if node.step.kind == kind]
    parts = [
        f"# `{kind}`",
        _what(step),
        example.shown(UP),
        "## Fields",
        _short(step),
        fields.table(step, UP),
        *_parts(step),
        *_words(kind),
        "## What follows",
        _follows(nodes),
        *_result(step, nodes),
        "## What it asks for",
        _asks(step),
        "## What is refused at publication",
        refusals.table(refused),
        "## JSON Schema",
        f"`#/$defs/{step.__name__}` in [journey.schema.json]({UP}journey.schema.json).",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def first_line(step: type[Step]) -> str:
    """What a kind of step is, in one line."""
    return inspect.cleandoc(step.__doc__ or "").split("\n\n")[0].replace("\n", " ")


def _what(step: type[Step]) -> str:
    return inspect.cleandoc(step.__doc__ or "")


def _short(step: type[Step]) -> str:
    if step.shorthand is None:
        return ""
    named = next(
        info.alias or name
        for name, info in step.model_fields.items()
        if step.shorthand in (name, info.alias)
    )
    return f"`{step.kind}: …` on its own is short for `{step.kind}: {{{named}: …}}`."


def _parts(step: type[Step]) -> Iterator[str]:
    for part in fields.parts(step):
        yield f"### {fields.spoken(part)}"
        yield inspect.cleandoc(part.__doc__ or "")
        yield fields.table(part, UP)


def _words(kind: str) -> Iterator[str]:
    """The file beside the journey that has the words of the step."""
    if kind not in _WORDS_OF:
        return
    where, models = _WORDS_OF[kind]
    yield f"## {where}"
    for model in models:
        yield inspect.cleandoc(model.__doc__ or "")
        yield fields.table(model, UP)


def _follows(nodes: list[Node]) -> str:
    """Where the blocks of the step lead, as the steps of its example say it."""
    said: dict[str, list[str]] = {}
    for node in nodes:
        for _, place, _ in node.step.blocks():
            ends = node.step.ends(_block_at(node, place))
            written = "".join(_written(place)).lstrip(".")
            if written not in said.setdefault(ends, []):
                said[ends].append(written)
    lines = [f"- `{'`, `'.join(places)}`: {_FOLLOWS[ends]}" for ends, places in said.items()]
    if any(True for node in nodes for _ in node.step.goes_to()):
        return "\n".join(["The first step of the stage that it names.", "", *lines])
    if not lines and not any(node.step.falls_through({}) for node in nodes):
        return "Nothing: the run has ended."
    return "\n".join(lines) or "The journey goes on at the following step."


def _block_at(node: Node, place: tuple[str | int, ...]) -> str:
    return next(name for name, at, _ in node.step.blocks() if at == place)


def _written(place: tuple[str | int, ...]) -> Iterator[str]:
    for part in place:
        yield "[…]" if isinstance(part, int) else f".{part}"


def _result(step: type[Step], nodes: list[Node]) -> Iterator[str]:
    bound = {
        name
        for node in nodes
        for block, _, _ in node.step.blocks()
        for name in node.step.binds(block)
    }
    if step.gives:
        yield "## Its result"
        yield "Conditions and templates name it from here on, by the name that the step was given."
        rows = [f"| `NAME.{part}` | {words} |" for part, words in step.gives.items()]
        yield "\n".join(["| name | what it is |", "| --- | --- |", *rows, *_more(step)])
    if bound:
        yield "## Names inside"
        yield "Only the steps inside know the name given by `as`."


def _more(step: type[Step]) -> list[str]:
    """Parts of a result that the author names."""
    named = {
        "handoff": ("what staff filled in, by the names of `fields`",),
        "call": ("what was taken, by the names of `take`; or what the activity answered",),
    }
    return [f"| `NAME.…` | {words} |" for words in named.get(step.kind, ())]


def _asks(step: type[Step]) -> str:
    """The effects that the step asks the world for, each with what it is."""
    module = sys.modules[step.__module__]
    source = inspect.getsource(module)
    effects: tuple[type, ...] = get_args(get_args(Effect)[0])
    found = [effect for effect in effects if vars(module).get(effect.__name__) is effect]
    found += [effect for call, effect in _THROUGH_THE_TURN.items() if call in source]
    if not found:
        return "Nothing: it decides, and nothing leaves the run."
    return "\n".join(f"- `{effect.__name__}`: {_line(effect)}" for effect in found)


def _line(effect: type) -> str:
    return inspect.cleandoc(effect.__doc__ or "").split("\n\n")[0].replace("\n", " ")
