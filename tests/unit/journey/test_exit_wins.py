"""An exit ends the run at once, whatever it was doing, and leaves nothing behind."""

from datetime import timedelta

import pytest

from journey.effects import Deliver, OpenCase, SetTraits
from tests.unit.journey.story import NOON, deferred, entered, on, program, touched

BOUGHT = "[{on: Bought, outcome: bought}]"
SEND = "send: {message: reminder, purpose: marketing}"
ASK = "handoff: {queue: sales, brief: Help, decisions: {called: {}}}"


def test_an_exit_wins_in_the_middle_of_a_wait() -> None:
    anna = entered(on("wait: 3d", "finish: waited", exit=BOUGHT)).does("Bought")

    assert anna.outcome == "bought"
    assert anna.wakes_at is None
    assert anna.state.finished


@pytest.mark.parametrize("order", [("Asked", "Bought"), ("Bought", "Asked")])
def test_an_exit_wins_over_all_that_came_in_the_same_drain(order: tuple[str, str]) -> None:
    steps = (
        f"wait: {{any: [{{on: Asked, do: [{{{SEND}}}, {{finish: asked}}]}}], until: 1d}}",
        "finish: no",
    )
    reacts = f"[{{on: Asked, do: [{{{SEND}}}]}}]"
    anna = entered(on(*steps, exit=BOUGHT, whenever=reacts))

    anna.together(*(anna.told(event) for event in order))

    assert (anna.outcome, anna.messages) == ("bought", [])


def test_an_exit_that_came_with_the_entry_wins_over_the_first_step() -> None:
    anna = entered(on(SEND, "finish: told", exit=BOUGHT), touched("Bought", "b", NOON))

    assert (anna.outcome, anna.messages) == ("bought", [])


def test_an_exit_wins_over_a_deadline_that_passed_during_an_outage() -> None:
    anna = entered(on("wait: 1h", SEND, "finish: told", exit=BOUGHT))
    anna.outage(hours=5)

    anna.does("Bought")

    assert (anna.outcome, anna.messages) == ("bought", [])


def test_an_exit_asks_what_must_hold_of_the_touchpoint() -> None:
    rule = "[{on: Bought, when: event.properties.total > 10.0, outcome: bought}]"
    anna = entered(on("wait: 3d", "finish: waited", exit=rule))

    assert anna.does("Bought", total=5.0).outcome is None
    assert anna.does("Bought", total=50.0).outcome == "bought"


def test_an_exit_cancels_a_message_that_has_not_left() -> None:
    anna = entered(on(SEND, "finish: told", exit=BOUGHT), busy=(Deliver,)).does("Bought")

    assert anna.state.outstanding == {}
    assert anna.state.finished
    assert any("not sent" in why for why in anna.why)


def test_an_exit_cancels_a_deferred_message() -> None:
    anna = entered(on(SEND, "finish: told", exit=BOUGHT), busy=(Deliver,))
    anna.answers(anna.deliveries[0], deferred(NOON + timedelta(hours=9)))

    anna.does("Bought")
    anna.after(days=2)

    assert anna.messages == ["reminder"]
    assert anna.state.finished


def test_an_answer_that_comes_after_the_exit_changes_nothing() -> None:
    anna = entered(on(SEND, "finish: told", exit=BOUGHT), busy=(Deliver,)).does("Bought")

    anna.answers(anna.deliveries[0])

    assert anna.outcome == "bought"
    assert anna.state.finished


def test_an_exit_closes_the_open_case() -> None:
    anna = entered(on(ASK, "finish: helped", exit=BOUGHT)).does("Bought")

    assert anna.closed == [anna.cases[0].n]
    assert anna.state.finished


def test_an_exit_closes_a_case_that_is_just_being_opened() -> None:
    anna = entered(on(ASK, "finish: helped", exit=BOUGHT), busy=(OpenCase,)).does("Bought")
    assert not anna.state.finished, "the case may be open by now; its answer is awaited"

    anna.answers(anna.cases[0])

    assert anna.closed == [anna.cases[0].n]
    assert anna.state.finished


