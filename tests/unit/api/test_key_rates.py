"""One sender that goes mad is asked to come again, and no other sender notices."""

import pytest

from api.key_rates import BURST_SECONDS, KeyRates
from api.refusals import RefusedRequestError


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def refused(rates: KeyRates, name: str, messages: int) -> RefusedRequestError:
    with pytest.raises(RefusedRequestError) as refusal:
        rates.take(name, messages)
    return refusal.value


def test_who_sends_too_much_is_told_when_to_come_again(clock: Clock) -> None:
    rates = KeyRates(5, clock)
    rates.take("shop", 5 * BURST_SECONDS)

    refusal = refused(rates, "shop", 12)

    assert (refusal.status, refusal.retry_after) == (429, 3)
    clock.now += 3
    rates.take("shop", 12)
    refused(rates, "shop", 4)


def test_another_key_is_not_asked_to_wait(clock: Clock) -> None:
    rates = KeyRates(5, clock)
    rates.take("mad", 5 * BURST_SECONDS)
    refused(rates, "mad", 1)

    rates.take("shop", 5)


def test_a_batch_larger_than_a_burst_passes_once_and_is_paid_for(clock: Clock) -> None:
    rates = KeyRates(1, clock)
    rates.take("shop", 25)

    refused(rates, "shop", 1)
    clock.now += 15
    refused(rates, "shop", 1)
    clock.now += 1
    rates.take("shop", 1)


def test_zero_is_no_limit(clock: Clock) -> None:
    KeyRates(0, clock).take("shop", 10**9)


def test_however_many_names_there_are_as_many_are_remembered(clock: Clock) -> None:
    rates = KeyRates(1, clock)
    for n in range(10_100):
        rates.take(f"n{n}", 10)
    rates.take("n0", 10)
    refused(rates, "n10099", 10)
