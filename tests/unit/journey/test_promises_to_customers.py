"""What a customer was promised is kept, late or dropped, and each is known."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.journey.story import NOON, Run, entered, on

PARTS = {
    "keep": "{departs: event.properties.departs, cancelled: 'false'}",
    "whenever": "[{on: Delayed, do: [{set: {run.departs: event.properties.departs}}]}, "
    "{on: Cancelled, do: [{set: {run.cancelled: 'true'}}]}]",
}
TOMORROW = NOON + timedelta(days=1)


def promised(*steps: str, more: str = "") -> Run:
    made = f"promise: {{as: bag, text: Your bag flies with you, by: run.departs, kept_by: {{on: Bag Loaded}}{more}}}"
    return entered(
        on(made, *(steps or ("wait: 9d", "finish: done")), **PARTS), departs="2026-03-03T12:00:00Z"
    )


def states(run: Run) -> list[str]:
    return [state for name, state in run.promises if name == "bag"]


def test_a_promise_does_not_hold_up_the_journey() -> None:
    assert promised("finish: done").outcome == "done"


def test_a_promise_is_kept() -> None:
    anna = promised().does("Bag Loaded")

    assert states(anna) == ["open", "kept"]
    assert anna.state.promises == []


def test_a_promise_is_kept_across_stages_and_waits_that_look_elsewhere() -> None:
    anna = promised(
        "wait: {any: [{on: Checked In}], until: 1h}",
        "wait: {any: [{on: Bag Loaded}], until: 2h}",
        "wait: 9d",
        "finish: done",
    )
    anna.does("Checked In").does("Bag Loaded")

    assert states(anna) == ["open", "kept"]


def test_a_promise_is_late_and_what_is_done_then_is_done_at_once() -> None:
    anna = promised(more=", late: [{send: {message: sorry, purpose: service}}]")

    anna.until(TOMORROW)

    assert states(anna) == ["open", "late"]
    assert anna.messages == ["sorry"]
    assert anna.outcome is None


def test_a_late_promise_is_late_once() -> None:
    anna = promised(more=", late: [{send: {message: sorry, purpose: service}}]")
    anna.until(TOMORROW)

    anna.does("Delayed", departs="2026-03-05T12:00:00Z")
    anna.after(days=5)

    assert anna.messages == ["sorry"]


def test_a_late_promise_may_still_be_kept() -> None:
    anna = promised()
    anna.until(TOMORROW)

    anna.does("Bag Loaded")

    assert states(anna) == ["open", "late", "kept_late"]


def test_a_promise_moves_with_what_it_names() -> None:
    anna = promised().does("Delayed", departs="2026-03-05T12:00:00Z")
    assert anna.records[-1].promises[0].by == datetime(2026, 3, 5, 12, tzinfo=UTC)

    anna.until(TOMORROW)
    assert "late" not in states(anna)

    anna.after(days=2)
    assert states(anna)[-1] == "late"


def test_a_promise_that_is_no_longer_true_is_dropped_with_the_reason() -> None:
    anna = promised(more=", while: '!run.cancelled', because: the flight was cancelled").does(
        "Cancelled"
    )

    assert states(anna) == ["open", "dropped"]
    assert anna.records[-1].promises[0].reason == "the flight was cancelled"

    anna.after(days=2)
    assert states(anna) == ["open", "dropped"]


def test_a_promise_that_was_never_true_is_dropped_at_once() -> None:
    anna = promised(more=", while: run.cancelled == true")

    assert states(anna) == ["dropped"]


def test_what_is_open_at_the_end_is_dropped_and_what_is_late_is_broken() -> None:
    anna, ben = promised("wait: 1h", "finish: done"), promised("wait: 2d", "finish: done")

    anna.after(days=3)
    ben.after(days=3)

    assert states(anna) == ["open", "dropped"]
    assert states(ben) == ["open", "late", "broken"]


def test_a_touchpoint_that_is_here_keeps_the_promise_whose_time_passed_meanwhile() -> None:
    anna = promised(more=", late: [{send: {message: sorry, purpose: service}}]")
    anna.outage(days=2)

    anna.does("Bag Loaded")

    assert states(anna) == ["open", "kept"]
    assert anna.messages == []


def test_a_promise_asks_what_must_hold_of_the_touchpoint_that_keeps_it() -> None:
    made = "promise: {as: bag, text: Bag, by: 1d, kept_by: {on: Bag Loaded, when: 'event.properties.tag == \"A1\"'}}"
    anna = entered(on(made, "wait: 9d", "finish: done"))

    assert states(anna.does("Bag Loaded", tag="B2")) == ["open"]
    assert states(anna.does("Bag Loaded", tag="A1")) == ["open", "kept"]


def test_two_promises_are_told_apart() -> None:
    made = "promise: {{as: {name}, text: Soon, by: {by}, kept_by: {{on: {event}}}}}"
    first, second = (
        made.format(name="one", by="1d", event="A"),
        made.format(name="two", by="2d", event="B"),
    )
    anna = entered(on(first, second, "wait: 9d", "finish: done")).does("B")
    anna.after(days=3)

    assert anna.promises == [("one", "open"), ("two", "open"), ("two", "kept"), ("one", "late")]


def test_a_promise_whose_time_cannot_be_told_is_open_and_strands_nobody() -> None:
    made = "promise: {as: bag, text: Bag, by: run.departs, kept_by: {on: Bag Loaded}}"
    anna = entered(on(made, "wait: 1h", "finish: done", **PARTS))
    anna.after(hours=1)

    assert anna.outcome == "done"
    assert states(anna) == ["open", "dropped"]


ANSWER = (
    "promise: {as: answer, text: A person answers you, by: 4h, kept_when: run.answered == true%s}"
)
CASE = (
    "handoff: {as: care, queue: care, brief: Help,"
    " decisions: {answered: {do: [{set: {run.answered: 'true'}}]}, passed-on: {}}}"
)
ANSWERED = {"keep": "{answered: 'false'}"}


def test_a_promise_is_kept_by_what_staff_decided() -> None:
    anna = entered(on(ANSWER % "", CASE, "wait: 9d", "finish: done", **ANSWERED))

    anna.decides("answered")

    assert anna.promises == [("answer", "open"), ("answer", "kept")]
    assert "promise: kept: A person answers you" in anna.why


def test_a_decision_that_keeps_nothing_leaves_it_open_until_it_is_late() -> None:
    late = ", late: [{send: {message: sorry, purpose: service}}]"
    anna = entered(on(ANSWER % late, CASE, "wait: 9d", "finish: done", **ANSWERED))

    anna.decides("passed-on")
    anna.after(hours=4)

    assert anna.promises == [("answer", "open"), ("answer", "late")]
    assert anna.messages == ["sorry"]


def test_what_is_done_after_all_keeps_it_late() -> None:
    anna = entered(on(ANSWER % "", CASE, "wait: 9d", "finish: done", **ANSWERED))

    anna.after(hours=5)
    anna.decides("answered")

    assert [state for _, state in anna.promises] == ["open", "late", "kept_late"]


def test_what_was_done_before_it_was_promised_keeps_it_at_once() -> None:
    anna = entered(on(ANSWER % "", "wait: 9d", "finish: done", keep="{answered: 'true'}"))

    assert anna.promises == [("answer", "kept")]


def test_a_promise_that_nothing_can_keep_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"nothing can keep this promise → add kept_by: or kept_when:"
    ):
        on("promise: {as: answer, text: A person answers you, by: 4h}", "finish: done")
