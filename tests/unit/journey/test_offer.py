"""A coupon is given once, used once, and worth nothing when its time or the journey is over."""

from datetime import timedelta

import pytest

from journey.effects import GrantOffer
from journey.happenings import OfferAnswer
from tests.unit.journey.story import NOON, Run, entered, on, program

USED = (
    "{on: Ordered, when: 'has(event.properties.coupon) && event.properties.coupon == thanks.code'}"
)
OFFER = f"offer: {{coupon: thanks, expires: 14d, redeemed_by: {USED}, refused: [{{finish: none-left}}]}}"


def offering(*steps: str, busy: tuple[type, ...] = (), **parts: str) -> Run:
    return entered(on(*(steps or (OFFER, "wait: 30d", "finish: done")), **parts), busy=busy)


def state_of(run: Run, name: str = "thanks") -> object:
    result = run.state.results[name]
    assert isinstance(result, dict)
    return result["state"]


def test_a_coupon_is_asked_for_with_the_end_of_its_worth() -> None:
    [coupon] = offering().coupons

    assert (coupon.offer, coupon.expires) == ("thanks", NOON + timedelta(days=14))
    assert (coupon.amount, coupon.not_since) == (None, None)


def test_its_code_is_known_to_what_follows() -> None:
    anna = offering(OFFER, "send: {message: here-it-is, purpose: service}", "finish: done")

    coupon = anna.message_values[0]["thanks"]
    assert coupon == {
        "code": "CODE-2",
        "amount": None,
        "expires": "2026-03-16T12:00:00Z",
        "state": "open",
    }


def test_what_it_is_worth_may_be_decided_by_the_journey() -> None:
    offer = (
        f"offer: {{coupon: help-code, as: c, amount: run.owed, expires: 1d, redeemed_by: {USED}}}"
    )
    offer = offer.replace("thanks.code", "c.code")

    anna = entered(on(offer, "finish: done", keep="{owed: event.properties.owed}"), owed=12.5)

    assert anna.coupons[0].amount == 12.5


@pytest.mark.parametrize("owed", ["much", True, None])
def test_a_worth_that_is_no_number_is_noted_and_left_to_the_offer(owed: object) -> None:
    offer = OFFER.replace("expires:", "amount: run.owed, expires:")

    anna = entered(on(offer, "finish: done", keep="{owed: event.properties.owed}"), owed=owed)

    assert anna.coupons[0].amount is None
    if owed is not None:
        assert any(why.startswith("condition_error") for why in anna.why)


def test_the_same_customer_gets_no_second_one_so_soon() -> None:
    anna = offering(OFFER.replace("expires:", "again: 3mo, expires:"), "finish: done")

    assert anna.coupons[0].not_since == NOON.replace(year=2025, month=12)


def test_who_gets_none_takes_what_is_said_for_that() -> None:
    anna = offering(busy=(GrantOffer,))

    anna.answers(anna.coupons[0], OfferAnswer(code=None, reason="none are left"))

    assert (anna.outcome, state_of(anna)) == ("none-left", "refused")
    assert "no_offer: no thanks: none are left" in anna.why


def test_it_is_redeemed_by_an_order_that_names_its_code() -> None:
    anna = offering()
    anna.does("Ordered", coupon="ANOTHER").does("Ordered")
    assert (state_of(anna), anna.settled) == ("open", [])

    anna.does("Ordered", coupon="CODE-2")

    assert (state_of(anna), anna.settled) == ("redeemed", [(2, "redeemed")])


def test_it_is_redeemed_once() -> None:
    anna = offering()
    anna.does("Ordered", coupon="CODE-2").does("Ordered", coupon="CODE-2")

    assert anna.settled == [(2, "redeemed")]


def test_it_is_worth_nothing_when_its_time_is_over() -> None:
    anna = offering()
    anna.after(days=14)
    anna.does("Ordered", coupon="CODE-2")

    assert (state_of(anna), anna.settled) == ("expired", [(2, "expired")])


