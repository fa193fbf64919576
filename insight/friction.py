"""Friction: where customers of a journey stand longer, leave more often, fail or come back more than chance explains.

A step is compared with its own past, and with its siblings: the other ways that customers could have gone in its
place. A difference is told only where it is both more than chance would make and large enough to matter:

- *slower*: how long they stood, by the Mann-Whitney test with its correction for ties (Mann and Whitney 1947,
  doi:10.1214/aoms/1177730491; ties: Lehmann, Nonparametrics, 1975, 1.4), and half of them at least a quarter longer;
- *leaving*, *failing*, *returning*, *repeating*: shares, by Newcombe's interval for a difference of two, which is made
  of Wilson's (Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I, method 10): all
  of the interval lies above `LEAST_SHARE`.

Many steps are looked at, so that chance is divided among all that are asked (Bonferroni): of a thousand looks at a
journey in which nothing changed, one may tell something.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import sqrt
from statistics import NormalDist
from typing import Literal, get_args

CHANCE = 0.001
"""So seldom, over all that is looked at in a journey, something is told of which nothing is true."""

SURE = 3.29
"""Standard deviations: of a thousand looks at a rate that did not change, one is told as changed."""

LEAST_RATIO = 1.25
"""So much longer half of them must stand."""

LEAST_SHARE = 0.02
"""So much more often, as a share, they must leave, fail or come back at the least."""

Against = Literal["past", "siblings"]
Change = Literal["up", "down", ""]
"""Of a figure against the time before; '' where chance alone may have made the difference."""

What = Literal["slower", "leaving", "failing", "returning", "repeating"]

BUCKETS_AN_OCTAVE = 4
"""As `stay_bucket` in `0035_journey_figures.sql` has them."""


@dataclass(slots=True, kw_only=True)
class StepFigures:
    """What is counted of a step, a stage or a reaction over a stretch of time.

    `came`: runs that came to stand there, of which `returned` had been there before; `went`: that stand there no
    more, of which `left` ended there without the goal. `passed`: what it did, of which `failed` failed. `reacted`:
    how often a reaction began, `repeated`: how often what sets it off came once more while it went on. `stays`: how
    long, by bucket.
    """

    came: int = 0
    went: int = 0
    left: int = 0
    passed: int = 0
    failed: int = 0
    returned: int = 0
    reacted: int = 0
    repeated: int = 0
    stays: Counter[int] = field(default_factory=Counter[int])
    milliseconds: int = 0

    def add(self, other: "StepFigures") -> None:
        """Count another step's along."""
        for count in fields(self):
            mine, theirs = getattr(self, count.name), getattr(other, count.name)
            setattr(self, count.name, mine + theirs)


@dataclass(slots=True, frozen=True, kw_only=True)
class Friction:
    """Something to look at: `now` departs from `before`, which is its own past or its siblings now.

    Both are seconds that half of them stand at the most, or shares; `of_now` and `of_before`: of so many.
    """

    address: str
    what: What
    against: Against
    now: float
    before: float
    of_now: int
    of_before: int


def frictions(
    now: Mapping[str, StepFigures],
    past: Mapping[str, StepFigures],
    siblings: Mapping[str, Sequence[str]] | None = None,
) -> list[Friction]:
    """What departs from its past or from its siblings, the most striking of each kind first.

    `siblings`: by address, the addresses to which customers could have gone in its place.
    """
    pairs = list(_pairs(now, past, siblings or {}))
    looks = len(pairs) * len(get_args(What))
    if not looks:
        return []
    beyond = NormalDist().inv_cdf(1 - CHANCE / looks)
    found = [each for pair in pairs for each in _compared(*pair, beyond)]
    return sorted(found, key=_striking)


def median_seconds(stays: Mapping[int, int]) -> float | None:
    """How long half of them stood at the longest; to a tenth, as a bucket's ends are 19 % apart."""
    return quantile_seconds(stays, 0.5)


def quantile_seconds(stays: Mapping[int, int], share: float) -> float | None:
    """The length that this share of stays did not exceed: the middle of its bucket. None where there are none."""
    bucket = quantile(stays, share)
    return None if bucket is None else 2.0 ** ((bucket + 0.5) / BUCKETS_AN_OCTAVE)


def quantile(counts: Mapping[int, int], share: float) -> int | None:
    """The value that this share of all did not exceed, of how often each came; None where none did."""
    total = sum(counts.values())
    if total <= 0:
        return None
    wanted, so_far = share * total, 0
    for value in sorted(counts):
        so_far += counts[value]
        if so_far >= wanted:
            return value
    return None