def test_a_case_that_could_not_be_opened_does_not_hold_up_the_exit() -> None:
    anna = entered(on(ASK, "finish: helped", exit=BOUGHT), busy=(OpenCase,))
    anna.fails(anna.cases[0])
    assert anna.stopped

    anna.does("Bought")

    assert anna.state.finished


def test_a_case_that_failed_and_was_left_behind_does_not_hold_up_the_end() -> None:
    journey = program("""
whenever: [{on: Gave Up, do: [{go: second}]}]
stages:
  - stage: first
    steps: [{handoff: {queue: sales, brief: Help, decisions: {called: {}}}}, {finish: helped}]
  - stage: second
    steps: [{wait: 1h}, {finish: left}]
""")
    anna = entered(journey, busy=(OpenCase,))
    anna.fails(anna.cases[0])

    anna.does("Gave Up")
    anna.after(hours=1)

    assert anna.state.finished


def test_an_exit_reaches_into_reactions_items_and_promises() -> None:
    journey = on(
        "promise: {as: soon, text: Soon, by: 2d, kept_by: {on: Kept}}",
        "for_each: {of: 'run.bags', as: bag, at_most: 3, do: [{wait: 3d}]}",
        "finish: waited",
        keep="{bags: '[1, 2]'}",
        whenever=f"[{{on: Asked, do: [{{{ASK}}}]}}]",
        exit=BOUGHT,
    )
    anna = entered(journey).does("Asked")

    anna.does("Bought")

    assert anna.state.threads == []
    assert len(anna.closed) == 1
    assert anna.promises[-1] == ("soon", "dropped")
    assert anna.state.finished


OVER_100 = "[{when: run.total > 100, outcome: big}]"


def test_a_condition_that_comes_true_by_a_set_wins_over_the_very_next_step() -> None:
    steps = ("wait: {any: [{on: Bought}], until: 3d}", "set: {run.total: event.properties.total}")
    anna = entered(on(*steps, SEND, "finish: small", keep="{total: '0'}", exit=OVER_100))

    anna.does("Bought", total=200)

    assert (anna.outcome, anna.messages) == ("big", [])

    ben = entered(on(*steps, "finish: small", keep="{total: '0'}", exit=OVER_100)).does(
        "Bought", total=200
    )
    assert ben.outcome == "big"


def test_a_condition_that_is_true_at_entry_ends_the_run_before_its_first_step() -> None:
    journey = on(SEND, "finish: told", exit="[{when: customer.staff == true, outcome: one-of-us}]")

    assert entered(journey, traits={"staff": True}).messages == []
    assert entered(journey, traits={"staff": False}).messages == ["reminder"]


def test_a_trait_that_changes_wins_over_a_deadline_of_the_same_moment() -> None:
    anna = entered(
        on("wait: 1h", "finish: waited", exit="[{when: customer.gone == true, outcome: gone}]"),
        traits={"gone": False},
    )
    anna.outage(hours=2)

    anna.becomes(gone=True)

    assert anna.outcome == "gone"


def test_being_told_to_leave_is_an_exit() -> None:
    anna = entered(on(ASK, "finish: helped"))

    anna.leaves()

    assert anna.outcome == "left"
    assert anna.closed == [anna.cases[0].n]


def test_traits_that_are_being_written_are_awaited_before_the_run_is_over() -> None:
    anna = entered(
        on("set: {customer.vip: 'true'}", "wait: 1d", "finish: no", exit=BOUGHT), busy=(SetTraits,)
    ).does("Bought")
    assert not anna.state.finished

    anna.answers(anna.effects[0])

    assert anna.state.finished


def test_a_finished_run_asks_for_nothing_more() -> None:
    anna = entered(on("wait: 1d", "finish: waited", exit=BOUGHT)).does("Bought")
    asked = len(anna.effects)

    anna.does("Bought")
    anna.resumes()
    anna.leaves()
    anna.moves(on("wait: 2d", SEND, "finish: told"))
    anna.after(days=9)

    assert len(anna.effects) == asked
    assert anna.outcome == "bought"
