"""`whenever` with a condition: one reaction at a time, however often the condition comes true."""

from datetime import UTC, datetime, timedelta

import pytest

from journey.effects import Effect, OpenCase
from journey.happenings import Arrived, CaseAnswer, EffectFinished, Entered
from journey.machine import advance
from journey.publication import read_definition
from journey.state import State
from journey.touchpoint import CASE_DECIDED, Touchpoint
from tests.unit.journey.story import entered, program

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

TANK = """
language: 1
journey: tank
title: A tank that is watched
owner: works
enter: {on: Tank Filled}
keep: {level: '0'}
whenever:
  - on: Level
    do: [{set: {run.level: event.properties.level}}]
  - when: run.level > 1
    do: [{handoff: {as: help, queue: works, brief: Look, decisions: {looked: {}}}}]
stages:
  - {stage: watched, steps: [{wait: {until: 10d}}, {finish: done}]}
"""


class Tank:
    def __init__(self) -> None:
        self.program = read_definition(TANK, "tank.yaml", None).program
        self.state, self.now, self.cases = State(), NOON, list[int]()
        self.happen(Entered(entry=1, customer="c", entering=self.touchpoint("Tank Filled")))

    def touchpoint(self, event: str, **properties: object) -> Touchpoint:
        number = int((self.now - NOON) / timedelta(minutes=1)) + 1
        return Touchpoint(
            message_id=f"{number}",
            event=event,
            timestamp=self.now,
            properties=properties,  # pyright: ignore[reportArgumentType]
            number=number,
        )

    def happen(self, happening) -> None:
        advanced = advance(self.program, self.state, happening, self.now)
        self.state = advanced.state
        for effect in advanced.effects:
            self.carry_out(effect)

    def carry_out(self, effect: Effect) -> None:
        assert isinstance(effect, OpenCase)
        self.cases.append(effect.n)
        self.happen(EffectFinished(n=effect.n, answer=CaseAnswer(case=f"case/t:1:{effect.n}")))

    def comes(self, event: str, **properties: object) -> None:
        self.now += timedelta(minutes=1)
        self.happen(Arrived(touchpoints=(self.touchpoint(event, **properties),)))

    def decided(self, case: int) -> None:
        self.comes(CASE_DECIDED, case=f"case/t:1:{case}", decision="looked", by="bo")


def test_a_condition_that_comes_true_again_waits_until_its_reaction_is_done():
    tank = Tank()
    tank.comes("Level", level=2)
    tank.comes("Level", level=0)
    tank.comes("Level", level=3)

    assert len(tank.cases) == 1
    tank.decided(tank.cases[0])
    assert len(tank.cases) == 2
    tank.decided(tank.cases[1])
    assert len(tank.cases) == 2


@pytest.mark.parametrize("levels", [(2, 0), (2, 3), (2, 0, 3, 0)])
def test_without_a_new_edge_it_reacts_once(levels: tuple[int, ...]):
    tank = Tank()
    for level in levels:
        tank.comes("Level", level=level)
    tank.decided(tank.cases[0])

    assert len(tank.cases) == 1


def test_what_names_the_stage_is_looked_at_when_the_stage_changes() -> None:
    journey = program(
        """
whenever:
  - {when: run.stage == "second", do: [{send: {message: second, purpose: service}}]}
stages:
  - stage: first
    steps:
      - show: {at: [web], say: First, while: run.stage == "first"}
      - wait: {any: [{on: Went On}], forever: true}
      - go: second
  - stage: second
    steps: [{wait: 1d}, {finish: done}]
"""
    )
    anna = entered(journey)
    assert anna.state.shows != []

    anna.does("Went On")

    assert anna.messages == ["second"]
    assert anna.shown == []
