"""How many text messages a text is: what the customer's network counts, and the sender pays."""

from dataclasses import dataclass
from typing import Literal

_GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
"""Letters that take two places (3GPP TS 23.038, 6.2.1.1)."""

ALPHABETS = {"GSM-7": (160, 153), "UCS-2": (70, 67)}
"""Places of one text message alone, and of each where there are several (TS 23.040, 9.2.3.24.1)."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Segments:
    """`costly`: the letters that make it UCS-2, which has room for less than half."""

    count: int
    alphabet: Literal["GSM-7", "UCS-2"]
    places: int
    costly: tuple[str, ...] = ()


def segments(text: str) -> Segments:
    """Count the text messages of a text."""
    costly = tuple(dict.fromkeys(each for each in text if each not in _GSM_7 | _EXTENDED))
    if costly:
        sizes = [len(each.encode("utf-16-be")) // 2 for each in text]
        return Segments(
            count=_count(sizes, *ALPHABETS["UCS-2"]),
            alphabet="UCS-2",
            places=sum(sizes),
            costly=costly,
        )
    sizes = [2 if each in _EXTENDED else 1 for each in text]
    return Segments(count=_count(sizes, *ALPHABETS["GSM-7"]), alphabet="GSM-7", places=sum(sizes))


def _count(sizes: list[int], alone: int, each: int) -> int:
    """A letter of two places is never cut in two."""
    if sum(sizes) <= alone:
        return 1
    count, left = 1, each
    for size in sizes:
        if size > left:
            count, left = count + 1, each
        left -= size
    return count
