"""What was counted of a shop whose installation was killed, and what of it must not be."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from insight.invariants import Broken
from tests.faults.kills import KINDS, Kill

SILENCE_BEGINS_WITHIN = 5.0
"""Seconds after a kill in which the silence that it caused has begun."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was counted, and what of it must not be."""

    broken: Broken
    struck: Sequence[tuple[float, Kill]]
    runs: int
    histories: int
    parcels: int
    touchpoints: int
    mails: int
    copies: Counter[str]
    marketing: frozenset[str]
    silences: Mapping[str, Sequence[float]]
    marks: Mapping[str, int]
    miscounted: int
    slowest_answer: float
    seconds: float
    seed: int
    temporal: str

    @property
    def duplicated(self) -> int:
        """Mails too many of which the ledger did not say before that they may come twice; and any of marketing."""
        doubtful = set(self.broken.unknown) - self.marketing
        return sum(times - 1 for key, times in self.copies.items() if key not in doubtful)

    @property
    def in_doubt(self) -> int:
        """Service mails that came again because nobody could tell, each marked before."""
        return self.copies.total() - len(self.copies) - self.duplicated

    @property
    def lost(self) -> int:
        broken = self.broken
        return sum(map(len, (broken.lost, broken.unmailed, broken.stuck, broken.left)))

    def silences_of(self, kinds: Collection[str]) -> list[float]:
        """For how many seconds nothing left after a kill of one of these, the shortest first."""
        return sorted(each for kind in kinds for each in self.silences.get(kind, ()))

    def figures(self, kinds: Collection[str] = KINDS) -> dict[str, object]:
        """One line of JSON, about kills of these kinds; seconds are told and judge nothing."""
        silences = self.silences_of(kinds)
        ours = [kill for _, kill in self.struck if kill.kind in kinds]
        return {
            "kills": len(ours),
            "killed": dict(Counter(f"{kill.kind} {kill.how}" for kill in ours)),
            "kills_of_all": len(self.struck) + sum(self.marks.values()),
            "temporal": self.temporal,
            "runs": self.runs,
            "histories_read": self.histories,
            "touchpoints": self.touchpoints,
            "lost": self.lost,
            "applied_twice": len(self.broken.twice),
            "mails": self.mails,
            "duplicated": self.duplicated,
            "sent_again_in_doubt": self.in_doubt,
            "unknown": len(self.broken.unknown),
            "figures_that_differ": self.miscounted,
            "next_send_p50_seconds": round(median(silences), 1) if silences else 0,
            "next_send_max_seconds": round(silences[-1], 1) if silences else 0,
            "longest_until_acknowledged_seconds": round(self.slowest_answer, 1),
            "seconds": round(self.seconds),
            "seed": self.seed,
        }

    @property
    def holds(self) -> bool:
        """Nothing lost, nothing twice, nobody stuck, and the figures are what the records say."""
        return self.broken.nothing and self.duplicated == 0 and self.miscounted == 0


def silences(killed: Sequence[float], sent: Sequence[float]) -> list[float]:
    """For each kill, until when it was silent: the end of the longest pause that began soon after.

    What was with the relay already leaves all the same, so the first mail after a kill says nothing.
    """
    found: list[float] = []
    for at in killed:
        times = [at, *sorted(each for each in sent if each > at)]
        pauses = [
            (later - earlier, later)
            for earlier, later in pairwise(times)
            if earlier <= at + SILENCE_BEGINS_WITHIN
        ]
        if pauses:
            found.append(max(pauses)[1] - at)
    return found
