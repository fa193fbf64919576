"""Where a run goes next, what it keeps, whom it listens to, and how it ends."""

from datetime import timedelta

import pytest

from journey.effects import SetTraits
from tests.unit.journey.story import NOON, Run, entered, on, program, ungated

ROUNDS = """
stages:
  - stage: asking
    steps:
      - send: {message: ask, purpose: service}
      - wait: {any: [{on: Answered, do: [{finish: answered}]}], until: 1d}
      - go: {stage: asking, at_most: 3, then: [{send: {message: last, purpose: service}}]}
      - finish: silent
"""


def test_a_stage_is_entered_at_most_so_often_and_then_something_else_is_done() -> None:
    anna = entered(program(ROUNDS))

    anna.after(days=9)

    assert anna.messages == ["ask", "ask", "ask", "last"]
    assert anna.outcome == "silent"


def test_every_way_into_a_stage_counts() -> None:
    anna = entered(
        program(ROUNDS.replace("stages:", "whenever: [{on: Again, do: [{go: asking}]}]\nstages:"))
    )

    anna.does("Again").does("Again")
    anna.after(days=9)

    assert anna.messages == ["ask", "ask", "ask", "last"]


def test_a_circle_without_a_wait_is_stopped_and_says_so_and_can_be_resumed_elsewhere() -> None:
    circle = """
keep: {past: '"2020-01-01T00:00:00Z"'}
whenever: [{on: Help, do: [{go: calm}]}]
stages:
  - stage: round
    steps: [{wait: {any: [{on: Stop}], until: run.past, late: [{go: round}]}}, {finish: stopped}]
  - stage: calm
    steps: [{wait: 1d}, {finish: calm}]
"""
    anna = entered(ungated(circle))
    assert anna.stopped is not None
    assert "steps without a wait" in anna.stopped
    assert anna.waits_for[0].startswith("people to look at it")

    anna.does("Help")
    assert anna.stopped is None
    assert anna.stage == "calm"


CHOICE = """choose: [
  {when: run.total > 100, do: [{finish: big}]},
  {when: run.total > 10, do: [{finish: medium}]},
  {otherwise: [{finish: small}]}]"""


@pytest.mark.parametrize(
    ("total", "outcome"),
    [(500, "big"), (50, "medium"), (5, "small"), ("x", "small"), (None, "small")],
)
def test_the_first_case_that_holds_is_taken_and_what_cannot_be_told_does_not_hold(
    total: object, outcome: str
) -> None:
    anna = entered(on(CHOICE, keep="{total: event.properties.total}"), total=total)

    assert anna.outcome == outcome


def test_where_no_case_holds_the_journey_goes_on() -> None:
    assert (
        entered(on("choose: [{when: 'false', do: [{finish: never}]}]", "finish: on")).outcome
        == "on"
    )


# -- what touchpoints are about

FLIGHT = """
enter: {on: Booked, key: event.properties.pnr}
match: event.properties.pnr == run.key
keep: {legs: event.properties.legs}
listen: {flight: 'run.legs.map(l, l.flight)'}
whenever:
  - {on: Rebooked, do: [{set: {run.legs: event.properties.legs}}]}
stages:
  - stage: booked
    steps:
      - wait: {any: [{on: Checked In, do: [{finish: checked-in}]}, {on: Departed, do: [{finish: departed}]},
          {on: Called, match: false, do: [{finish: called}]},
          {on: Mailed, match: 'event.properties.about == run.key', do: [{finish: mailed}]}], until: 9d}
      - finish: waited
"""


def booked() -> Run:
    legs = [{"flight": "F1"}, {"flight": "F2"}]
    return entered(program(FLIGHT), key="P1", pnr="P1", legs=legs)


def test_a_journey_wide_match_is_asked_of_every_touchpoint_about_the_customer() -> None:
    assert booked().does("Checked In", pnr="P2").outcome is None
    assert booked().does("Checked In").outcome is None
    assert booked().does("Checked In", pnr="P1").outcome == "checked-in"


def test_a_match_may_be_lifted_or_replaced() -> None:
    assert booked().does("Called", pnr="P2").outcome == "called"
    assert booked().does("Mailed", pnr="P1", about="P2").outcome is None
    assert booked().does("Mailed", pnr="P2", about="P1").outcome == "mailed"


def test_a_touchpoint_about_a_subject_is_not_asked_whose_it_is() -> None:
    assert booked().does("Departed", subject=("flight", "F1")).outcome == "departed"


def test_what_a_touchpoint_must_be_about_is_asked_exactly() -> None:
    about = "wait: {any: [{on: Departed, about: run.flight, do: [{finish: departed}]}], until: 1d}"
    journey = on(about, "finish: waited", keep="{flight: event.properties.flight}")

    assert entered(journey, flight="F1").does("Departed", subject=("flight", "F2")).outcome is None
    assert entered(journey, flight="F1").does("Departed").outcome is None
    assert (
        entered(journey, flight="F1").does("Departed", subject=("flight", "F1")).outcome
        == "departed"
    )


