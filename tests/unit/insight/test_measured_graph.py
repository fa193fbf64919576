"""The map says with figures what happened, in words that mean what was counted."""

import re
from collections import Counter
from datetime import timedelta

import pytest

from contracts.journey_figures import Counted, Standing
from insight.friction import Friction
from insight.graph_svg import Linked, svg_of
from insight.journey_graph import journey_graph
from insight.measured_graph import (
    Measured,
    friction_in_words,
    length_in_words,
    measured_graph,
    standing_here,
    ways_noted,
)
from insight.step_figures import step_figures
from journey.language import Step
from tests.unit.insight.recordings import NOON, journey

TEA = journey().program
EVERY_WAY = """
language: 1
journey: all-ways
title: Every way on
owner: test
enter: {on: Began, again: always}
stages:
  - stage: one
    steps:
      - wait:
          any:
            - {on: Said, when: 'event.properties.n > 1', do: []}
            - {on: Said, do: []}
            - {on: Left, do: [{finish: left}]}
          until: 2d
          late: [{set: {run.tries: 1}}]
      - wait: {all: [{on: Paid}, {on: Signed}], until: 2d, late: [{finish: late}]}
      - choose: [{when: run.tries == 1, do: []}, {otherwise: [{wait: 1h}]}]
      - choose: [{when: run.tries == 2, do: [{wait: 1h}]}]
      - split: {name: s, arms: [{arm: a}, {arm: b, do: [{wait: 1h}]}]}
      - repeat: {at_most: 2, do: [{wait: 1h}]}
      - ask:
          {survey: happy, as: mood, purpose: service, type: nps, until: 2d,
           answers: {promoter: [{wait: 1h}]}, late: [{wait: 2h}]}
      - handoff:
          {as: desk, queue: desk, brief: 'x', resolve: 2d, decisions: {yes: {do: [{wait: 1h}]}, no: {}},
           late: [{wait: 2h}]}
      - go: {stage: one, at_most: 2, then: [{finish: done}]}
"""


def counted(address: str, kind: str, way: str = "", n: int = 1, milliseconds: int = 0) -> Counted:
    return Counted(address=address, kind=kind, way=way, n=n, milliseconds=milliseconds)


LIVED = [
    counted("", "entered", n=1_200),
    counted("tasting/blend", "arm", "green", 610),
    counted("tasting/blend", "arm", "black", 590),
    counted("tasting/0", "sent", n=1_100),
    counted("tasting/0", "not_sent", n=100),
    counted("tasting/2", "came", n=1_200),
    counted("tasting/2", "went", n=1_000),
    counted("tasting/2", "left", "again", 300),
    counted("tasting/2", "left", "left", 30),
    counted("tasting/2", "stay", "60", 900, 900 * 36_000_000),
    counted("tasting/2", "stay", "70", 100, 100 * 200_000_000),
]


def test_who_leaves_with_the_goal_has_not_left() -> None:
    step = step_figures(LIVED, TEA)["tasting/2"]
    assert (step.came, step.went, step.left) == (1_200, 1_000, 30)
    assert step.stays == Counter({60: 900, 70: 100})


def test_each_step_says_who_stands_there_and_each_way_how_many_went_it() -> None:
    since = NOON - timedelta(hours=12)
    here = standing_here(
        [
            Standing(address="tasting/2", since=since, n=9),
            Standing(address="tasting/2", since=NOON - timedelta(days=3), n=1),
        ],
        NOON,
    )
    measured = Measured(
        steps=step_figures(LIVED, TEA),
        ways=ways_noted(LIVED),
        here=here,
        frictions={
            "tasting/2": [
                Friction(
                    address="tasting/2",
                    what="slower",
                    against="past",
                    now=36_000,
                    before=18_000,
                    of_now=900,
                    of_before=4_000,
                )
            ]
        },
    )
    graph = measured_graph(journey_graph(TEA), measured)

    wait = graph.nodes["tasting/2"]
    assert wait.figures == (
        "10 stand here: half for 12 h or less, nine in ten for 12 h",
        "1,000 went on: half in 9.9 h, nine in ten in 9.9 h",
        "30 ended here without the goal",
    )
    assert wait.friction == ("half stand 10 h, 5.0 h before (900 and 4,000 counted)",)
    [both] = graph.nodes["tasting/blend"].ways
    assert both.words == "green, 50 % or black, 50 % · 610 / 590"
    assert graph.nodes["tasting/0"].figures == ("1,100 sent", "100 not sent")
    picture = svg_of(graph, Linked(style=False, link=lambda address: f"/at/{address}"))
    assert "<style" not in picture
    assert '<a href="/at/tasting/2"' in picture
    assert re.search(r'class="card wait marked" data-step="tasting/2"', picture)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3, "3 s"),
        (59, "59 s"),
        (60, "1.0 min"),
        (3_000, "50 min"),
        (7_200, "2.0 h"),
        (100_000, "28 h"),
        (1_000_000, "12 d"),
    ],
)
def test_lengths_are_told_in_two_figures(seconds: float, words: str) -> None:
    assert length_in_words(seconds) == words


def test_shares_are_told_with_what_they_are_of() -> None:
    told = Friction(
        address="a", what="leaving", against="siblings", now=0.4, before=0.125, of_now=500, of_before=480
    )  # fmt: skip
    assert friction_in_words(told) == (
        "40 % leave here, 12.5 % where they go instead (500 and 480 counted)"
    )


def test_every_way_on_is_told_from_the_others_by_what_the_trace_notes() -> None:
    """Of a step that has ways, each is noted, and no two of them alike."""
    program = journey(EVERY_WAY).program
    for node in program.nodes.values():
        step: Step = node.step
        blocks = [block for block, _, _ in step.blocks()]
        if step.kind in ("wait", "choose", "split", "repeat", "ask", "handoff", "go") and blocks:
            noted = [step.noted(block) for block in blocks]
            assert None not in noted, (node.address, noted)
            assert len(set(noted)) == len(noted), (node.address, noted)
