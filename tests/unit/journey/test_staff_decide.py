"""A member of staff takes over, decides, and the decision picks the path."""

from datetime import timedelta
from typing import Any

import pytest

from journey.effects import OpenCase
from tests.unit.journey.story import NOON, Run, entered, on, program

HELP = """
stages:
  - stage: only
    steps:
      - handoff:
          as: help
          queue: sales
          brief: 'Stuck with {{ run.total }}'
          first_answer: 2h
          escalate_to: leads
          resolve: 1d
          decisions:
            called: {title: Called them, do: [{finish: called}]}
            coupon:
              fields: {amount: number}
              authority: amount
              do: [{choose: [{when: help.amount > 50, do: [{finish: much}]}, {otherwise: [{finish: little}]}]}]
            nothing: {}
          late: [{finish: left-alone}]
      - choose: [{when: 'help.decision == "nothing"', do: [{finish: nothing}]}]
      - finish: other
"""


def asked(journey: str = HELP) -> Run:
    return entered(program(journey))


def test_staff_are_told_what_they_may_decide_and_by_when() -> None:
    case = asked().cases[0]

    assert (case.queue, case.brief) == ("sales", "Stuck with {{ run.total }}")
    assert case.first_answer_by == NOON + timedelta(hours=2)
    assert case.resolve_by == NOON + timedelta(days=1)
    assert case.decisions["coupon"].fields == {"amount": "number"}
    assert case.decisions["coupon"].authority == "amount"
    assert case.decisions["called"].title == "Called them"


@pytest.mark.parametrize(
    ("decision", "fields", "outcome"),
    [
        ("called", {}, "called"),
        ("coupon", {"amount": 100}, "much"),
        ("coupon", {"amount": 10}, "little"),
        ("nothing", {}, "nothing"),
    ],
)
def test_the_decision_picks_the_path(decision: str, fields: dict[str, Any], outcome: str) -> None:
    anna = asked()

    anna.decides(decision, **fields)

    assert anna.outcome == outcome


def test_a_decision_nobody_offered_goes_on_behind_the_handoff() -> None:
    anna = asked()

    anna.decides("made-up")

    assert anna.outcome == "other"
    assert any("made-up is not among the decisions" in why for why in anna.why)


NO_WAY_ON = """
stages:
  - stage: only
    steps:
      - handoff: {queue: sales, brief: Help, decisions: {called: {do: [{finish: called}]}}}
"""


def test_a_decision_nobody_offered_never_strands_the_customer() -> None:
    anna = asked(NO_WAY_ON)
    anna.decides("made-up")
    assert anna.outcome is None
    assert anna.stopped, "nothing follows the handoff: people must look at it"

    anna.resumes()
    anna.decides("called")
    assert anna.outcome == "called"


def test_a_decision_on_another_case_is_not_this_ones() -> None:
    anna = asked(NO_WAY_ON)
    other = OpenCase(n=99, queue="sales", brief="", decisions={})

    anna.decides("called", case=other)

    assert anna.outcome is None


@pytest.mark.parametrize(
    "said", [{}, {"case": None}, {"case": 7, "decision": []}, {"case": "x", "fields": "no"}]
)
def test_a_decision_that_is_nonsense_changes_nothing(said: dict[str, Any]) -> None:
    anna = asked().does("Case Decided", **said)

    assert anna.outcome is None
    assert anna.stopped is None


def test_a_decision_with_nonsense_in_it_still_counts() -> None:
    anna = asked()

    anna.does("Case Decided", case=f"x:7:{anna.cases[0].n}", decision="nothing", fields="none")

    assert anna.outcome == "nothing"


def test_an_unanswered_case_goes_to_the_leads_once() -> None:
    anna = asked()
    anna.after(hours=2)
    assert anna.escalated == ["leads"]

    anna.after(hours=20)
    assert anna.escalated == ["leads"]
    assert anna.wakes_at == NOON + timedelta(days=1)

    anna.decides("called")
    assert anna.outcome == "called"


def test_an_undecided_case_is_closed_and_the_journey_goes_another_way() -> None:
    anna = asked()

    anna.after(days=1)

    assert anna.outcome == "left-alone"
    assert anna.closed == [anna.cases[0].n]


def test_after_an_outage_a_case_that_is_overdue_is_closed_and_not_escalated_first() -> None:
    anna = asked()
    anna.outage(days=3)

    anna.after(minutes=0)

    assert (anna.outcome, anna.escalated) == ("left-alone", [])


def test_a_decision_that_is_here_wins_over_the_deadline_that_passed_meanwhile() -> None:
    anna = asked()
    anna.outage(days=3)

    anna.decides("called")

    assert anna.outcome == "called"
    assert anna.closed == []


def test_business_hours_are_counted_in_the_journeys_zone() -> None:
    due = "first_answer: 2 business hours, escalate_to: leads"
    ask = f"handoff: {{queue: sales, brief: Help, {due}, decisions: {{called: {{}}}}}}"
    journey = on(ask, "finish: called", zone="America/New_York")
    # Monday noon UTC is 07:00 in New York; staff come at 09:00
    assert entered(journey, zone="Asia/Tokyo").wakes_at == NOON + timedelta(hours=4)


def test_a_case_that_cannot_be_opened_stops_the_run_until_it_is_mended() -> None:
    anna = entered(program(HELP), busy=(OpenCase,))
    anna.fails(anna.cases[0])
    assert anna.stopped
    assert "sales" in anna.stopped

    anna.resumes()
    assert [case.n for case in anna.cases] == [anna.cases[0].n] * 2

    anna.answers(anna.cases[1])
    anna.decides("called")
    assert anna.outcome == "called"


@pytest.mark.parametrize(
    ("on_failure", "outcome"), [("continue", "done"), ("[{finish: failed}]", "failed")]
)
def test_the_author_says_what_happens_when_a_case_cannot_be_opened(
    on_failure: str, outcome: str
) -> None:
    ask = f"handoff: {{queue: sales, brief: Help, decisions: {{called: {{}}}}, on_failure: {on_failure}}}"
    anna = entered(on(ask, "finish: done"), busy=(OpenCase,))

    anna.fails(anna.cases[0])

    assert anna.outcome == outcome


def test_a_run_that_is_taken_elsewhere_closes_its_case() -> None:
    journey = program("""
whenever: [{on: Calmed Down, do: [{go: calm}]}]
stages:
  - stage: upset
    steps: [{handoff: {queue: sales, brief: Help, decisions: {called: {}}}}, {finish: helped}]
  - stage: calm
    steps: [{wait: 1d}, {finish: calm}]
""")
    anna = entered(journey).does("Calmed Down")

    assert anna.stage == "calm"
    assert anna.closed == [anna.cases[0].n]


def test_the_wait_for_staff_is_told_in_words() -> None:
    assert asked().waits_for == ("staff in sales to decide, looked at again 2026-03-02 14:00 UTC",)
