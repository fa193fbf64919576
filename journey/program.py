"""A journey compiled: every step under a stable address, and what the run listens to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Literal, cast

import orjson
from pydantic import BaseModel, JsonValue

from journey import conditions
from journey.chance import chance
from journey.definition import Definition, Exit, Reaction, Stage, version_of
from journey.effects import Values
from journey.language import Condition, MomentText, On, Step, Template, Value, WrittenStep
from journey.moments import read_moment
from journey.spans import Span, read_span
from journey.touchpoint import (
    AUDIENCE_LEFT,
    ENTER,
    HOLD_LIFTED,
    MERGED,
    TRAITS_CHANGED,
    Touchpoint,
)

Path = tuple[str | int, ...]

Used = tuple[Path, str, str, frozenset[str]]
"""An expression: its path, its role (condition, value, moment), its CEL source, the items in scope."""

IN_PLACES = {"counts": ("enter", "audience"), "response": ("call", "take")}
"""Names that mean something at one place only: `counts` in an audience, `response` in what a call takes."""

BUILT_IN_TRAITS = frozenset({"id", "zone"})


@dataclass(slots=True)
class Node:
    """One step at its address: what follows it, and where its blocks begin."""

    address: str
    step: Step
    stage: str | None
    next: str | None
    path: Path
    scope: frozenset[str]
    blocks: dict[str, str | None] = field(default_factory=dict[str, str | None])


@dataclass(slots=True, frozen=True)
class Again:
    """Whether the same customer may enter again."""

    kind: Literal["never", "always", "join", "after"]
    after: Span | None = None

    def allows(self, previous: datetime | None, now: datetime, zone: str | None) -> bool:
        """Whether an entry `now` is allowed after one at `previous` (run time)."""
        if previous is None or self.kind in ("always", "join"):
            return True
        return self.after is not None and self.after.after(previous, zone or "UTC") <= now


class Program:
    """A compiled journey. Never changes; shared by all runs of its version in a process."""

    def __init__(self, definition: Definition, version: str) -> None:
        self.version = version
        self.definition = definition
        self.journey: str = definition.journey
        self.title = definition.title
        self.zone: str = definition.zone
        self.business = definition.business.calendar(definition.zone)
        self.match: str | None = definition.match
        self.entry_event: str = definition.enter.on or ENTER
        self.nodes: dict[str, Node] = {}
        self.stages: dict[str, str] = {}
        self.feelings = {stage.stage: stage.feeling for stage in definition.stages}
        self.reactions: list[Reaction] = definition.whenever
        self.exits: list[Exit] = definition.exit
        self.follows_subjects = bool(definition.listen)
        self.reaction_starts: list[str] = []
        for index, stage in enumerate(definition.stages):
            self._lay_stage(stage, ("stages", index, "steps"))
        for index, reaction in enumerate(definition.whenever):
            first = self._lay(
                reaction.do, f"whenever/{index}", None, None, ("whenever", index, "do"), frozenset()
            )
            self.reaction_starts.append(first or "")
        self.at_exit = self._lay(
            definition.on_exit, "on_exit", None, None, ("on_exit",), frozenset()
        )
        """Where what is done at the end begins, if there is anything."""

    # -- layout

    def _lay_stage(self, stage: Stage, path: Path) -> None:
        first = self._lay(stage.steps, stage.stage, stage.stage, None, path, frozenset())
        self.stages[stage.stage] = first or ""

    def _lay(
        self,
        steps: list[WrittenStep],
        prefix: str,
        stage: str | None,
        after: str | None,
        path: Path,
        scope: frozenset[str],
    ) -> str | None:
        addresses: list[str] = []
        for index, written in enumerate(steps):
            addresses.append(self._address(prefix, index, written.step, addresses))
        for index, written in enumerate(steps):
            step, address = written.step, addresses[index]
            following = addresses[index + 1] if index + 1 < len(steps) else after
            here = (*path, index, step.kind)
            node = Node(address, step, stage, following, here, scope)
            self.nodes[address] = node
            for block, written_at, inside in step.blocks():
                behind = {"next": following, "nothing": None, "here": address}[step.ends(block)]
                inner = self._lay(
                    inside,
                    f"{address}/{block}",
                    stage,
                    behind,
                    (*here, *written_at),
                    scope | step.binds(block),
                )
                node.blocks[block] = inner
        return addresses[0] if addresses else None

    def _address(self, prefix: str, index: int, step: Step, siblings: list[str]) -> str:
        named = getattr(step, "id", None) or getattr(step, "name", None)
        address = f"{prefix}/{named}" if named else f"{prefix}/{index}"
        taken = address in siblings or address in self.nodes
        return f"{prefix}/{named}.{index}" if taken else address

    # -- what it names

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name that a condition of this journey may use, `now` apart."""
        found = {"event", "customer", "run", *IN_PLACES}
        for node in self.nodes.values():
            result = node.step.result()
            if result:
                found.add(result)
            found |= node.scope
            for block in node.blocks:
                found |= node.step.binds(block)
        return frozenset(found)

    def expressions(self) -> Iterator[Used]:
        """Every expression: path, role (condition, value, moment), CEL source, and the items in scope."""
        for node in self.nodes.values():
            yield from _expressions(node.step, node.path, node.scope)
        yield from _expressions(self.definition, (), frozenset())

    def templates(self) -> Iterator[tuple[Path, str]]:
        """Every template, with its path."""
        for node in self.nodes.values():
            yield from _templates(node.step, node.path)

    @cached_property
    def paths(self) -> frozenset[tuple[str, ...]]:
        """Every dotted path that an expression reads, such as ("customer", "tier")."""
        sources = (source for _, _, source, _ in self.expressions())
        return frozenset[tuple[str, ...]]().union(
            *(conditions.compiled(s, self.names).paths for s in sources)
        )

    @cached_property
    def traits(self) -> frozenset[str]:
        """The customer's traits that conditions name."""
        return (
            frozenset(path[1] for path in self.paths if path[0] == "customer" and len(path) > 1)
            - BUILT_IN_TRAITS
        )

    @cached_property
    def names_stage(self) -> bool:
        """Whether some expression names the stage, so that coming to one changes what holds."""
        return ("run", "stage") in self.paths

    @cached_property
    def waited_for(self) -> frozenset[str]:
        """Names of the touchpoints that a wait, a promise, a reaction or an exit names."""
        found = {on.on for node in self.nodes.values() for on in node.step.listens()}
        found |= {rule.on for rule in (*self.definition.exit, *self.reactions) if rule.on}
        found |= {name for node in self.nodes.values() for name in node.step.hears()}
        if any(rule.leaves_audience for rule in self.definition.exit):
            found.add(AUDIENCE_LEFT)
        return frozenset(found)

    @cached_property
    def touchpoint_exits(self) -> list[tuple[int, Exit, On]]:
        """The exits that are touchpoints, each with its place."""
        rules = [(index, rule, rule.touchpoint) for index, rule in enumerate(self.exits)]
        return [(index, rule, on) for index, rule, on in rules if on is not None]

    @cached_property
    def condition_exits(self) -> list[tuple[int, Exit, Condition]]:
        """The exits that are conditions, each with its place."""
        rules = [(index, rule) for index, rule in enumerate(self.exits) if rule.touchpoint is None]
        return [(index, rule, rule.when) for index, rule in rules if rule.when is not None]

    @cached_property
    def since_entry(self) -> frozenset[str]:
        """Names of the touchpoints that some wait looks back to entry for."""
        steps = [node.step for node in self.nodes.values()]
        return frozenset(
            on.on
            for step in steps
            if getattr(step, "since", None) == "entry"
            for on in step.listens()
        )

    @cached_property
    def listens(self) -> frozenset[str]:
        """Names of all touchpoints that a run of this version must see."""
        return self.waited_for | {TRAITS_CHANGED, HOLD_LIFTED, MERGED}

    @property
    def subject_kinds(self) -> frozenset[str]:
        """Kinds of subject that a run may listen to."""
        return frozenset(self.definition.listen)

    @cached_property
    def ahead(self) -> dict[str, frozenset[str]]:
        """For each address, the names of touchpoints that may still be waited for from there on."""
        found = {
            address: {on.on for on in node.step.listens()} | set(node.step.hears())
            for address, node in self.nodes.items()
        }
        leads = {address: set(self._leads_to(node)) for address, node in self.nodes.items()}
        growing = True
        while growing:
            growing = False
            for address in reversed(self.nodes):
                before = len(found[address])
                for other in leads[address]:
                    found[address] |= found[other]
                growing |= len(found[address]) != before
        return {address: frozenset(names) for address, names in found.items()}

    def _leads_to(self, node: Node) -> Iterator[str]:
        yield from (first for first in node.blocks.values() if first)
        if node.next:
            yield node.next
        for stage in node.step.goes_to():
            if stage in self.stages:
                yield self.stages[stage]

    # -- entry

    @cached_property
    def again(self) -> Again:
        """The rule for entering again."""
        text = self.definition.enter.again
        if text.startswith("after"):
            return Again("after", read_span(text.removeprefix("after").strip()))
        return Again(text)  # pyright: ignore[reportArgumentType] -- one of the three words, checked when it was read

    @property
    def holds(self) -> str | None:
        """The purpose of messages of the customer's other journeys that wait for the end of a run."""
        rule = self.definition.while_running
        return rule.hold if rule is not None else None

    def held_out(self, customer: str) -> bool:
        """Whether this customer is in the hold-out: the same on every run and version."""
        return chance(self.journey, "hold_out", customer) * 100 < self.definition.enter.hold_out

    def enters_on(self, touchpoint: Touchpoint) -> bool:
        """Whether this is the kind of touchpoint that brings customers in, whatever it says."""
        if touchpoint.event == ENTER:
            return touchpoint.properties.get("journey") == self.journey
        return touchpoint.event == self.definition.enter.on

    def entry_wanted(self, touchpoint: Touchpoint, profile: Mapping[str, JsonValue]) -> bool:
        """Whether the entry condition holds. Raises: `ConditionError`."""
        when = self.definition.enter.when
        return when is None or conditions.holds(
            when, self._entry_names(touchpoint, profile), self.names
        )

    def entry_key(self, touchpoint: Touchpoint, profile: Mapping[str, JsonValue]) -> str | None:
        """The key of the run that this touchpoint would begin. Raises: `ConditionError`."""
        source = self.definition.enter.key
        if source is None:
            return None
        value = conditions.json_value(source, self._entry_names(touchpoint, profile), self.names)
        if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
            raise conditions.ConditionError(f"the key {source!r} is not text or a whole number")
        return str(value)

    def entry_values(
        self, touchpoint: Touchpoint | None, profile: Mapping[str, JsonValue]
    ) -> Values:
        """The values kept at entry; one that cannot be told is null."""
        values: Values = {}
        names = self._entry_names(touchpoint, profile)
        for name, source in self.definition.keep.items():
            try:
                values[name] = conditions.json_value(source, names, self.names)
            except conditions.ConditionError:
                values[name] = None
        return values

    def subjects(
        self, values: Mapping[str, JsonValue], key: str | None, profile: Mapping[str, JsonValue]
    ) -> dict[str, tuple[str, ...]]:
        """The subjects a run with these values listens to: kind → ids."""
        names = {"run": {**values, "key": key}, "customer": dict(profile), "event": {}}
        found: dict[str, tuple[str, ...]] = {}
        for kind, source in self.definition.listen.items():
            try:
                ids = conditions.json_value(source, names, self.names)
            except conditions.ConditionError:
                continue
            listed = ids if isinstance(ids, list) else [ids]
            found[kind] = tuple(
                dict.fromkeys(str(item) for item in listed if item not in (None, ""))
            )[:100]
        return found

    def _entry_names(
        self, touchpoint: Touchpoint | None, profile: Mapping[str, JsonValue]
    ) -> dict[str, object]:
        event = touchpoint.named() if touchpoint else {}
        names: dict[str, object] = {"event": event, "customer": dict(profile), "run": {}}
        if touchpoint:
            names["now"] = touchpoint.timestamp
        return names

    def reaches_goal(
        self, outcome: str, entered: datetime | None, now: datetime, zone: str
    ) -> bool:
        """Whether this outcome, now, is the goal."""
        goal = self.definition.goal
        if goal is None or goal.outcome != outcome:
            return False
        return (
            goal.within is None
            or entered is None
            or read_span(goal.within).after(entered, zone) >= now
        )


