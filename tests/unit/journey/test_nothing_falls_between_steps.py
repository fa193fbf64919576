"""A touchpoint that came is not lost because the run was elsewhere when it came."""

from datetime import timedelta

import pytest

from journey.effects import Deliver, OpenCase
from journey.happenings import Entered
from tests.unit.journey.story import NOON, Run, deferred, entered, on, program, touched

NEVER = "finish: nothing-came"


def wait_for(event: str, then: str) -> str:
    return f"wait: {{any: [{{on: {event}, do: [{{finish: {then}}}]}}], until: 1d}}"


def test_what_came_before_the_wait_was_reached_meets_it() -> None:
    anna = entered(
        on("wait: 1h", "wait: {any: [{on: Paid}], until: 1h}", wait_for("Packed", "packed"), NEVER)
    )
    anna.does("Packed")
    anna.after(hours=2)

    assert anna.outcome == "packed"


def test_what_came_together_with_what_met_the_wait_is_not_lost() -> None:
    anna = entered(on("wait: {any: [{on: Paid}], until: 1d}", wait_for("Packed", "packed"), NEVER))

    anna.together(anna.told("Paid"), anna.told("Packed"))

    assert anna.outcome == "packed"


def test_what_came_before_the_previous_wait_was_met_is_behind_the_run() -> None:
    anna = entered(on("wait: {any: [{on: Paid}], until: 1d}", wait_for("Packed", "packed"), NEVER))
    anna.does("Packed").does("Paid")
    assert anna.outcome is None

    anna.does("Packed")
    assert anna.outcome == "packed"


TWO_STAGES = """
stages:
  - stage: buying
    steps:
      - wait: {any: [{on: Paid, do: [{go: sending}]}], until: 1d, late: [{go: sending}]}
      - go: sending
  - stage: sending
    steps:
      - wait: {any: [{on: Packed, do: [{finish: packed}]}], until: 1d}
      - finish: unpacked
"""


def test_what_came_in_an_earlier_stage_meets_a_wait_of_a_later_one() -> None:
    anna = entered(program(TWO_STAGES.replace("      - go: sending\n", "")))
    anna.does("Packed")

    anna.after(days=1)

    assert (anna.stage, anna.outcome) == ("sending", "packed")


def test_the_first_wait_looks_back_to_entry_but_not_to_the_entering_touchpoint() -> None:
    journey = on(wait_for("Began", "began-again"), "finish: once")

    assert entered(journey).outcome is None
    assert entered(journey, touched("Began", "other", NOON)).outcome == "began-again"


def test_an_exit_does_not_see_the_entering_touchpoint() -> None:
    journey = on("wait: 1d", "finish: waited", exit="[{on: Began, outcome: over}]")

    assert entered(journey).outcome is None


def test_what_came_with_the_entry_in_one_drain_is_not_lost() -> None:
    anna = entered(on(wait_for("Paid", "paid"), NEVER), touched("Paid", "m-9", NOON))

    assert anna.outcome == "paid"


def test_a_wait_behind_a_send_looks_back_to_the_send_only() -> None:
    anna = entered(
        on(
            "wait: {any: [{on: Paid}], until: 1d}",
            "send: {message: thanks, purpose: service}",
            wait_for("Rated", "rated"),
            NEVER,
        ),
        busy=(Deliver,),
    )
    anna.does("Rated").does("Paid")
    anna.answers(anna.deliveries[0])
    assert anna.outcome is None

    anna.does("Rated")
    assert anna.outcome == "rated"


def test_what_comes_while_a_message_is_on_its_way_meets_the_wait_behind_it() -> None:
    anna = entered(
        on("send: {message: hello, purpose: service}", wait_for("Answered", "answered"), NEVER),
        busy=(Deliver,),
    )
    anna.does("Answered")

    anna.answers(anna.deliveries[0])

    assert anna.outcome == "answered"


def test_what_comes_while_a_message_is_deferred_meets_the_wait_behind_it() -> None:
    anna = entered(
        on("send: {message: hello, purpose: service}", wait_for("Answered", "answered"), NEVER),
        busy=(Deliver,),
    )
    anna.answers(anna.deliveries[0], deferred(NOON + timedelta(hours=9)))
    anna.does("Answered")
    anna.after(hours=9)

    anna.answers(anna.deliveries[1])

    assert anna.outcome == "answered"


def test_a_wait_behind_a_handoff_looks_back_to_the_handoff_only() -> None:
    anna = entered(
        on(
            "wait: {any: [{on: Paid}], until: 1d}",
            "handoff: {queue: sales, brief: Help, decisions: {called: {}}}",
            wait_for("Rated", "rated"),
            NEVER,
        )
    )
    anna.does("Rated").does("Paid")
    anna.decides("called")
    assert anna.outcome is None

    anna.does("Rated")
    assert anna.outcome == "rated"