def test_a_run_listens_to_the_subjects_that_its_kept_values_name() -> None:
    anna = booked()
    assert anna.records[-1].listens == {"flight": ("F1", "F2")}

    anna.does("Rebooked", pnr="P1", legs=[{"flight": "F9"}])
    assert anna.records[-1].listens == {"flight": ("F9",)}

    anna.does("Called Off", pnr="P1")
    assert anna.records[-1].listens is None, "told only when it changed"


# -- what the run keeps


def test_set_works_out_all_values_from_what_holds_before_the_step() -> None:
    anna = entered(
        on("set: {run.a: run.b, run.b: run.a}", "wait: 1d", "finish: done", keep="{a: '1', b: '2'}")
    )

    assert anna.values == {"a": 2, "b": 1}


def test_a_value_that_cannot_be_told_stays_as_it_is_and_that_is_noted() -> None:
    anna = entered(
        on("set: {run.a: event.properties.nothing}", "wait: 1d", "finish: done", keep="{a: '1'}")
    )

    assert anna.values == {"a": 1}
    assert any("run.a stays as it is" in why for why in anna.why)


def test_a_trait_that_is_set_is_written_and_used_at_once() -> None:
    vip = "choose: [{when: customer.vip == true, do: [{finish: vip}]}]"
    anna = entered(on("set: {customer.vip: 'true'}", vip, "finish: no"))

    assert anna.written_traits == [{"vip": True}]
    assert anna.outcome == "vip"


def test_a_trait_that_cannot_be_written_does_not_hold_up_the_journey() -> None:
    anna = entered(on("set: {customer.vip: 'true'}", "finish: done"), busy=(SetTraits,))

    anna.fails(anna.effects[0])

    assert anna.outcome == "done"


def test_a_value_that_cannot_be_kept_at_entry_is_null() -> None:
    journey = on("wait: 1d", "finish: done", keep="{a: event.properties.a, b: '1'}")

    assert entered(journey).values == {"a": None, "b": 1}


# -- how it ends


@pytest.mark.parametrize(("days", "goal"), [(2, True), (3, True), (4, False)])
def test_the_goal_counts_within_its_time(days: int, goal: bool) -> None:
    won = "[{on: Bought, outcome: bought}, {on: Gone, outcome: gone}]"
    anna = entered(on("wait: 9d", "finish: waited", exit=won, goal="{outcome: bought, within: 3d}"))
    anna.after(days=days)

    anna.does("Bought")

    assert anna.state.goal is goal


def test_another_outcome_is_not_the_goal() -> None:
    won = "[{on: Bought, outcome: bought}, {on: Gone, outcome: gone}]"
    anna = entered(on("wait: 9d", "finish: waited", exit=won, goal="{outcome: bought}")).does(
        "Gone"
    )

    assert anna.state.goal is False


def test_a_customer_held_out_lives_through_the_whole_journey() -> None:
    anna = entered(program(ROUNDS), held_out=True)
    anna.after(days=9)

    assert anna.state.held_out
    assert anna.outcome == "silent"


def test_chance_is_the_same_for_a_customer_on_every_version_and_fair_over_many() -> None:
    ten = "{on: Began, hold_out: 10%}"
    one, other = on("wait: 1d", "finish: a", enter=ten), on("wait: 2d", "finish: b", enter=ten)
    customers = [f"c-{number}" for number in range(4_000)]

    held = [customer for customer in customers if one.held_out(customer)]

    assert held == [customer for customer in customers if other.held_out(customer)]
    assert 320 <= len(held) <= 480


@pytest.mark.parametrize(
    ("again", "days", "allowed"),
    [
        ("never", 900, False),
        ("always", 0, True),
        ("join", 0, True),
        ("after 7d", 6, False),
        ("after 7d", 7, True),
    ],
)
def test_the_same_customer_may_enter_again_as_the_author_says(
    again: str, days: int, allowed: bool
) -> None:
    rule = on("wait: 1d", "finish: done", enter=f"{{on: Began, again: {again}}}").again

    assert rule.allows(NOON, NOON + timedelta(days=days), None) is allowed
    assert rule.allows(None, NOON, None)


def test_two_steps_of_one_name_are_both_done() -> None:
    each = "for_each: {{of: '[1, 2]', as: bag, at_most: 2, do: [{{send: {{message: {}, purpose: service}}}}]}}"
    anna = entered(on(each.format("first"), each.format("second"), "finish: done"))

    assert anna.messages == ["first", "first", "second", "second"]
