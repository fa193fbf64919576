"""A share against the time before, in words, and a bar of what it is made of."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from console.survey_words import range_in_words, value_in_words
from insight.friction import Change, change_of_shares
from insight.survey_figures import share_of


@dataclass(slots=True, frozen=True, kw_only=True)
class ShareInWords:
    """So large a part of `of`, with its range; what it was before; whether it moved by more than chance would make."""

    value: str
    range: str
    before: str
    change: Change
    of: int


def share_in_words(now: tuple[int, int], before: tuple[int, int]) -> ShareInWords:
    """Hits and of how many, now and in the time before."""
    share, (hits_before, of_before) = share_of(*now), before
    of = now[1]
    return ShareInWords(
        value=value_in_words("csat", share.value) if of else "–",
        range=range_in_words("csat", share) if of else "",
        before=value_in_words("csat", hits_before / of_before) if of_before else "",
        change=change_of_shares(now, before),
        of=of,
    )


def stacked_bar(parts: Iterable[tuple[int, str]], of: int) -> list[dict[str, Any]]:
    """How many, and which end of the scale that is, from left to right: as hundredths of the bar."""
    bar: list[dict[str, Any]] = []
    at = 0.0
    for n, end in parts:
        width = 100 * n / of if of else 0.0
        bar.append({"at": at, "width": width, "end": end})
        at += width
    return bar
