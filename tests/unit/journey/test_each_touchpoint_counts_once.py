"""However often and by whomever a touchpoint is sent, the run lives through it once."""

import pytest

from journey.arrivals import SEEN
from journey.state import dump_state
from tests.unit.journey.story import NOON, Run, entered, on, touched

COUNTING = on(
    "wait: 9d",
    "finish: counted",
    keep="{count: '0'}",
    whenever="[{on: Seen, do: [{set: {run.count: run.count + 1}}]}]",
)


def count(run: Run) -> object:
    return run.state.values["count"]


def test_a_number_that_was_seen_does_not_count_again() -> None:
    anna = entered(COUNTING)
    for number in (1, 2, 2, 1, 3, 3):
        anna.does("Seen", f"id-{number}", number=number)

    assert count(anna) == 3
    assert len(anna.refused) == 3


def test_a_gap_in_the_numbers_is_no_reason_to_wait() -> None:
    anna = entered(COUNTING)

    anna.does("Seen", number=4).does("Seen", number=90)

    assert count(anna) == 2


def test_what_is_redelivered_within_one_drain_counts_once() -> None:
    anna = entered(COUNTING)
    first, second = anna.told("Seen", number=1), anna.told("Seen", number=2)

    anna.together(first, second, first, second)

    assert count(anna) == 2


def test_a_redelivery_changes_nothing_at_all() -> None:
    anna = entered(COUNTING).does("Seen", "mine").does("Seen", number=5)
    before = dump_state(anna.state)

    anna.does("Seen", "mine").does("Seen", number=5)

    assert dump_state(anna.state) == before


def test_the_entering_touchpoint_does_not_come_again() -> None:
    first = touched("Seen", "first", NOON, number=3)
    anna = entered(COUNTING, first).does("Seen", "first", number=3).does("Began", "m-0")

    assert count(anna) == 1


def test_a_message_id_of_a_foreign_sender_counts_once() -> None:
    anna = entered(COUNTING).does("Seen", "a").does("Seen", "b").does("Seen", "a")

    assert count(anna) == 2


def test_what_a_foreign_sender_told_first_does_not_count_again_when_the_router_brings_it() -> None:
    anna = (
        entered(COUNTING).does("Seen", "a").does("Seen", "a", number=1).does("Seen", "b", number=2)
    )

    assert count(anna) == 2


def test_numbers_and_foreign_ids_do_not_get_in_each_others_way() -> None:
    anna = entered(COUNTING)
    for number in range(1, 6):
        anna.does("Seen", f"routed-{number}", number=number).does("Seen", f"foreign-{number}")

    assert count(anna) == 10


def test_the_memory_of_foreign_ids_is_bounded_and_holds_the_last_ones() -> None:
    anna = entered(COUNTING)
    told = SEEN + 100
    anna.together(*(anna.told("Seen", f"id-{index}") for index in range(told)))
    assert len(anna.state.seen) == SEEN

    anna.together(*(anna.told("Seen", f"id-{index}") for index in range(told - SEEN + 1, told)))

    assert count(anna) == told


def test_what_a_version_does_not_listen_to_is_refused_in_words_and_costs_nothing() -> None:
    anna = entered(COUNTING)
    before = anna.state.arrivals

    anna.does("Never Heard Of")

    assert "does not listen" in anna.refused[0]
    assert anna.state.arrivals == before


def test_what_comes_after_the_end_is_refused() -> None:
    anna = entered(on("finish: over"))

    anna.does("Seen")

    assert anna.refused == ["Seen m-1: the journey has ended"]


@pytest.mark.parametrize(
    "step",
    [
        "wait: {any: [{on: Paid, when: customer.vip == true}], until: 9d}",
        "offer: {coupon: ten, expires: 9d, redeemed_by: {on: Paid, when: customer.vip == true}}",
        "promise: {as: p, text: Soon, by: 9d, kept_by: {on: Paid, when: customer.vip == true}}",
        "ask: {survey: s, type: nps, as: s, purpose: service, until: 9d, "
        "answered_by: {on: Paid, when: customer.vip == true, score: '9'}}",
    ],
)
def test_what_cannot_be_told_of_a_touchpoint_is_noted_once_however_often_one_looks(
    step: str,
) -> None:
    later = "wait: {any: [{on: Seen}, {on: Paid, when: 'false'}], until: 9d}"
    anna = entered(on(step, later, later, "finish: done"))

    anna.does("Paid").does("Seen").does("Seen")

    noted = [why for why in anna.why if why.startswith("condition_error")]
    assert len(noted) == 1
