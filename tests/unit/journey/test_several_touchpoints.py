"""A wait for a touchpoint that must come several times, or for several that must all come."""

import pytest

from journey.state import dump_state, load_state
from tests.unit.journey.story import entered, on

THRICE = (
    "wait: {any: [{on: Page Viewed, times: 3, within: 1h, do: [{finish: eager}]}], until: 7d,"
    " late: [{finish: calm}]}"
)
BOTH = "wait: {all: [{on: Paid}, {on: Signed}], until: 7d, late: [{finish: half}]}"


def test_the_third_view_within_the_hour_is_what_counts() -> None:
    anna = entered(on(THRICE))

    anna.does("Page Viewed").does("Page Viewed")
    assert anna.outcome is None
    assert anna.waits_for[0].startswith("3 × Page Viewed within 1h until")
    anna.does("Page Viewed")

    assert anna.outcome == "eager"


def test_views_that_are_too_far_apart_do_not_count_together() -> None:
    anna = entered(on(THRICE))

    for _ in range(6):
        anna.does("Page Viewed")
        anna.after(minutes=31)

    assert anna.outcome is None
    anna.does("Page Viewed").does("Page Viewed")
    assert anna.outcome == "eager"


def test_a_redelivered_view_counts_once() -> None:
    anna = entered(on(THRICE))

    for _ in range(5):
        anna.does("Page Viewed", message_id="the-same")

    assert anna.outcome is None


def test_what_came_before_the_wait_began_counts_too() -> None:
    steps = "wait: {any: [{on: Ready}], until: 1d}", THRICE
    anna = entered(on(*steps))

    anna.does("Ready").does("Page Viewed").does("Page Viewed").does("Page Viewed")

    assert anna.outcome == "eager"


@pytest.mark.parametrize("order", [("Paid", "Signed"), ("Signed", "Paid")])
def test_all_must_come_in_any_order(order: tuple[str, str]) -> None:
    anna = entered(on(BOTH, "finish: done"))

    anna.does(order[0]).does(order[0])
    assert anna.outcome is None
    assert anna.waits_for[0].startswith(order[1])
    anna.does(order[1])

    assert anna.outcome == "done"


def test_who_does_half_of_it_is_late() -> None:
    anna = entered(on(BOTH, "finish: done")).does("Paid")

    anna.after(days=8)

    assert anna.outcome == "half"
    assert any("not all came" in why for why in anna.why)


def test_one_touchpoint_may_be_two_of_those_that_must_come() -> None:
    wait = "wait: {all: [{on: Paid, times: 2}, {on: Paid, when: 'event.properties.big == true'}], until: 7d}"
    anna = entered(on(wait, "finish: done"))

    anna.does("Paid", big=True)
    assert anna.outcome is None
    anna.does("Paid", big=False)

    assert anna.outcome == "done"


def test_what_was_counted_is_carried_on() -> None:
    anna = entered(on(THRICE)).does("Page Viewed").does("Page Viewed")

    anna.state = load_state(dump_state(anna.state))
    anna.does("Page Viewed")

    assert anna.outcome == "eager"
