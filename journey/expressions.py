"""What the gate asks of each expression: that it compiles, is of the right type, and names what is there."""

from collections.abc import Iterator

from journey import conditions
from journey.conditions import Expression
from journey.program import BUILT_IN_TRAITS, IN_PLACES, Path, Program
from journey.steps.set import Set

Fault = tuple[Path, str, str]

_EVENT_FIELDS = frozenset({"name", "timestamp", "properties", "context"})
RUN_FIELDS = frozenset({"key", "stage", "entered_at"})
"""What is known of every run without being kept."""


def expression_faults(program: Program) -> Iterator[Fault]:
    """Faults of conditions, values and moments, and of what `keep` and `set` name."""
    items = frozenset[str]().union(*(node.scope for node in program.nodes.values()))
    kept = set(program.definition.keep) | RUN_FIELDS
    for name in RUN_FIELDS & set(program.definition.keep):
        yield ("keep", name), f"run.{name} means something else already", "choose another name"
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
        yield from _out_of_place(path, expression.roots)
        yield from _read(path, expression.paths, kept)
        yield from _known(program, path, expression)


def _targets(step: Set, path: Path, scope: frozenset[str]) -> Iterator[Fault]:
    for target in step.values:
        root, _, name = target.partition(".")
        if root not in ("run", "customer") and root not in scope:
            message = f"there is nothing called {root!r} here"
            yield (*path, target), message, "set run.NAME or customer.NAME"
        if name in {"run": RUN_FIELDS, "customer": BUILT_IN_TRAITS}.get(root, ()):
            yield (*path, target), f"{target} cannot be set", "choose another name"


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


def _out_of_place(path: Path, roots: frozenset[str]) -> Iterator[Fault]:
    words = tuple(str(part) for part in path)
    for name, place in IN_PLACES.items():
        if name in roots and not any(
            words[index : index + len(place)] == place for index in range(len(words))
        ):
            yield path, f"{name!r} means nothing here", f"it is known under {'.'.join(place)} only"
    if any(words[index : index + 2] == ("call", "take") for index in range(len(words))):
        for root in sorted(roots - {"response"}):
            remedy = "take from response, and work with that afterwards"
            yield path, f"{root!r} is not known where a response is read", remedy


def _known(program: Program, path: Path, expression: Expression) -> Iterator[Fault]:
    """What is not there yet, or not there at all, where the expression is looked at."""
    definition, roots = program.definition, expression.roots
    match path:
        case ("enter", "audience" | "date", *_):
            for root in sorted(roots & {"run", "event"}):
                remedy = "name traits: customer.NAME, or counts: counts.NAME"
                yield path, f"{root!r} is not there before the customer enters", remedy
            return
        case ("enter" | "keep", *_):
            if "run" in roots:
                remedy = "name what came: event.properties.NAME"
                yield path, "there is no run yet when the customer enters", remedy
            return
        case ("listen", *_):
            came = False
        case ("exit", int(index), *_):
            came = definition.exit[index].on is not None
        case ("whenever", int(index), "when"):
            came = definition.whenever[index].on is not None
        case _:
            return
    if not came and "event" in roots:
        yield path, "nothing has come that event could be", "keep the value, and name run.NAME"
