"""The customer-journey map that designers know, made from the very file that runs and what lies beside it."""

import re
from collections import defaultdict

from insight.map_cards import (
    data_card,
    entry_card,
    exit_card,
    plainly,
    sentence,
    step_card,
    told,
    touchpoint_card,
    words,
)
from insight.map_parts import Card, Column, Feeling, JourneyMap, Told
from journey import conditions
from journey.known_events import asked, met
from journey.landscape import Landscape, TouchpointDescription
from journey.language import Template
from journey.program import Node, Program
from journey.steps.finish import Finish
from journey.steps.set import Set
from journey.touchpoint import is_ours

NOT_DESCRIBED = "not described"
LEARNED = "Learned on the way"

_IN_LIQUID = re.compile(r"\bevent\.properties\.(\w+)")


def journey_map(program: Program, landscape: Landscape) -> JourneyMap:
    """The map of a journey. What nobody described is on it, and said to be so."""
    definition = program.definition
    shared = ", ".join(map(words, definition.shared_with))
    return JourneyMap(
        journey=program.journey,
        title=definition.title,
        description=definition.description or "",
        owners=f"owned by {definition.owner}" + (f", shared with {shared}" if shared else ""),
        personas=tuple(_persona(name, landscape) for name in definition.personas),
        goals=tuple(_goal(name, landscape) for name in definition.goals),
        columns=tuple(_Map(program, landscape).columns()),
    )


def _persona(name: str, landscape: Landscape) -> Told:
    persona = landscape.personas.get(name)
    if persona is None:
        return Told(sentence(name), (NOT_DESCRIBED,))
    needs = "; ".join(persona.needs)
    return Told(persona.title, told(persona.description, f"Needs {needs}." if needs else None))


def _goal(name: str, landscape: Landscape) -> Told:
    goal = landscape.goals.get(name)
    if goal is None:
        return Told(sentence(name), (NOT_DESCRIBED,))
    teams = ", ".join(words(team) for team in goal.shared_with if team != goal.owner)
    owner = f"{words(goal.owner)}, with {teams}" if teams else words(goal.owner)
    return Told(goal.title, told(goal.measure, owner))


