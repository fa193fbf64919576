"""The same customer through another journey, and what its outcome means here."""

from datetime import timedelta

import pytest

from journey.effects import StartRun
from tests.unit.journey.story import NOON, Run, entered, on

RUN = (
    "run: {journey: repair, with: {order: run.order}, as: repair, until: 5d, "
    "outcomes: {mended: [{finish: glad}], not_admitted: [{finish: refused}]}, late: [{finish: late}]%s}"
)
KEEP = "{order: event.properties.order}"


def running(run: str = RUN % "", *steps: str, busy: tuple[type, ...] = (), **parts: str) -> Run:
    return entered(
        on(run, *(steps or ("finish: other",)), keep=KEEP, **parts), busy=busy, order="o1"
    )


def test_the_customer_enters_the_other_journey_with_what_is_told() -> None:
    [began] = running().begun

    assert (began.journey, began.properties) == ("repair", {"order": "o1"})


def test_the_journey_waits_for_the_other_one_to_end() -> None:
    anna = running()

    assert anna.waits_for == ("repair to end until 2026-03-07 12:00 UTC",)
    assert anna.wakes_at == NOON + timedelta(days=5)


@pytest.mark.parametrize(
    ("outcome", "here"), [("mended", "glad"), ("not_admitted", "refused"), ("else", "other")]
)
def test_the_outcome_of_the_other_journey_picks_the_way(outcome: str, here: str) -> None:
    anna = running()

    anna.other_ends(outcome)

    assert anna.outcome == here


def test_the_outcome_is_a_result_that_conditions_name() -> None:
    choose = 'choose: [{when: repair.goal && repair.outcome == "mended", do: [{finish: goal}]}]'
    anna = running("run: {journey: repair, as: repair, until: 5d}", choose, "finish: other")

    anna.other_ends("mended", goal=True)

    assert anna.outcome == "goal"
    assert anna.state.results["repair"] == {"outcome": "mended", "goal": True, "reason": None}


def test_what_does_not_end_in_time_takes_late() -> None:
    anna = running()
    anna.after(days=5)

    assert anna.outcome == "late"


def test_the_end_of_another_run_of_that_journey_means_nothing_here() -> None:
    anna = running()

    anna.does("Run Ended", run="journey/tale/anna:9:2", outcome="mended")
    anna.does("Run Ended", run="journey/tale/anna:7:1", outcome="mended")

    assert anna.outcome is None


def test_an_end_that_overtakes_the_beginning_is_not_lost() -> None:
    anna = running(busy=(StartRun,))
    anna.other_ends("mended")
    assert anna.outcome is None

    anna.answers(anna.begun[0])

    assert anna.outcome == "glad"


def test_a_journey_need_not_wait_for_the_one_that_it_began() -> None:
    anna = running("run: {journey: repair, with: {order: run.order}, wait: false}", "finish: done")

    assert anna.outcome == "done"
    assert len(anna.begun) == 1


def test_a_property_that_cannot_be_told_is_left_out_and_noted() -> None:
    anna = running("run: {journey: repair, with: {a: event.properties.nothing, b: '1'}, until: 1d}")

    assert anna.begun[0].properties == {"b": 1}
    assert any("a is left out" in why for why in anna.why)


def test_a_journey_that_cannot_be_begun_is_recorded_and_this_one_goes_on() -> None:
    anna = running(busy=(StartRun,))

    anna.fails(anna.begun[0])

    assert anna.outcome == "other"
    assert any(why.startswith("failed: repair") for why in anna.why)


def test_what_to_do_when_it_cannot_be_begun_may_be_said() -> None:
    anna = running(RUN % ", on_failure: [{finish: by-hand}]", busy=(StartRun,))

    anna.fails(anna.begun[0])

    assert anna.outcome == "by-hand"


def test_an_exit_lets_the_other_journey_be() -> None:
    anna = running(exit="[{on: Left, outcome: left}]").does("Left")

    assert (anna.outcome, anna.wakes_at) == ("left", None)
    assert anna.state.finished


def test_until_when_it_waits_moves_with_what_it_names() -> None:
    moved = "[{on: Moved, do: [{set: {run.ends: event.properties.to}}]}]"
    wait = "run: {journey: repair, until: run.ends}"
    journey = on(wait, "finish: other", keep="{ends: event.properties.ends}", whenever=moved)
    anna = entered(journey, ends="2026-03-10T12:00:00Z")

    anna.does("Moved", to="2026-03-04T12:00:00Z")

    assert anna.wakes_at == NOON + timedelta(days=2)


def test_what_comes_while_the_other_one_runs_meets_the_wait_behind_it() -> None:
    wait = "wait: {any: [{on: Paid, do: [{finish: paid}]}], until: 1d}"
    anna = running("run: {journey: repair, until: 5d}", wait, "finish: unpaid").does("Paid")

    anna.other_ends("mended")

    assert anna.outcome == "paid"
