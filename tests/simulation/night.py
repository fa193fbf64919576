"""A night of seeds, in portions that processes of their own live through."""

from collections import Counter
from collections.abc import Iterator
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


def night(first: int, count: int, processes: int) -> Night:
    """Live through so many seeds from the first one on."""
    whole = Night()
    if processes == 1:
        for seeds in portions(first, count):
            for told in portion(seeds):
                whole.add(told)
        return whole
    with get_context("spawn").Pool(processes) as pool:
        for told in pool.imap_unordered(portion, portions(first, count)):
            for each in told:
                whole.add(each)
    return whole


def again(seed: int) -> str:
    """The command that plays a seed again."""
    return f"python -m tests.simulation --from {seed} --seeds 1"
