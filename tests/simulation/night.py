"""A night of seeds, in portions that processes of their own live through."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context

from tests.simulation.life import WORLDS_PER_JOURNEY, Lived, lived

PORTION = WORLDS_PER_JOURNEY * 4
"""Seeds of one journey stay together: it is written and checked once."""


@dataclass
class Night:
    """What a night of seeds came to."""

    seeds: int = 0
    advances: int = 0
    years: float = 0.0
    failed: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    steps: Counter[str] = field(default_factory=Counter[str])
    happenings: Counter[str] = field(default_factory=Counter[str])

    def add(self, told: Lived) -> None:
        """One seed more."""
        self.seeds += 1
        self.advances += told.advances
        self.years += told.customer_days / 365.25
        self.steps += told.steps
        self.happenings += told.happenings
        if told.faults:
            self.failed[told.seed] = told.faults

    def figures(self, seconds: float) -> dict[str, object]:
        """For the scorecard."""
        return {
            "seeds": self.seeds,
            "seeds_per_second": round(self.seeds / seconds, 1),
            "customer_years": round(self.years, 1),
            "advances": self.advances,
            "step_kinds": len(self.steps),
            "open_failures": len(self.failed),
        }


def portion(seeds: range) -> list[Lived]:
    """Some seeds, in this process."""
    return [lived(seed) for seed in seeds]


def portions(first: int, count: int) -> Iterator[range]:
    """The seeds in portions of whole journeys."""
    for begin in range(first, first + count, PORTION):
        yield range(begin, min(begin + PORTION, first + count))


def night(
    first: int,
    count: int,
    processes: int,
    *,
    until: float = float("inf"),
    hear: Callable[[Lived], None] = lambda told: None,
) -> Night:
    """Live through so many seeds from the first one on, or through those for which there is time.

    `until`: as `time.monotonic` has it. `hear` is called with each seed.
    """
    whole = Night()
    for told in _lived(first, count, processes):
        for each in told:
            whole.add(each)
            hear(each)
        if time.monotonic() > until:
            break
    return whole


def _lived(first: int, count: int, processes: int) -> Iterator[list[Lived]]:
    if processes == 1:
        yield from map(portion, portions(first, count))
        return
    with get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(portion, portions(first, count))


def again(seed: int) -> str:
    """The command that plays a seed again."""
    return f"python -m tests.simulation --from {seed} --seeds 1"
