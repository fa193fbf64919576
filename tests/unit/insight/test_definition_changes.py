"""What differs between two versions is told by its place, and nobody is moved into the unknown."""

import pytest

from insight.definition_changes import changes, standings
from journey.program import Program
from journey.publication import read_definition

CART = """
language: 1
journey: cart
title: A cart
owner: tests
enter: {on: Began}
whenever:
  - {on: Asked, do: [{send: {message: answer, purpose: service}}]}
stages:
  - stage: one
    steps:
      - wait: 1d
      - handoff:
          as: help
          queue: sales
          brief: Help
          decisions: {other: {}, called: {}, sold: {do: [{finish: sold}]}}
      - go: two
  - stage: two
    steps:
      - wait: {any: [{on: Paid, do: [{finish: paid}]}], until: 2d}
      - finish: lost
"""


def program(text: str) -> Program:
    return read_definition(text, "cart.yaml").program


def told(new: str) -> list[str]:
    found = changes(program(CART), program(new))
    return [f"{each.kind} {each.place}: {each.was} -> {each.now}" for each in found]


def moved(new: str) -> dict[str, str]:
    return {each.address: each.becomes for each in standings(program(CART), program(new))}


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ("title: A cart", "title: The cart", "changed title: A cart -> The cart"),
        ("{on: Began}", "{on: Began, again: always}", "added enter.again:  -> always"),
        ("owner: tests", "owner: tests\nshared_with: [sales]", "added shared_with[0]:  -> sales"),
        ("owner: tests", "owner: tests\npersonas: [planner]", "added personas[0]:  -> planner"),
        ("owner: tests", "owner: tests\ngoals: [more]", "added goals[0]:  -> more"),
        ("until: 2d", "until: 3d", "changed two/0.until: 2d -> 3d"),
        ("on: Paid", "on: Bought", "changed two/0.any[0].on: Paid -> Bought"),
        ("called: {}, ", "", "removed one/help.decisions.called: there -> "),
        ("queue: sales", "queue: service", "changed one/help.queue: sales -> service"),
        ("- wait: 1d", "- wait: 1d\n      - wait: 2h", "added one/1:  -> wait"),
        ("message: answer", "message: reply", "changed whenever/0/0.message: answer -> reply"),
        ("{on: Asked, do", "{on: Wrote, do", "changed whenever/0.on: Asked -> Wrote"),
        ("finish: paid", "finish: bought", "changed two/0/any/0/0.outcome: paid -> bought"),
    ],
)
def test_each_difference_is_told_at_its_place(was: str, now: str, expected: str) -> None:
    assert told(CART.replace(was, now)) == [expected]


def test_how_one_would_know_that_it_works_is_told() -> None:
    with_goal = CART.replace("owner: tests", "owner: tests\ngoal: {outcome: paid}")
    measured = with_goal.replace("outcome: paid}", "outcome: paid, measure: orders}")

    [change] = changes(program(with_goal), program(measured))

    assert (change.kind, change.place, change.now) == ("added", "goal.measure", "orders")


def test_the_same_journey_written_otherwise_is_the_same() -> None:
    assert told(CART.replace("- wait: 1d", "- wait: {until: 1d}")) == []


def test_a_reaction_and_a_stage_come_and_go_whole() -> None:
    rule = "\nwhenever:\n  - {on: Asked, do: [{send: {message: answer, purpose: service}}]}"
    without = CART.replace(rule, "")

    assert told(without) == ["removed whenever/0: on Asked -> "]
    assert "added three:  -> stage" in told(
        CART.replace("- finish: lost", "- go: three\n  - stage: three\n    steps: [{finish: lost}]")
    )


def test_who_cannot_stay_begins_the_stage_anew() -> None:
    assert moved(CART.replace("until: 2d", "until: 3d")) == {}
    later = moved(CART.replace("- wait: 1d", "- send: {message: hi, purpose: service}"))
    assert later == {"one/0": "begins stage one anew"}
    gone = moved(CART.replace("stage: one", "stage: first"))
    assert gone["one/help"] == "begins the journey anew, at first"


def test_who_waits_for_a_journey_that_is_only_begun_from_now_on_goes_on() -> None:
    asks = CART.replace("- wait: 1d", "- run: {journey: other, until: 3d}")
    begins = CART.replace("- wait: 1d", "- run: {journey: other, wait: false}")

    [standing] = standings(program(asks), program(begins))

    assert (standing.address, standing.step) == ("one/0", "run")
    assert standing.becomes.startswith("goes on behind it")
    assert standings(program(asks), program(asks.replace("3d", "4d"))) == []
