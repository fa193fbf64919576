"""A message goes out once, while it is of use, and what cannot go never loses the customer."""

from datetime import timedelta

import pytest

from journey.effects import Deliver
from journey.happenings import DeliveryAnswer
from journey.state import dump_state
from journey.touchpoint import HOLD_LIFTED
from tests.unit.journey.story import NOON, Run, deferred, entered, on

QUIET_UNTIL = NOON + timedelta(hours=9)


def sending(send: str, *steps: str, **parts: str) -> Run:
    journey = on(
        f"send: {{message: hello, purpose: service{send}}}", *steps, "finish: done", **parts
    )
    return entered(journey, busy=(Deliver,), departs="2026-03-03T12:00:00Z", zone="Europe/Prague")


DEPARTS = {
    "keep": "{departs: event.properties.departs}",
    "whenever": "[{on: Delayed, do: [{set: {run.departs: event.properties.departs}}]}]",
}


def test_good_for_counts_from_the_step() -> None:
    assert sending(", good_for: 12h").deliveries[0].expires == NOON + timedelta(hours=12)


def test_until_names_an_instant_and_the_earlier_end_counts() -> None:
    sent = sending(", until: run.departs", **DEPARTS).deliveries[0]
    assert sent.expires == NOON + timedelta(days=1)

    assert sending(", until: run.departs, good_for: 2h", **DEPARTS).deliveries[
        0
    ].expires == NOON + timedelta(hours=2)


def test_because_says_on_the_customers_clock_why_it_is_of_no_use() -> None:
    sent = sending(", until: run.departs, because: the flight left", **DEPARTS).deliveries[0]

    assert sent.expires_because == "the flight left 13:00"


def test_an_end_that_cannot_be_told_does_not_keep_the_message_back() -> None:
    anna = entered(
        on(
            "send: {message: hello, purpose: service, until: run.departs}",
            "finish: done",
            **DEPARTS,
        )
    )

    assert anna.messages == ["hello"]
    assert any(why.startswith("condition_error") for why in anna.why)


def test_a_message_names_the_one_it_corrects() -> None:
    first = "send: {id: first, message: gate, purpose: service}"
    anna = entered(
        on(first, "send: {message: gate-moved, purpose: service, replaces: first}", "finish: done")
    )

    assert anna.deliveries[1].replaces == anna.deliveries[0].n


def test_a_message_that_corrects_itself_names_the_previous_one() -> None:
    said = "[{on: Delayed, do: [{send: {id: delay, message: delay, purpose: service, replaces: delay}}]}]"
    anna = (
        entered(on("wait: 9d", "finish: done", whenever=said))
        .does("Delayed")
        .does("Delayed")
        .does("Delayed")
    )

    numbers = [sent.n for sent in anna.deliveries]
    assert [sent.replaces for sent in anna.deliveries] == [None, numbers[0], numbers[1]]


def test_a_deferred_message_goes_at_the_told_instant_under_its_own_number() -> None:
    anna = sending("")
    anna.answers(anna.deliveries[0], deferred(QUIET_UNTIL))
    assert anna.wakes_at == QUIET_UNTIL
    assert anna.waits_for == ("hello to go out at 2026-03-02 21:00 UTC",)

    anna.until(QUIET_UNTIL)

    assert [sent.n for sent in anna.deliveries] == [anna.deliveries[0].n] * 2


def test_a_message_may_be_deferred_again_and_again() -> None:
    anna = sending("")
    for day in range(1, 5):
        anna.answers(anna.deliveries[-1], deferred(NOON + timedelta(days=day)))
        anna.until(NOON + timedelta(days=day))
    anna.answers(anna.deliveries[-1])

    assert len({sent.n for sent in anna.deliveries}) == 1
    assert anna.outcome == "done"


def test_a_deferred_message_is_told_anew_when_it_goes() -> None:
    anna = sending(", until: run.departs, because: the flight left", **DEPARTS)
    anna.answers(anna.deliveries[0], deferred(QUIET_UNTIL))
    anna.does("Delayed", departs="2026-03-05T12:00:00Z")

    anna.until(QUIET_UNTIL)

    again = anna.deliveries[1]
    assert again.expires == NOON + timedelta(days=3)
    assert again.values["run"] == {"departs": "2026-03-05T12:00:00Z"}


def test_good_for_still_counts_from_the_step_when_a_message_was_deferred() -> None:
    anna = sending(", good_for: 12h")
    anna.answers(anna.deliveries[0], deferred(QUIET_UNTIL))

    anna.until(QUIET_UNTIL)

    assert anna.deliveries[1].expires == NOON + timedelta(hours=12)


def test_deferred_without_an_instant_is_not_sent_and_nothing_is_left_over() -> None:
    anna = sending("", "wait: 1d")

    anna.answers(anna.deliveries[0], DeliveryAnswer(state="deferred", reason="odd"))

    assert anna.state.outstanding == {}
    assert anna.wakes_at == NOON + timedelta(days=1)


def test_a_late_second_answer_to_a_deferred_message_changes_nothing() -> None:
    anna = sending("")
    anna.answers(anna.deliveries[0], deferred(QUIET_UNTIL))
    before = dump_state(anna.state)

    anna.answers(anna.deliveries[0])

    assert dump_state(anna.state) == before


