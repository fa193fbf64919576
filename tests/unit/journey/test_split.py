"""Customers are divided by lot, always the same way, and who is held out really gets nothing."""

from collections import Counter

import pytest

from journey.steps.split import Split
from tests.unit.journey.story import Run, entered, on

SEND = "{send: {message: coupon, purpose: marketing}}"
TRIED = (
    "split: {name: tried, arms: [{arm: control, weight: 1, hold_out: true},"
    f" {{arm: coupon, weight: 3, do: [{SEND}]}}]}}"
)
AFTER = "choose: [{when: \"tried.arm == 'coupon'\", do: [{finish: tempted}]}]"


def of(customer: str) -> Run:
    return entered(
        on(TRIED, AFTER, "send: {message: news, purpose: marketing}", "finish: left"),
        customer=customer,
    )


def test_the_same_customer_goes_the_same_way_every_time() -> None:
    ways = {customer: of(customer).outcome for customer in (f"c{n}" for n in range(40))}

    assert {of(customer).outcome for customer in ways for _ in range(2)} == {"tempted", "left"}
    assert ways == {customer: of(customer).outcome for customer in ways}


def test_arms_get_their_share() -> None:
    journey = on(TRIED, "finish: done")
    [split] = [node.step for node in journey.nodes.values() if isinstance(node.step, Split)]

    drawn = Counter(split.drawn(journey.journey, f"customer-{n}").arm for n in range(20_000))

    assert drawn["coupon"] / 20_000 == pytest.approx(0.75, abs=0.01)


def test_the_arm_is_on_record_and_can_be_asked_for() -> None:
    tempted = next(run for run in (of(f"c{n}") for n in range(40)) if run.outcome == "tempted")

    assert "arm: coupon of tried" in tempted.why
    assert tempted.messages == ["coupon"]


def test_who_is_held_out_gets_nothing_from_there_on() -> None:
    held = next(run for run in (of(f"c{n}") for n in range(40)) if run.outcome == "left")

    assert held.state.held_out
    assert "arm: control of tried" in held.why


def test_another_name_draws_anew() -> None:
    one, other = on(TRIED, "finish: done"), on(TRIED.replace("tried", "again"), "finish: done")
    steps = [
        next(n.step for n in p.nodes.values() if isinstance(n.step, Split)) for p in (one, other)
    ]
    customers = [f"c{n}" for n in range(200)]

    same = sum(
        len({step.drawn("tale", customer).arm for step in steps}) == 1 for customer in customers
    )

    assert 80 < same < 180


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (TRIED.replace("arm: control", "arm: coupon"), "arm 'coupon' is there twice"),
        (TRIED.replace("weight: 1", "weight: 0"), "greater than 0"),
        (TRIED.replace(", arms", ", by: stars, arms"), "'hash'"),
    ],
)
def test_a_split_that_means_nothing_is_refused(wrong: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        on(wrong, "finish: done")
