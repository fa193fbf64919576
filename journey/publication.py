"""The gate: a journey that could fail by its own shape is refused here, each fault with its place and remedy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from journey.business_faults import business_faults
from journey.channel_faults import channel_faults
from journey.circles import circles
from journey.definition import Definition, canonical_json, version_of
from journey.document import Document, InvalidDocumentError, Path, read_document
from journey.document_faults import fault_of, place
from journey.entry_faults import entry_faults
from journey.expressions import Fault, expression_faults
from journey.landscape import Landscape
from journey.landscape_faults import landscape_faults
from journey.language import WrittenStep
from journey.named_words import NamedWords, word_faults
from journey.program import IN_PLACES, Program
from journey.steps.ask import Ask
from journey.steps.finish import Finish
from journey.steps.send import Send
from journey.templates import Templates, template_problems

AT_EXIT = frozenset({"send", "set", "call", "choose", "split"})
"""Kinds of step that may stand under `on_exit`."""


@dataclass(slots=True, frozen=True)
class Publishable:
    """A definition that passed the gate, ready to be stored under its version."""

    journey: str
    version: str
    canonical: bytes
    source: str
    source_name: str
    program: Program


def read_definition(
    source: str,
    name: str,
    messages: Mapping[str, object] | None = None,
    words: NamedWords | None = None,
    landscape: Landscape | None = None,
    templates: Templates | None = None,
) -> Publishable:
    """Read and check a journey written in YAML or JSON.

    `messages`: the messages that exist, by name; `words`: the surveys and offers that exist; `landscape`:
    what is described around it; `templates`: what fills templates in. None leaves each unchecked.
    Raises: `InvalidDocumentError` with every problem found.
    """
    document = read_document(source, name)
    program, canonical = checked(document, messages, words, landscape, templates)
    return Publishable(program.journey, program.version, canonical, source, name, program)


def checked(
    document: Document,
    messages: Mapping[str, object] | None = None,
    words: NamedWords | None = None,
    landscape: Landscape | None = None,
    templates: Templates | None = None,
) -> tuple[Program, bytes]:
    """What a document means, and its canonical JSON, where nothing is wrong with it. As `read_definition`."""
    if not isinstance(document.data, dict):
        raise InvalidDocumentError(
            [document.problem((), "a journey is a mapping", "begin with language: 1")]
        )
    try:
        definition = Definition.model_validate(document.data)
    except ValidationError as error:
        raise InvalidDocumentError([fault_of(document, told) for told in error.errors()]) from None
    try:
        canonical = canonical_json(document.data)
    except ValueError as error:
        remedy = "put very large numbers in quotes, and use whole characters"
        raise InvalidDocumentError([document.problem((), str(error), remedy)]) from None
    program = Program(definition, version_of(canonical))
    problems = [
        document.problem(place(document, path), message, remedy)
        for path, message, remedy in (
            *_problems(program, messages, landscape),
            *word_faults(program, words or NamedWords()),
        )
    ]
    if templates is not None:
        problems += template_problems(program, document, templates)
    if problems:
        raise InvalidDocumentError(
            sorted(problems, key=lambda problem: (problem.line, problem.column))
        )
    return program, canonical


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a journey file, for editors."""
    return Definition.model_json_schema(by_alias=True)


def _problems(
    program: Program, messages: Mapping[str, object] | None, landscape: Landscape | None
) -> Iterator[Fault]:
    definition = program.definition
    yield from _names(program)
    for node in program.nodes.values():
        for path, message, remedy in node.step.problems():
            yield (*node.path, *path), message, remedy
        for stage in node.step.goes_to():
            if stage not in program.stages:
                known = ", ".join(program.stages)
                yield (
                    (*node.path, "stage"),
                    f"there is no stage {stage!r}",
                    f"the stages are {known}",
                )
    for index, stage in enumerate(definition.stages):
        faults: list[Fault] = []
        if _falls(stage.steps, ("stages", index, "steps"), faults):
            yield (
                ("stages", index, "stage"),
                f"stage {stage.stage!r} has no end",
                "end it with go: or finish:",
            )
        yield from faults
    for index, rule in enumerate(definition.whenever):
        faults = []
        _falls(rule.do, ("whenever", index, "do"), faults)
        yield from faults
        if rule.on is None and rule.when is None:
            yield (
                ("whenever", index),
                "a reaction needs on: or when:",
                "name a touchpoint or a condition",
            )
    for index, rule in enumerate(definition.exit):
        if rule.touchpoint is None and rule.when is None:
            yield ("exit", index), "an exit needs on: or when:", "name a touchpoint or a condition"
    yield from entry_faults(definition)
    yield from _at_exit(program)
    yield from _unreachable(program)
    yield from _sends(program, messages)
    yield from channel_faults(program)
    yield from circles(program)
    yield from business_faults(program)
    yield from expression_faults(program)
    if landscape is not None:
        yield from landscape_faults(program, landscape)


