"""What is shown as friction is more than chance, and large enough to matter; what is not, is not shown."""

import random
from collections import Counter
from math import floor, log2

import pytest

from insight.friction import (
    BUCKETS_AN_OCTAVE,
    StepFigures,
    frictions,
    least_difference,
    mann_whitney,
    median_seconds,
    quantile_seconds,
    wilson,
)


def stays(chance: random.Random, many: int, median: float) -> Counter[int]:
    """So many stays, as they usually are: their logarithm is normal."""
    lasted = [median * 2 ** chance.gauss(0, 1.5) for _ in range(many)]
    return Counter(max(0, floor(log2(max(each, 1)) * BUCKETS_AN_OCTAVE)) for each in lasted)


def step(
    many: int, *, left: int = 0, failed: int = 0, lasted: Counter[int] | None = None
) -> StepFigures:
    return StepFigures(
        came=many, went=many, left=left, passed=many, failed=failed, stays=lasted or Counter()
    )


def test_intervals_are_those_of_the_papers() -> None:
    """Wilson: 81 of 263 at 95 % (Newcombe 1998a, table I); differences: method 10 of Newcombe 1998b, table II."""
    low, high = wilson(81, 263, 1.959964)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert least_difference(56, 70, 48, 80, 1.959964) == pytest.approx(0.0524, abs=5e-5)
    assert least_difference(9, 10, 3, 10, 1.959964) == pytest.approx(0.1705, abs=5e-5)
    assert least_difference(10, 10, 0, 20, 1.959964) == pytest.approx(0.6791, abs=5e-5)


def test_the_rank_test_knows_ties() -> None:
    """U = 24.5 of 5 × 6, with ties, by hand; z from U, its mean 15 and its variance 28.909."""
    one, other = Counter({5: 2, 7: 1, 8: 2}), Counter({2: 2, 3: 2, 5: 1, 8: 1})
    pairs = [(a > b) + (a == b) / 2 for a in one.elements() for b in other.elements()]
    mean, ties = 15, sum(t**3 - t for t in (2, 2, 3, 1, 3))
    variance = 30 / 12 * (12 - ties / 110)
    assert mann_whitney(one, other) == pytest.approx((sum(pairs) - mean) / variance**0.5)
    assert mann_whitney(other, one) == pytest.approx(-mann_whitney(one, other))
    assert mann_whitney(Counter({3: 9}), Counter({3: 4})) == 0


def test_a_length_is_told_to_a_tenth() -> None:
    for seconds in (1, 59, 3_600, 86_400, 31_536_000):
        told = median_seconds({floor(log2(seconds) * BUCKETS_AN_OCTAVE): 9})
        assert told == pytest.approx(seconds, rel=0.1)
    assert quantile_seconds({0: 9, 40: 1}, 0.9) == pytest.approx(1.09, rel=0.01)
    assert quantile_seconds({0: 8, 40: 2}, 0.9) == pytest.approx(1_117, rel=0.01)
    assert median_seconds({}) is None


def test_who_stands_twice_as_long_as_last_month_is_shown_with_the_figures() -> None:
    chance = random.Random(1)
    now = {"offer/2": step(400, lasted=stays(chance, 400, 7_200))}
    past = {"offer/2": step(1_600, lasted=stays(chance, 1_600, 3_600))}

    [found] = frictions(now, past)

    assert (found.address, found.what, found.against) == ("offer/2", "slower", "past")
    assert found.now == pytest.approx(7_200, rel=0.25)
    assert found.before == pytest.approx(3_600, rel=0.25)
    assert (found.of_now, found.of_before) == (400, 1_600)


def test_a_step_that_loses_more_than_the_other_ways_is_shown() -> None:
    now = {"split/a/0": step(500, left=200), "split/b/0": step(480, left=60)}
    siblings = {"split/a/0": ["split/b/0"], "split/b/0": ["split/a/0"]}

    [found] = frictions(now, {}, siblings)

    assert (found.address, found.what, found.against) == ("split/a/0", "leaving", "siblings")
    assert (found.now, found.before) == (0.4, 0.125)


@pytest.mark.parametrize(
    ("what", "bad", "good"),
    [
        ("failing", StepFigures(passed=300, failed=90), StepFigures(passed=900, failed=9)),
        ("returning", StepFigures(came=300, returned=90), StepFigures(came=900, returned=9)),
        ("repeating", StepFigures(reacted=210, repeated=90), StepFigures(reacted=890, repeated=9)),
    ],
)
def test_failures_returns_and_repetitions_count(
    what: str, bad: StepFigures, good: StepFigures
) -> None:
    assert [each.what for each in frictions({"a/0": bad}, {"a/0": good})] == [what]
    assert frictions({"a/0": good}, {"a/0": bad}) == []


def test_a_few_customers_show_nothing_however_they_fare() -> None:
    assert frictions({"a/0": step(4, left=3)}, {"a/0": step(5, left=1)}) == []


def test_a_sure_but_small_difference_is_not_shown() -> None:
    chance = random.Random(2)
    now = {"a/0": step(1_000_000, left=101_000, lasted=stays(chance, 50_000, 4_000))}
    past = {"a/0": step(1_000_000, left=100_000, lasted=stays(chance, 50_000, 3_600))}
    assert mann_whitney(now["a/0"].stays, past["a/0"].stays) > 5
    assert frictions(now, past) == []


def test_where_nothing_changed_hardly_ever_something_is_shown() -> None:
    """400 weeks of a journey of eight steps in which all is as it was: of a thousand, one may tell something."""
    chance = random.Random(3)

    def week(many: int) -> dict[str, StepFigures]:
        return {
            f"stage/{n}": step(
                many,
                left=sum(chance.random() < 0.1 for _ in range(many)),
                lasted=stays(chance, many, 3_600),
            )
            for n in range(8)
        }

    past = week(400)
    wrong = sum(bool(frictions(week(60), past)) for _ in range(400))
    assert wrong <= 4