def mann_whitney(one: Mapping[int, int], other: Mapping[int, int]) -> float:
    """How many standard deviations the first lasts longer than the second than chance alone has it: z, with ties."""
    n, m = sum(one.values()), sum(other.values())
    if not n or not m:
        return 0.0
    beats, behind, ties = 0.0, 0, 0.0
    for bucket in sorted({*one, *other}):
        here, there = one.get(bucket, 0), other.get(bucket, 0)
        beats += here * (behind + there / 2)
        behind += there
        tied = here + there
        ties += tied**3 - tied
    total = n + m
    variance = n * m / 12 * ((total + 1) - ties / (total * (total - 1)))
    return (beats - n * m / 2) / sqrt(variance) if variance > 0 else 0.0


def wilson(hits: int, of: int, z: float) -> tuple[float, float]:
    """Wilson's interval for a share (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    if of <= 0:
        return 0.0, 1.0
    share, square = hits / of, z * z
    middle = share + square / (2 * of)
    reach = z * sqrt(share * (1 - share) / of + square / (4 * of * of))
    whole = 1 + square / of
    return max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole)


def least_difference(hits: int, of: int, other_hits: int, other_of: int, z: float) -> float:
    """The lower end of Newcombe's interval for how much larger the first share is."""
    if not of or not other_of:
        return -1.0
    share, other = hits / of, other_hits / other_of
    low, _ = wilson(hits, of, z)
    _, other_high = wilson(other_hits, other_of, z)
    return share - other - sqrt((share - low) ** 2 + (other_high - other) ** 2)


def change_of_shares(now: tuple[int, int], before: tuple[int, int]) -> Change:
    """Whether a share (hits, of so many) is another than before, by more than chance would make."""
    if least_difference(*now, *before, SURE) > 0:
        return "up"
    return "down" if least_difference(*before, *now, SURE) > 0 else ""


def change_of_ranks(now: Mapping[int, int], before: Mapping[int, int]) -> Change:
    """Whether values on a scale (value → how often) lie higher or lower than before, by more than chance would make.

    Told only where their mean moved the same way, as it is the mean that people look at.
    """
    moved = mann_whitney(now, before)
    if abs(moved) <= SURE:
        return ""
    higher = _mean(now) - _mean(before)
    return "up" if moved > 0 < higher else "down" if moved < 0 > higher else ""


def _mean(counts: Mapping[int, int]) -> float:
    return sum(value * n for value, n in counts.items()) / sum(counts.values())


def _pairs(
    now: Mapping[str, StepFigures],
    past: Mapping[str, StepFigures],
    siblings: Mapping[str, Sequence[str]],
) -> Iterator[tuple[str, Against, StepFigures, StepFigures]]:
    for address, figures in now.items():
        if address in past:
            yield address, "past", figures, past[address]
        others = StepFigures()
        for other in siblings.get(address, ()):
            if other in now:
                others.add(now[other])
        if others.came or others.passed:
            yield address, "siblings", figures, others


def _compared(
    address: str, against: Against, now: StepFigures, other: StepFigures, beyond: float
) -> Iterator[Friction]:
    here, there = median_seconds(now.stays), median_seconds(other.stays)
    if (
        here is not None
        and there is not None
        and here >= LEAST_RATIO * there
        and mann_whitney(now.stays, other.stays) > beyond
    ):
        of = sum(now.stays.values()), sum(other.stays.values())
        yield Friction(
            address=address, what="slower", against=against, now=here, before=there,
            of_now=of[0], of_before=of[1],
        )  # fmt: skip
    shares: dict[What, tuple[int, int, int, int]] = {
        "leaving": (now.left, now.went, other.left, other.went),
        "failing": (now.failed, now.passed, other.failed, other.passed),
        "returning": (now.returned, now.came, other.returned, other.came),
        "repeating": (
            *(now.repeated, now.reacted + now.repeated),
            *(other.repeated, other.reacted + other.repeated),
        ),
    }
    for what, (hits, of_now, other_hits, of_other) in shares.items():
        if least_difference(hits, of_now, other_hits, of_other, beyond) > LEAST_SHARE:
            yield Friction(
                address=address, what=what, against=against, now=hits / of_now, before=other_hits / of_other,
                of_now=of_now, of_before=of_other,
            )  # fmt: skip


def _striking(friction: Friction) -> tuple[float, str, str]:
    much = (
        friction.now / max(friction.before, 1e-9) - 1
        if friction.what == "slower"
        else (friction.now - friction.before) * 10
    )
    return -much, friction.address, friction.against
