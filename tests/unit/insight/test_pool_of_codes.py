"""A pool of codes is low where it has fewer left than were given in the last seven days."""

import pytest

from insight.pool_of_codes import PoolOfCodes


@pytest.mark.parametrize(
    ("left", "week", "low", "days"),
    [
        (0, 0, True, None),
        (0, 5, True, 0.0),
        (1, 0, False, None),
        (13, 14, True, 6.5),
        (14, 14, False, 7.0),
        (15, 14, False, 7.5),
    ],
)
def test_low_is_less_than_a_weeks_worth(
    left: int, week: int, low: bool, days: float | None
) -> None:
    pool = PoolOfCodes(left=left, week=week)
    assert (pool.low, pool.days) == (low, days)
