"""The other half of the seeds that each change lives through, beside the first."""

from tests.simulation.test_seeds import CI, RARE, holds


def test_whatever_happens_in_the_next_seeds_nothing_is_lost_or_done_twice() -> None:
    holds(CI, first=CI, never=RARE)