class _Map:
    def __init__(self, program: Program, landscape: Landscape) -> None:
        self._program, self._landscape = program, landscape
        self._definition = program.definition
        self._read = _properties_read(program)
        match = program.definition.match
        self._matched = _properties_of(match, program) if match else set[str]()
        self._arrives = _arriving(program)

    def columns(self) -> list[Column]:
        """The beginning, the stages, what may happen at any time, the end."""
        stages = {stage.stage: self._stage(stage.stage) for stage in self._definition.stages}
        anytime = self._anytime()
        end = self._end()
        for node in self._program.nodes.values():
            if node.stage is not None:
                self._step(node, stages[node.stage])
            else:
                self._step(node, end if node.path[0] == "on_exit" else anytime)
        between = [anytime] if anytime.cells else []
        columns = [self._begin(), *stages.values(), *between, end]
        for column in columns:
            _gather_learned(column)
        return columns

    def _begin(self) -> Column:
        enter = self._definition.enter
        column = Column(kind="begin", title="It begins")
        column.add("customer", entry_card(enter, self._described(enter.on)))
        if enter.on is not None:
            column.feeling = self._felt(enter.on)
            self._data(column, enter.on)
        if self._definition.keep:
            kept = ", ".join(map(words, self._definition.keep))
            column.add("data", Card(kind="data", title="Kept for the journey", notes=(kept,)))
        return column

    def _stage(self, name: str) -> Column:
        stage = next(stage for stage in self._definition.stages if stage.stage == name)
        title = stage.title or sentence(name)
        column = Column(kind="stage", title=title)
        arriving = [felt for event in self._arrives[name] if (felt := self._felt(event))]
        if stage.feeling is not None:
            column.feeling = Feeling(words(stage.feeling), title)
        elif arriving:
            column.feeling = arriving[0]
        return column

    def _anytime(self) -> Column:
        column = Column(kind="anytime", title="At any time")
        for rule in self._definition.whenever:
            if rule.on is not None:
                self._touch(column, rule.on)
            else:
                notes = told(plainly(rule.when) if rule.when else None)
                column.add("customer", Card(kind="touchpoint", title="Comes true", notes=notes))
        return column

    def _end(self) -> Column:
        column = Column(kind="end", title="It ends")
        for rule in self._definition.exit:
            column.add("customer", exit_card(rule, self._described(rule.on)))
            if rule.on is not None:
                self._beside(column, rule.on)
                self._data(column, rule.on)
        goal = self._definition.goal
        if goal is not None:
            within = f"within {goal.within}" if goal.within else None
            value = f"worth {plainly(goal.value)}" if goal.value else None
            notes = told("the goal of the journey", within, goal.measure, value)
            title = sentence(goal.outcome)
            column.add("measures", Card(kind="goal", title=title, notes=notes))
        aim = goal.outcome if goal else None
        others = [words(each) for each in dict.fromkeys(self._outcomes()) if each != aim]
        if others:
            title = "Other ends" if goal else "Ends"
            notes = (", ".join(others),)
            column.add("measures", Card(kind="outcome", title=title, notes=notes))
        return column

    def _outcomes(self) -> list[str]:
        steps = [node.step for node in self._program.nodes.values()]
        ends = [step.outcome for step in steps if isinstance(step, Finish)]
        return [*(rule.outcome for rule in self._definition.exit), *ends]

    def _step(self, node: Node, column: Column) -> None:
        for on in node.step.listens():
            if not is_ours(on.on):
                self._touch(column, on.on)
        placed = step_card(node.step)
        if placed is not None:
            column.add(*placed)
        if isinstance(node.step, Finish):
            title = f"May end: {words(node.step.outcome)}"
            goal = self._definition.goal
            aim = goal is not None and goal.outcome == node.step.outcome
            column.add("measures", Card(kind="goal" if aim else "outcome", title=title))
        if isinstance(node.step, Set):
            for target in node.step.values:
                root, _, name = target.partition(".")
                where = f"{words(name)}, on the profile" if root == "customer" else words(name)
                column.add("data", Card(kind="data", title=LEARNED, notes=(where,)))

    def _touch(self, column: Column, event: str) -> None:
        column.add("customer", touchpoint_card(event, self._described(event)))
        self._data(column, event)
        if column.kind == "anytime":
            self._beside(column, event)

    def _data(self, column: Column, event: str) -> None:
        description = self._described(event)
        read = set(self._read[event])
        if description is not None and description.subject is None and description.properties:
            read |= self._matched & set(description.properties)
        card = data_card(event, description, read)
        if card.notes:
            column.add("data", card)

    def _beside(self, column: Column, event: str) -> None:
        felt = self._felt(event)
        if felt is not None and felt not in column.feelings:
            column.feelings.append(felt)

    def _described(self, event: str | None) -> TouchpointDescription | None:
        return self._landscape.touchpoints.get(event or "")

    def _felt(self, event: str) -> Feeling | None:
        description = self._described(event)
        if description is None or description.feeling is None:
            return None
        return Feeling(words(description.feeling), event)


def _gather_learned(column: Column) -> None:
    """What is learned in one part of the way is one card."""
    cell = column.cells.get("data", [])
    learned = [note for card in cell if card.title == LEARNED for note in card.notes]
    if learned:
        notes = (", ".join(dict.fromkeys(learned)),)
        others = [card for card in cell if card.title != LEARNED]
        column.cells["data"] = [*others, Card(kind="data", title=LEARNED, notes=notes)]


def _properties_read(program: Program) -> dict[str, set[str]]:
    """For each touchpoint the names of the properties that this journey reads of it."""
    found: dict[str, set[str]] = defaultdict(set)
    for each in asked(program):
        if each.event is not None:
            found[each.event] |= _properties_of(each.source, program)
    for step, _, event in met(program):
        if event is not None:
            texts = [getattr(step, name) for name in type(step).model_fields]
            liquid = [text for text in texts if isinstance(text, Template)]
            found[event] |= {name for text in liquid for name in _IN_LIQUID.findall(text)}
    goal = program.definition.goal
    for rule in program.definition.exit:
        if goal is not None and goal.value and rule.outcome == goal.outcome and rule.on:
            found[rule.on] |= _properties_of(goal.value, program)
    return found


def _properties_of(source: str, program: Program) -> set[str]:
    """The properties of `event` that an expression reads."""
    paths = conditions.compiled(source, program.names).paths
    return {path[2] for path in paths if path[:2] == ("event", "properties") and path[2:]}


def _arriving(program: Program) -> dict[str, list[str]]:
    """For each stage the touchpoints that lead into it."""
    found: dict[str, list[str]] = defaultdict(list)
    for step, _, event in met(program):
        for stage in step.goes_to():
            if event is not None and event not in found[stage]:
                found[stage].append(event)
    return found
