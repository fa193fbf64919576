"""The feeling of the customer as a curve, and the words on it so that none covers another."""

from dataclasses import dataclass
from itertools import pairwise

from insight.drawn_text import Type, width_of, wrapped
from insight.map_layout import FEELING_HEIGHT, LANE
from insight.map_parts import Column, Feeling
from journey.feeling_words import MIDDLE, valence

WORD = Type(12, 15, bold=True)
SMALL = Type(11, 14)

REACH = FEELING_HEIGHT / 2 - 42


@dataclass(slots=True, frozen=True, kw_only=True)
class Dot:
    """A feeling in its place. `known`: whether its word is; otherwise it stands in the middle."""

    feeling: Feeling
    x: float
    y: float
    known: bool
    on_curve: bool
    word: str
    word_x: float
    word_y: float


Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def dots(columns: tuple[Column, ...], spans: list[tuple[float, float]], top: float) -> list[Dot]:
    """Every feeling of a map, those on the curve first."""
    places: list[tuple[Feeling, float, bool]] = []
    for column, (x, width) in zip(columns, spans, strict=True):
        if column.feeling is not None:
            places.append((column.feeling, x + width / 2, True))
    for column, (x, width) in zip(columns, spans, strict=True):
        words = {feeling.word: feeling for feeling in reversed(column.feelings)}
        beside = [words[word] for word in dict.fromkeys(each.word for each in column.feelings)]
        for index, feeling in enumerate(beside):
            places.append((feeling, x + (index + 0.5) * width / len(beside), False))
    heights = [_height(feeling.word, top) for feeling, _, _ in places]
    taken: list[Box] = [
        (x - 7, y - 7, x + 7, y + 7) for (_, x, _), y in zip(places, heights, strict=True)
    ]
    found: list[Dot] = []
    for (feeling, x, on_curve), y in zip(places, heights, strict=True):
        [word] = wrapped(feeling.word, LANE - 24, WORD, 1) or [""]
        word_x, word_y = _word(word, x, y, top, taken, spans, on_curve=on_curve)
        known = valence(feeling.word) is not None
        found.append(
            Dot(
                feeling=feeling,
                x=x,
                y=y,
                known=known,
                on_curve=on_curve,
                word=word,
                word_x=word_x,
                word_y=word_y,
            )
        )
    return found


def curve(placed: list[Dot]) -> str:
    """The path through the dots that are on the curve, level at each."""
    through = [(dot.x, dot.y) for dot in placed if dot.on_curve]
    if not through:
        return ""
    path = f"M{through[0][0]:.1f} {through[0][1]:.1f}"
    for (x0, y0), (x1, y1) in pairwise(through):
        half = (x0 + x1) / 2
        path += f"C{half:.1f} {y0:.1f} {half:.1f} {y1:.1f} {x1:.1f} {y1:.1f}"
    return path


def _height(word: str, top: float) -> float:
    known = valence(word)
    return top + FEELING_HEIGHT / 2 - (MIDDLE if known is None else known) * REACH


def _word(
    word: str,
    x: float,
    y: float,
    top: float,
    taken: list[Box],
    spans: list[tuple[float, float]],
    *,
    on_curve: bool,
) -> tuple[float, float]:
    """Where a word stands: above or below its dot, as near as nothing else is in the way."""
    kind = WORD if on_curve else SMALL
    half = width_of(word, kind) / 2 + 3
    left, right = spans[0][0], spans[-1][0] + spans[-1][1]
    at = min(max(x, left + half), right - half)
    first = -1 if y <= top + FEELING_HEIGHT / 2 else 1
    away = [side * first for far in (16, 31, 46) for side in (far, -far)]
    boxes = [(at - half, y + each - 7, at + half, y + each + 7) for each in away]
    fits = [box for box in boxes if not any(_meet(box, other) for other in taken)]
    box = (fits or boxes)[0]
    taken.append(box)
    return at, box[1] + 11


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