def _at_exit(program: Program) -> Iterator[Fault]:
    """What is done at the end may not wait for anybody: nobody listens any more."""
    faults: list[Fault] = []
    _falls(program.definition.on_exit, ("on_exit",), faults)
    yield from faults
    for node in program.nodes.values():
        if node.path[0] != "on_exit":
            continue
        if node.step.kind not in AT_EXIT:
            known = ", ".join(sorted(AT_EXIT))
            yield node.path, f"{node.step.kind} cannot be done at the end", f"only {known} can"
        elif getattr(node.step, "on_failure", None) == "stop":
            remedy = "write continue, or what to do then"
            yield (*node.path, "on_failure"), "the run has ended: nothing can be stopped", remedy


def _names(program: Program) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for index, stage in enumerate(program.definition.stages):
        if stage.stage in seen:
            yield (
                ("stages", index, "stage"),
                f"stage {stage.stage!r} is there twice",
                "give each its own name",
            )
        seen[stage.stage] = ""
    ids: set[str] = set()
    for node in program.nodes.values():
        identifier = getattr(node.step, "id", None)
        if identifier is not None and identifier in ids:
            yield (*node.path, "id"), f"id {identifier!r} is there twice", "give each its own"
        if identifier is not None:
            ids.add(identifier)
        named = dict.fromkeys((node.step.result(), getattr(node.step, "name", None)))
        for name in filter(None, named):
            if name in ("event", "customer", "run", "now", "survey", *IN_PLACES):
                yield (
                    (*node.path, "as"),
                    f"{name!r} means something else already",
                    "choose another name",
                )


def _falls(steps: list[WrittenStep], path: Path, faults: list[Fault]) -> bool:
    """Whether a run may go on behind these steps; steps that can never be reached are faults."""
    for index, written in enumerate(steps):
        step = written.step
        here = (*path, index, step.kind)
        inside = {name: _falls(block, (*here, *at), faults) for name, at, block in step.blocks()}
        if not step.falls_through(inside):
            if index + 1 < len(steps):
                following = steps[index + 1].step
                where = (*path, index + 1, following.kind)
                faults.append(
                    (
                        where,
                        "this step is never reached",
                        "remove it, or the go or finish before it",
                    )
                )
            return False
    return True


def _unreachable(program: Program) -> Iterator[Fault]:
    reached = {program.definition.stages[0].stage}
    starting = [start for start in (*program.reaction_starts, program.at_exit) if start]
    waiting = [program.stages[name] for name in reached] + starting
    seen: set[str] = set()
    while waiting:
        address = waiting.pop()
        if address in seen or address not in program.nodes:
            continue
        seen.add(address)
        node = program.nodes[address]
        waiting += [first for first in node.blocks.values() if first]
        if node.next:
            waiting.append(node.next)
        for stage in node.step.goes_to():
            if stage in program.stages:
                reached.add(stage)
                waiting.append(program.stages[stage])
    for index, stage in enumerate(program.definition.stages):
        if stage.stage not in reached:
            remedy = f"add go: {stage.stage} where it begins, or remove it"
            yield ("stages", index, "stage"), f"stage {stage.stage!r} is never reached", remedy
    outcomes = {
        node.step.outcome for node in program.nodes.values() if isinstance(node.step, Finish)
    } | {rule.outcome for rule in program.definition.exit}
    goal = program.definition.goal
    if goal is not None and goal.outcome not in outcomes:
        yield (
            ("goal", "outcome"),
            f"no path ends in {goal.outcome!r}",
            "name the outcome of a finish or an exit",
        )


def _sends(program: Program, messages: Mapping[str, object] | None) -> Iterator[Fault]:
    sends = [(node, node.step) for node in program.nodes.values() if isinstance(node.step, Send)]
    ids = {step.id for _, step in sends}
    for node, step in sends:
        if step.replaces is not None and step.replaces not in ids:
            yield (
                (*node.path, "replaces"),
                f"no send has the id {step.replaces!r}",
                "give that send an id:",
            )
    named = [(node, step.message, "message") for node, step in sends]
    asks = [(node, node.step) for node in program.nodes.values() if isinstance(node.step, Ask)]
    named += [(node, ask.invitation, "message" if ask.message else "survey") for node, ask in asks]
    for node, message, field in named:
        if messages is not None and message not in messages:
            known = ", ".join(sorted(messages)) or "none so far"
            yield (
                (*node.path, field),
                f"there is no message {message!r}",
                f"the messages are {known}",
            )
