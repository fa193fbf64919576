"""Liquid set aside while a text becomes markup: compilers of markup know nothing of it.

`{% if a < 3 %}` breaks a reader of XML, and one in a table is moved out of it by a reader of HTML. So
each piece is a plain word meanwhile, or a comment where only a comment stays where it stands.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PIECE = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_WORD = re.compile(r"(?:<!--)?lqd(\d+)z(?:-->)?")
# Where a comment would not be one: in a tag, in another comment, in what is no markup.
_NO_COMMENT_IN = re.compile(
    r"<!--.*?-->|<((?:mj-)?(?:style|title|preview)|mj-attributes)\b.*?</\1\s*>|<[^>]*>",
    re.DOTALL | re.IGNORECASE,
)


@dataclass(slots=True, frozen=True)
class SetAside:
    """A text whose Liquid is words, and what they stand for; `lines`: where each stood, from 1."""

    text: str
    pieces: Sequence[str]
    lines: Sequence[int]

    def missing(self, made: str) -> int | None:
        """The first piece that is not in what was made of the text; None where all are."""
        there = {int(found) for found in _WORD.findall(made)}
        return next((index for index in range(len(self.pieces)) if index not in there), None)

    def back(self, made: str) -> tuple[str, tuple[tuple[int, int], ...]]:
        """What was made with its Liquid put back, and where in it each piece is, with its line."""
        parts: list[str] = []
        places: list[tuple[int, int]] = []
        length = end = 0
        for found in _WORD.finditer(made):
            index = int(found.group(1))
            if index >= len(self.pieces):
                continue
            before = made[end : found.start()]
            places.append((length + len(before), self.lines[index]))
            parts += [before, self.pieces[index]]
            length += len(before) + len(self.pieces[index])
            end = found.end()
        return "".join([*parts, made[end:]]), tuple(places)


def set_aside(text: str) -> SetAside:
    """Set the Liquid of a text aside."""
    pieces: list[str] = []
    lines: list[int] = []

    def word(found: re.Match[str]) -> str:
        pieces.append(found.group())
        lines.append(text.count("\n", 0, found.start()) + 1)
        return f"lqd{len(pieces) - 1}z"

    return SetAside(_PIECE.sub(word, text), pieces, lines)


def as_comments(html: str) -> str:
    """Words that stand between tags as comments: what reads HTML leaves those where they are."""
    parts: list[str] = []
    end = 0
    for found in _NO_COMMENT_IN.finditer(html):
        parts += [_WORD.sub(_comment, html[end : found.start()]), found.group()]
        end = found.end()
    return "".join([*parts, _WORD.sub(_comment, html[end:])])


def _comment(found: re.Match[str]) -> str:
    return f"<!--lqd{found.group(1)}z-->"