def test_its_end_stays_as_it_was_given_though_what_it_named_has_moved() -> None:
    offer = OFFER.replace("expires: 14d", "expires: run.ends")
    moved = "[{on: Moved, do: [{set: {run.ends: event.properties.to}}]}]"
    journey = on(
        offer, "wait: 30d", "finish: done", keep="{ends: event.properties.ends}", whenever=moved
    )
    anna = entered(journey, ends="2026-03-10T12:00:00Z")

    anna.does("Moved", to="2026-03-04T12:00:00Z")
    anna.after(days=5)

    assert state_of(anna) == "open"


def test_the_journey_can_see_that_it_was_used() -> None:
    used = "[{when: \"thanks.state == 'redeemed'\", do: [{send: {message: thanks, purpose: service}}]}]"
    anna = offering(whenever=used)

    anna.does("Ordered", coupon="CODE-2")

    assert anna.messages == ["thanks"]


def test_an_exit_makes_it_void() -> None:
    anna = offering(exit="[{on: Left, outcome: left}]").does("Left")

    assert (anna.outcome, state_of(anna)) == ("left", "voided")
    assert anna.settled == [(2, "voided")]


def test_an_order_that_ends_the_journey_and_names_its_code_redeems_it() -> None:
    anna = offering(exit="[{on: Ordered, outcome: bought}]").does("Ordered", coupon="CODE-2")

    assert (anna.outcome, anna.settled) == ("bought", [(2, "redeemed")])


def test_it_lives_on_when_the_journey_ends_as_it_should() -> None:
    anna = offering(OFFER, "finish: done")

    assert (anna.outcome, anna.settled) == ("done", [])
    assert anna.state.finished


def test_a_customer_who_is_told_to_leave_keeps_no_coupon() -> None:
    anna = offering()

    anna.leaves()

    assert anna.settled == [(2, "voided")]


def test_a_coupon_that_comes_when_the_journey_has_ended_is_void() -> None:
    anna = offering(busy=(GrantOffer,), exit="[{on: Left, outcome: left}]").does("Left")

    anna.answers(anna.coupons[0])

    assert anna.settled == [(2, "voided")]
    assert anna.state.finished


def test_it_lives_on_when_the_journey_goes_to_another_stage() -> None:
    journey = program(
        f"""
stages:
  - stage: one
    steps:
      - {OFFER}
      - go: two
  - stage: two
    steps:
      - wait: 30d
      - finish: done
"""
    )
    anna = entered(journey).does("Ordered", coupon="CODE-2")

    assert (anna.stage, anna.settled) == ("two", [(2, "redeemed")])


def test_a_coupon_that_cannot_be_had_leaves_the_customer_where_they_are() -> None:
    anna = offering(busy=(GrantOffer,))

    anna.fails(anna.coupons[0])

    assert state_of(anna) == "failed"
    assert anna.waits_for == ("until 2026-04-01 12:00 UTC",)


TWICE = (
    f"repeat: {{at_most: 2, do: [{{{OFFER}}}, {{wait: 1d}}]}}",
    "wait: 30d",
    "finish: done",
)


def test_two_coupons_of_one_step_are_used_each_by_its_own_code() -> None:
    anna = offering(*TWICE)
    anna.after(days=1)
    first, second = (coupon.n for coupon in anna.coupons)

    anna.does("Ordered", coupon=f"CODE-{second}")
    assert anna.settled == [(second, "redeemed")]

    anna.does("Ordered", coupon=f"CODE-{first}")
    assert anna.settled == [(second, "redeemed"), (first, "redeemed")]


def test_the_result_tells_of_the_coupon_that_was_given_last() -> None:
    anna = offering(*TWICE)
    anna.after(days=14)

    assert anna.settled == [(anna.coupons[0].n, "expired")]
    assert state_of(anna) == "open"
