"""Text in a picture whose fonts nobody knows beforehand: how wide it is at the most, and where it breaks."""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_WIDTHS = {
    28: "ijlI'J",
    33: " ,.|/\\:;",
    41: "-()[]ftr!",
    53: '"*_^`?sczL',
    64: "abdeghknopquvxy0123456789$EFPTY{}",
    79: "ABCDGHKNOQRSUVXZ&",
    100: "mwMW@%#+<>=~",
}
"""Characters by their width in hundredths of the type size, in DejaVu Sans: the widest of the common fonts."""

_WIDTH_OF = {letter: width / 100 for width, letters in _WIDTHS.items() for letter in letters}
_BOLD = 1.13
_BREAKS_BEHIND = "._-/,()[]&|=: "
_MORE = "…"


@dataclass(slots=True, frozen=True)
class Type:
    """A size of type: its height, the height of a line of it, both in pixels, and whether it is bold."""

    size: float
    leading: float
    bold: bool = False


def width_of(text: str, kind: Type) -> float:
    """How wide the text is at the most, in pixels."""
    return sum(map(_width, text)) * kind.size * (_BOLD if kind.bold else 1)


def _width(character: str) -> float:
    known = _WIDTH_OF.get(character)
    if known is not None:
        return known
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    if unicodedata.east_asian_width(character) in ("W", "F"):
        return 1.3 if unicodedata.category(character) == "So" else 1.05
    return 1.0 if character.isupper() else 0.85


def wrapped(text: str, width: float, kind: Type, at_most: int) -> list[str]:
    """The text in lines that are not wider; what does not fit into so many lines is left out behind an ellipsis."""
    lines = list(_lines(text.split(), width, kind, at_most))
    if len(lines) <= at_most:
        return lines
    last = lines[at_most - 1]
    while last and width_of(last + _MORE, kind) > width:
        last = last[:-1]
    return [*lines[: at_most - 1], last.rstrip() + _MORE]


def _lines(words: list[str], width: float, kind: Type, at_most: int) -> Iterator[str]:
    line, told = "", 0
    for piece, glued in _pieces(words, width, kind):
        longer = line + piece if glued or not line else f"{line} {piece}"
        if line and width_of(longer, kind) > width:
            yield line
            line, told = piece, told + 1
            if told > at_most:
                return
        else:
            line = longer
    if line:
        yield line


def _pieces(words: Iterable[str], width: float, kind: Type) -> Iterator[tuple[str, bool]]:
    """Words, and parts of words that are too long for a line, each with whether it is glued to the one before."""
    for word in words:
        glued, rest = False, word
        while width_of(rest, kind) > width and len(rest) > 1:
            fits = 1
            while fits < len(rest) and width_of(rest[: fits + 1], kind) <= width:
                fits += 1
            breaks = max(rest.rfind(mark, 0, fits) for mark in _BREAKS_BEHIND) + 1
            cut = breaks if breaks > fits // 2 else fits
            yield rest[:cut], glued
            glued, rest = True, rest[cut:]
        yield rest, glued


def drawable(text: str) -> str:
    """The text with what XML 1.0 cannot hold, and lines of its own, put into other words."""
    return "".join(
        " " if letter in "\t\r\n" else letter if _is_character(letter) else "\ufffd"
        for letter in text
    )


def _is_character(letter: str) -> bool:
    return unicodedata.category(letter) not in ("Cc", "Cs") and letter not in "\ufffe\uffff"
