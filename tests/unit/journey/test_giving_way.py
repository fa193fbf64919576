"""A run that gives way to another one of the same customer ends at once, and keeps nothing for itself."""

from journey.effects import Deliver
from journey.happenings import Arrived
from journey.touchpoint import MERGED
from tests.unit.journey.story import Run, entered, on

INTO = {"into": "journey/j/c_other"}


def gives_way(anna: Run, *others: str) -> list[str]:
    """What it hands on, in order."""
    came = [anna.told(MERGED, **INTO), *(anna.told(each) for each in others)]
    return [each.event for each in anna.happens(Arrived(touchpoints=tuple(came))).late]


def test_it_ends_as_merged_in_the_middle_of_a_wait_and_says_who_goes_on() -> None:
    anna = entered(on("wait: {any: [{on: Paid}], until: 3d}", "finish: done"))

    gives_way(anna)

    assert (anna.outcome, anna.messages, anna.state.finished) == ("merged", [], True)
    assert "finished: two customers became one: journey/j/c_other goes on" in anna.why


def test_what_is_done_at_an_exit_is_not_done_as_the_customer_has_not_left() -> None:
    bye = "[{send: {message: bye, purpose: service}}]"
    anna = entered(on("wait: 3d", "finish: done", on_exit=bye))

    gives_way(anna)

    assert (anna.outcome, anna.messages, anna.state.finished) == ("merged", [], True)


def test_it_wins_over_an_exit_that_came_with_it_which_the_other_run_gets() -> None:
    anna = entered(on("wait: 3d", "finish: done", exit="[{on: Bought, outcome: bought}]"))

    assert gives_way(anna, "Bought") == ["Bought"]
    assert anna.outcome == "merged"


def test_it_hands_on_what_nothing_has_looked_at_and_keeps_what_met_it() -> None:
    steps = ("wait: {any: [{on: Paid}], until: 3d}", "wait: {any: [{on: Sent}], until: 9d}")
    anna = entered(on(*steps, "wait: {any: [{on: Came}], until: 9d}", "finish: done"))
    anna.does("Paid")
    anna.does("Came")

    assert gives_way(anna, "Sent") == ["Came", "Sent"]


def test_its_coupon_is_void_and_its_case_is_closed() -> None:
    offer = "offer: {coupon: ten, expires: 9d, redeemed_by: {on: Used}}"
    handoff = "handoff: {queue: sales, brief: x, decisions: {done: {}}}"
    anna = entered(on(offer, handoff, "finish: done"))
    assert (len(anna.coupons), len(anna.cases)) == (1, 1)

    gives_way(anna)

    assert [state for _, state in anna.settled] == ["voided"]
    assert anna.closed == [anna.cases[0].n]
    assert anna.state.finished


def test_a_message_on_its_way_is_called_off() -> None:
    anna = entered(on("send: {message: hello, purpose: service}", "finish: done"), busy=(Deliver,))

    gives_way(anna)

    assert anna.outcome == "merged"
    assert not anna.state.outstanding