def test_what_came_while_staff_had_the_case_meets_the_wait_behind_it() -> None:
    anna = entered(
        on(
            "handoff: {queue: sales, brief: Help, decisions: {called: {}}}",
            wait_for("Paid", "paid"),
            NEVER,
        )
    )
    anna.does("Paid")

    anna.decides("called")

    assert anna.outcome == "paid"


def test_a_decision_that_overtakes_the_opening_of_its_case_is_not_lost() -> None:
    anna = entered(
        on("handoff: {queue: sales, brief: Help, decisions: {called: {do: [{finish: called}]}}}"),
        busy=(OpenCase,),
    )
    anna.decides("called")
    assert anna.outcome is None

    anna.answers(anna.cases[0])

    assert anna.outcome == "called"


def test_one_touchpoint_meets_one_wait_of_a_thread() -> None:
    anna = entered(
        on(
            "wait: {any: [{on: Paid}], until: 1d}",
            wait_for("Paid", "paid-twice"),
            "finish: paid-once",
        )
    )

    anna.does("Paid")
    assert anna.outcome is None

    anna.does("Paid")
    assert anna.outcome == "paid-twice"


def test_the_first_that_came_meets_the_wait_not_the_first_that_is_named() -> None:
    named = "any: [{on: B, do: [{finish: b}]}, {on: A, do: [{finish: a}]}]"
    anna = entered(on("wait: 1h", f"wait: {{{named}, until: 1d}}", NEVER))
    anna.does("A").does("B")

    anna.after(hours=1)

    assert anna.outcome == "a"


@pytest.mark.parametrize(
    ("since", "outcome"), [("previous", None), ("entry", "rated"), ("now", None)]
)
def test_an_author_says_since_when_touchpoints_count(since: str, outcome: str | None) -> None:
    rated = f"wait: {{any: [{{on: Rated, do: [{{finish: rated}}]}}], until: 1d, since: {since}}}"
    anna = entered(on("wait: {any: [{on: Paid}], until: 1d}", rated, NEVER))

    anna.does("Rated").does("Paid")

    assert anna.outcome == outcome


def test_since_now_forgets_what_came_while_the_run_was_elsewhere() -> None:
    rated = "wait: {any: [{on: Rated, do: [{finish: rated}]}], until: 1d, since: now}"
    anna = entered(on("wait: 1h", rated, NEVER))
    anna.does("Rated")
    anna.after(hours=1)
    assert anna.outcome is None

    anna.does("Rated")
    assert anna.outcome == "rated"


def test_since_entry_finds_what_came_first_where_nothing_brought_the_customer_in() -> None:
    rated = "wait: {any: [{on: Rated, do: [{finish: rated}]}], until: 1d, since: entry}"
    anna = Run(on("wait: {any: [{on: Paid}], until: 1d}", rated, NEVER))
    anna.happens(Entered(entry=7, customer="anna"))

    anna.does("Rated").does("Paid")

    assert anna.outcome == "rated"


def test_what_met_a_wait_does_not_meet_a_later_one_that_looks_back_to_entry() -> None:
    again = "wait: {any: [{on: Paid, do: [{finish: again}]}], until: 1d, since: entry}"
    anna = entered(on("wait: {any: [{on: Paid}], until: 1d}", again, NEVER))

    anna.does("Paid")
    assert anna.outcome is None

    anna.does("Paid")
    assert anna.outcome == "again"


@pytest.mark.parametrize("since", ["entry", "now"])
def test_what_one_wait_says_of_since_is_not_said_of_the_next(since: str) -> None:
    anna = entered(
        on(
            "wait: {any: [{on: Paid}], until: 1d}",
            f"wait: {{any: [{{on: Rated}}], until: 1d, since: {since}}}",
            wait_for("Packed", "packed"),
            NEVER,
        )
    )
    anna.does("Packed").does("Paid")
    anna.after(days=1)
    assert anna.outcome is None, "Packed came before the wait for Paid was met"

    anna.does("Packed")
    assert anna.outcome == "packed"


def test_what_a_wait_since_now_did_not_look_at_is_there_for_the_next() -> None:
    now = "wait: {any: [{on: Rated}], until: 1d, since: now}"
    anna = entered(on("wait: 1h", now, wait_for("Packed", "packed"), NEVER))
    anna.does("Packed")

    anna.after(days=2)

    assert anna.outcome == "packed"


def test_what_comes_more_often_than_the_cap_is_kept_to_the_last_and_that_is_noted() -> None:
    seen = "wait: {any: [{on: Seen, when: event.properties.page == 1}], until: 1h, late: [{finish: forgotten}]}"
    anna = entered(on("wait: 1h", seen, "finish: found"))
    for page in range(1, 35):
        anna.does("Seen", page=page)

    anna.after(hours=2)

    assert anna.outcome == "forgotten"
    assert len(anna.state.mailbox) <= 32
    assert any(why.startswith("mailbox_full") for why in anna.why)