def test_an_answer_that_comes_twice_counts_once() -> None:
    anna = sending("", "send: {message: second, purpose: service}")
    first = anna.deliveries[0]

    anna.answers(first)
    anna.answers(first)

    assert anna.messages == ["hello", "second"]
    assert anna.outcome is None


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (DeliveryAnswer(state="accepted", channel="sms"), "sent: hello sent by sms"),
        (
            DeliveryAnswer(state="refused", reason="no_consent"),
            "not_sent: hello not sent: no_consent",
        ),
        (
            DeliveryAnswer(state="refused", reason="expired", words="landed 14:02"),
            "not_sent: hello not sent: expired: landed 14:02",
        ),
        (
            DeliveryAnswer(state="unknown"),
            "unknown: hello: nobody can tell whether it left; not sent again",
        ),
    ],
)
def test_whatever_becomes_of_a_message_the_journey_goes_on_and_says_why(
    answer: DeliveryAnswer, why: str
) -> None:
    anna = sending("")

    anna.answers(anna.deliveries[0], answer)

    assert anna.outcome == "done"
    assert why in anna.why


def test_a_failure_is_recorded_and_the_journey_goes_on() -> None:
    anna = sending("")

    anna.fails(anna.deliveries[0])

    assert anna.outcome == "done"
    assert "failed: hello: MessageRejectedError: no such template" in anna.why


def test_a_failure_takes_the_steps_under_on_failure() -> None:
    anna = sending(", on_failure: [{send: {message: plain, purpose: service}}]")

    anna.fails(anna.deliveries[0])
    anna.answers(anna.deliveries[1])

    assert anna.messages == ["hello", "plain"]
    assert anna.outcome == "done"


def test_on_failure_may_end_the_run() -> None:
    anna = sending(", on_failure: [{finish: failed}]")

    anna.fails(anna.deliveries[0])

    assert anna.outcome == "failed"


def test_a_failure_stops_the_run_until_it_is_resumed() -> None:
    anna = sending(", on_failure: stop")
    anna.fails(anna.deliveries[0])
    assert anna.stopped == "hello: MessageRejectedError: no such template"
    assert anna.records[-1].needs_attention == anna.stopped

    anna.answers(anna.deliveries[0])
    assert anna.stopped, "an answer that comes after the failure is of the past"

    anna.resumes()
    assert anna.stopped is None
    assert [sent.n for sent in anna.deliveries] == [anna.deliveries[0].n] * 2

    anna.answers(anna.deliveries[1])
    assert anna.outcome == "done"


def test_resuming_a_run_that_is_not_stopped_changes_nothing() -> None:
    anna = sending("", "wait: 1d")
    before = dump_state(anna.state)

    anna.resumes()

    assert dump_state(anna.state) == before


def test_a_message_knows_what_the_run_keeps_and_what_met_it() -> None:
    sent = sending("", keep="{departs: event.properties.departs}").deliveries[0]

    assert sent.values["run"] == {"departs": "2026-03-03T12:00:00Z"}
    assert sent.values["event"] == {
        "name": "Began",
        "timestamp": "2026-03-02T12:00:00Z",
        "properties": {"departs": "2026-03-03T12:00:00Z"},
    }


HELD = DeliveryAnswer(
    state="deferred", reason="held_by: the customer is in complaint", until=NOON + timedelta(days=1)
)


def test_a_held_message_is_asked_for_again_as_soon_as_what_held_it_has_ended() -> None:
    run = sending("")
    [asked] = run.deliveries
    run.answers(asked, HELD)
    assert len(run.deliveries) == 1

    run.does(HOLD_LIFTED)

    assert [each.n for each in run.deliveries] == [asked.n, asked.n]


def test_a_hold_that_ends_while_its_answer_is_on_the_way_keeps_nothing_waiting() -> None:
    run = sending("")
    [asked] = run.deliveries
    run.does(HOLD_LIFTED)

    run.answers(asked, HELD)

    assert [each.n for each in run.deliveries] == [asked.n, asked.n]


STOPPED = DeliveryAnswer(
    state="deferred", reason="stopped: everything is stopped", until=NOON + timedelta(days=1)
)


def test_a_stopped_message_is_asked_for_again_as_soon_as_the_stop_is_lifted() -> None:
    run = sending("")
    [asked] = run.deliveries
    run.answers(asked, STOPPED)

    run.does(HOLD_LIFTED)

    assert [each.n for each in run.deliveries] == [asked.n, asked.n]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (DeliveryAnswer(state="accepted", channel="sms"), "told-by-sms"),
        (DeliveryAnswer(state="refused", reason="unreachable"), "unreachable"),
        (DeliveryAnswer(state="refused", reason="capped"), "other"),
    ],
)
def test_a_run_goes_the_way_that_became_of_its_message(
    answer: DeliveryAnswer, outcome: str
) -> None:
    choose = (
        "choose: [{when: \"told.channel == 'sms'\", do: [{finish: told-by-sms}]},"
        " {when: \"told.reason == 'unreachable'\", do: [{finish: unreachable}]},"
        " {otherwise: [{finish: other}]}]"
    )
    send = "send: {message: hello, purpose: service, via: [sms, email], as: told, topic: news, priority: 7}"
    run = entered(on(send, choose), busy=(Deliver,))
    [asked] = run.deliveries
    assert (asked.topic, asked.priority) == ("news", 7)

    run.answers(asked, answer)

    assert run.state.outcome == outcome
