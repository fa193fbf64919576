"""The gate: a journey that could fail by its own shape is refused here, each fault with its place and remedy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from journey import conditions
from journey.definition import Definition, canonical_json, version_of
from journey.document import Document, InvalidDocumentError, Path, Problem, read_document
from journey.language import WrittenStep
from journey.program import Program
from journey.steps.finish import Finish
from journey.steps.send import Send
from journey.steps.set import Set

_EVENT_FIELDS = frozenset({"name", "timestamp", "properties", "context"})
_RUN_FIELDS = frozenset({"key", "stage", "entered_at"})


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
    source: str, name: str, messages: Mapping[str, object] | None = None
) -> Publishable:
    """Read and check a journey written in YAML or JSON.

    `messages`: the messages that exist, by name; None leaves them unchecked.
    Raises: `InvalidDocumentError` with every problem found.
    """
    document = read_document(source, name)
    if not isinstance(document.data, dict):
        raise InvalidDocumentError(
            [document.problem((), "a journey is a mapping", "begin with language: 1")]
        )
    try:
        definition = Definition.model_validate(document.data)
    except ValidationError as error:
        raise InvalidDocumentError([_wrong(document, told) for told in error.errors()]) from None
    canonical = canonical_json(document.data)
    program = Program(definition, version_of(canonical))
    problems = [
        document.problem(place(document, path), message, remedy)
        for path, message, remedy in _problems(program, messages)
    ]
    if problems:
        raise InvalidDocumentError(
            sorted(problems, key=lambda problem: (problem.line, problem.column))
        )
    return Publishable(definition.journey, program.version, canonical, source, name, program)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a journey file, for editors."""
    return Definition.model_json_schema(by_alias=True)


def place(document: Document, path: Path) -> Path:
    """The part of a model's path that the file knows: shorthands leave out what they stand for."""
    known: Path = ()
    for part in path:
        if (*known, part) in document.places:
            known = (*known, part)
    return known


def _wrong(document: Document, told: Any) -> Problem:
    path = place(document, tuple(told["loc"]))
    missing = told["type"] == "missing"
    message = f"{told['loc'][-1]} is missing" if missing else str(told["msg"])
    if told["type"] == "extra_forbidden":
        return document.problem(
            path, f"{told['loc'][-1]!r} is not a word of the language here", "check its spelling"
        )
    remedy = "add it" if missing else _remedy(told)
    return document.problem(path, message, remedy)


def _remedy(told: Any) -> str:
    value = told.get("input")
    if told["type"] == "string_pattern_mismatch":
        return "use small letters, digits and dashes (names for conditions: underscores), starting with a letter"
    if told["type"] in ("string_type", "text") and isinstance(value, bool | int | float):
        return "put it in quotes"
    if told["type"] == "step" and isinstance(value, dict) and len(value) != 1:  # pyright: ignore[reportUnknownArgumentType]
        return "begin each step with its own dash"
    return ""


Fault = tuple[Path, str, str]


def _problems(program: Program, messages: Mapping[str, object] | None) -> Iterator[Fault]:
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
        if rule.on is None and rule.when is None:
            yield ("exit", index), "an exit needs on: or when:", "name a touchpoint or a condition"
    yield from _unreachable(program)
    yield from _sends(program, messages)
    yield from _expressions(program)


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
        for name in filter(None, (node.step.result(), getattr(node.step, "name", None))):
            if name in ("event", "customer", "run", "now"):
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
    starting = [start for start in program.reaction_starts if start]
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
    sends = [node for node in program.nodes.values() if isinstance(node.step, Send)]
    ids = {node.step.id for node in sends if isinstance(node.step, Send)}
    for node in sends:
        if not isinstance(node.step, Send):
            continue
        if node.step.replaces is not None and node.step.replaces not in ids:
            yield (
                (*node.path, "replaces"),
                f"no send has the id {node.step.replaces!r}",
                "give that send an id:",
            )
        if messages is not None and node.step.message not in messages:
            known = ", ".join(sorted(messages)) or "none so far"
            yield (
                (*node.path, "message"),
                f"there is no message {node.step.message!r}",
                f"the messages are {known}",
            )


def _expressions(program: Program) -> Iterator[Fault]:
    items = frozenset[str]().union(*(node.scope for node in program.nodes.values()))
    kept = set(program.definition.keep) | _RUN_FIELDS
    for node in program.nodes.values():
        if isinstance(node.step, Set):
            yield from _targets(node.step, node.path, node.scope)
            kept |= {name.partition(".")[2] for name in node.step.values if name.startswith("run.")}
    for path, role, source, scope in program.expressions():
        try:
            expression = conditions.compiled(source, program.names)
        except conditions.ConditionError as error:
            yield path, f"{source!r}: {error}", "see https://cel.dev for the language of conditions"
            continue
        yield from _kind(path, role, source, expression.type_name)
        for root in sorted((expression.roots & items) - scope):
            remedy = "move the step inside, or keep the value"
            yield path, f"{root!r} is known only inside its for_each", remedy
        yield from _read(path, expression.paths, kept)


def _targets(step: Set, path: Path, scope: frozenset[str]) -> Iterator[Fault]:
    for target in step.values:
        root = target.partition(".")[0]
        if root not in ("run", "customer") and root not in scope:
            message = f"there is nothing called {root!r} here"
            yield (*path, target), message, "set run.NAME or customer.NAME"


def _kind(path: Path, role: str, source: str, type_name: str) -> Iterator[Fault]:
    if role == "condition" and type_name != "BOOL":
        yield path, f"{source!r} is not true or false", f"compare it: {source} == true"
    if role == "moment" and type_name not in ("TIMESTAMP", "STRING", "DYN"):
        remedy = "write 4h, next 09:00, or name an instant: run.departs - 24h"
        yield path, f"{source!r} is not a moment", remedy


def _read(path: Path, used: frozenset[tuple[str, ...]], kept: set[str]) -> Iterator[Fault]:
    for parts in sorted(used):
        if len(parts) > 1 and parts[0] == "run" and parts[1] not in kept:
            yield path, f"run.{parts[1]} is never kept", f"add {parts[1]}: under keep:, or set it"
        if len(parts) > 1 and parts[0] == "event" and parts[1] not in _EVENT_FIELDS:
            remedy = f"write event.properties.{parts[1]}"
            yield path, f"event.{parts[1]} is not part of a touchpoint", remedy