def compile_program(canonical: bytes) -> Program:
    """Compile a definition from its canonical JSON. Raises: `pydantic.ValidationError` where it is not one."""
    return Program(Definition.model_validate(orjson.loads(canonical)), version_of(canonical))


def _expressions(value: object, path: Path, scope: frozenset[str]) -> Iterator[Used]:
    """Expressions of one model; steps inside are nodes of their own and are left to them."""
    match value:
        case Condition():
            yield path, "condition", str(value), scope
        case MomentText():
            source = read_moment(value).source
            if source is not None:
                yield path, "moment", source, scope
        case Value():
            yield path, "value", str(value), scope
        case WrittenStep():
            return
        case BaseModel() | dict() | list():
            for name, item in _parts(cast("BaseModel | dict[str, object] | list[object]", value)):
                yield from _expressions(item, (*path, name), scope)
        case _:
            return


def _templates(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    """Templates of one model, as `_expressions` finds expressions."""
    match value:
        case Template():
            yield path, str(value)
        case WrittenStep():
            return
        case BaseModel() | dict() | list():
            for name, item in _parts(cast("BaseModel | dict[str, object] | list[object]", value)):
                yield from _templates(item, (*path, name))
        case _:
            return


def _parts(
    value: BaseModel | dict[str, object] | list[object],
) -> Iterator[tuple[str | int, object]]:
    if isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            yield info.alias or name, getattr(value, name)
    elif isinstance(value, dict):
        yield from value.items()
    else:
        yield from enumerate(value)
