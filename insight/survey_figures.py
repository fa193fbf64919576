"""What customers answered, as figures: each kind of survey by its own formula, and how far chance may carry it.

- *nps*: % who gave 9 or 10 less % who gave 0 to 6 (Reichheld 2003, "The One Number You Need to Grow", Harvard Business
  Review 81(12)); its range from the variance of the three values +1, 0 and −1, p₊ + p₋ − (p₊ − p₋)².
- *csat*: the share who gave 4 or 5 of 5; its range is Wilson's (`insight.friction.wilson`).
- *ces*: the mean of 1 to 7, as Customer Effort Score 2.0 has it; its range from the variance of what was given.
- *choice*: the share of each choice, with Wilson's range. *text*: how many wrote.

Ranges hold 19 times in 20. Up and down against the time before are told by the rule that holds for goals
(`insight.friction`): a share by Newcombe's interval, a score by ranks.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from insight.friction import Change, change_of_ranks, change_of_shares, wilson
from journey.survey import SCORES, SurveyKind, group_of

NINETEEN_OF_TWENTY = 1.959964
FEW = 30
"""With fewer answers than this, a range that is made from a variance is rough."""

Said = int | str
"""A score, or the name of a choice; '' is words alone."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Estimate:
    """A figure and its range. `low` and `high` are None where nothing can be said of them yet."""

    value: float
    low: float | None
    high: float | None


@dataclass(slots=True, frozen=True, kw_only=True)
class Share:
    """How many said this, of all who answered, and whether that is another share than before."""

    said: Said
    n: int
    estimate: Estimate
    change: Change = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class SurveyFigure:
    """What was answered. `estimate`: of scores alone, in points (nps), as a share (csat) or on the scale (ces).

    `shares`: of each score of the scale or each choice. `groups`: how many are promoters, satisfied and so on.
    `strays`: answers that the kind has not (any more), which count to nothing else.
    """

    kind: SurveyKind
    answered: int
    strays: int
    estimate: Estimate | None
    change: Change
    shares: tuple[Share, ...]
    groups: Mapping[str, int]

    @property
    def rough(self) -> bool:
        """Whether so few answered that the range is rough."""
        return 0 < self.answered < FEW


def survey_figure(
    kind: SurveyKind,
    now: Mapping[Said, int],
    before: Mapping[Said, int] | None = None,
    choices: tuple[str, ...] = (),
) -> SurveyFigure:
    """The figure of its kind. `now`: how many said what; `before`: in the time before; `choices`: shown also at 0."""
    here = fitting(kind, now)
    there = fitting(kind, before or {})
    groups: Counter[str] = Counter()
    for said, n in here.items():
        groups[_group(kind, said) or ""] += n
    answered = sum(here.values())
    return SurveyFigure(
        kind=kind,
        answered=answered,
        strays=sum(now.values()) - answered,
        estimate=_estimate(kind, here),
        change=_change(kind, here, there),
        shares=_shares(kind, here, there, choices),
        groups=dict(groups),
    )


def fitting(kind: SurveyKind, counts: Mapping[Said, int]) -> dict[Said, int]:
    """Those of the answers that the kind has."""
    return {said: n for said, n in counts.items() if _group(kind, said) is not None and n > 0}


def nps(scores: Mapping[Said, int]) -> Estimate | None:
    """Net Promoter Score of scores from 0 to 10, in points from −100 to 100; None of nobody."""
    signs = _signs(scores)
    of = sum(signs.values())
    if not of:
        return None
    for_it, against = signs[1] / of, signs[-1] / of
    score = for_it - against
    reach = _reach(for_it + against - score * score, of)
    return _within(100 * score, None if reach is None else 100 * reach, -100.0, 100.0)


def csat(scores: Mapping[Said, int]) -> Estimate | None:
    """The share of scores from 1 to 5 that are 4 or 5; None of nobody."""
    satisfied, of = _satisfied(scores)
    return share_of(satisfied, of) if of else None


def ces(scores: Mapping[Said, int]) -> Estimate | None:
    """The mean of scores from 1 to 7; None of nobody."""
    given = {int(score): n for score, n in scores.items()}
    of = sum(given.values())
    if not of:
        return None
    mean = sum(score * n for score, n in given.items()) / of
    squares = sum(n * (score - mean) ** 2 for score, n in given.items())
    reach = _reach(squares / (of - 1), of) if of > 1 else None
    return _within(mean, reach, 1.0, 7.0)


def share_of(hits: int, of: int) -> Estimate:
    """A share with Wilson's range."""
    low, high = wilson(hits, of, NINETEEN_OF_TWENTY)
    return Estimate(value=hits / of if of else 0.0, low=low, high=high)


def _estimate(kind: SurveyKind, counts: Mapping[Said, int]) -> Estimate | None:
    match kind:
        case "nps":
            return nps(counts)
        case "csat":
            return csat(counts)
        case "ces":
            return ces(counts)
        case "choice" | "text":
            return None


def _change(kind: SurveyKind, now: Mapping[Said, int], before: Mapping[Said, int]) -> Change:
    if not now or not before:
        return ""
    match kind:
        case "nps":
            return change_of_ranks(_signs(now), _signs(before))
        case "csat":
            return change_of_shares(_satisfied(now), _satisfied(before))
        case "ces":
            return change_of_ranks(_numbers(now), _numbers(before))
        case "choice" | "text":
            return ""


def _shares(
    kind: SurveyKind,
    now: Mapping[Said, int],
    before: Mapping[Said, int],
    choices: tuple[str, ...],
) -> tuple[Share, ...]:
    of, of_before = sum(now.values()), sum(before.values())
    if kind == "text":
        return ()
    if kind == "choice":
        gone = sorted(str(said) for said in now if said not in choices)
        all_said: list[Said] = [*choices, *gone]
    else:
        lowest, highest = SCORES[kind]
        all_said = list(range(lowest, highest + 1))
    return tuple(
        Share(
            said=said,
            n=now.get(said, 0),
            estimate=share_of(now.get(said, 0), of),
            change=change_of_shares((now.get(said, 0), of), (before.get(said, 0), of_before))
            if kind == "choice"
            else "",
        )
        for said in all_said
    )


def _group(kind: SurveyKind, said: Said) -> str | None:
    if kind == "text":
        return "answered" if said == "" else None
    return group_of(kind, said, said)


def _signs(scores: Mapping[Said, int]) -> Counter[int]:
    """How many are for it (1), neither (0) and against it (−1)."""
    signs: Counter[int] = Counter()
    for score, n in scores.items():
        group = group_of("nps", score, None)
        signs[1 if group == "promoter" else -1 if group == "detractor" else 0] += n
    return signs


def _satisfied(scores: Mapping[Said, int]) -> tuple[int, int]:
    return sum(n for score, n in scores.items() if score in (4, 5)), sum(scores.values())


def _numbers(scores: Mapping[Said, int]) -> dict[int, int]:
    return {int(score): n for score, n in scores.items()}


def _reach(variance: float, of: int) -> float | None:
    """None where all said the same: that chance has no part in it is more than so many can say."""
    return NINETEEN_OF_TWENTY * sqrt(variance / of) if variance > 1e-12 else None


def _within(value: float, reach: float | None, lowest: float, highest: float) -> Estimate:
    if reach is None:
        return Estimate(value=value, low=None, high=None)
    return Estimate(value=value, low=max(lowest, value - reach), high=min(highest, value + reach))
