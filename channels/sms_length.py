"""How many text messages a text is: GSM 7-bit, or UCS-2 as soon as one letter is not in it (3GPP 23.038)."""

from dataclasses import dataclass

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE = frozenset("\f^{}\\[~]|€")
"""Letters of the extension table: each takes two places."""

LONGEST = 1_600
"""Characters that Twilio takes of one text (its error 21617)."""


@dataclass(slots=True, frozen=True, kw_only=True)
class SmsLength:
    """What a text costs to send. `outside` are the first letters that are not in GSM 7-bit."""

    segments: int
    used: int
    room: int
    encoding: str
    outside: str = ""

    def in_words(self) -> str:
        """`2 text messages (161 of 306 places, GSM)`, with what makes it dearer."""
        many = "1 text message" if self.segments == 1 else f"{self.segments} text messages"
        words = f"{many} ({self.used} of {self.room} places, {self.encoding})"
        if self.outside:
            words += f"; {', '.join(self.outside)} not in GSM: 70 letters a message, not 160"
        return words


def sms_length(text: str) -> SmsLength:
    """Count a text as a phone network does: each part of a longer one carries a header of its own."""
    outside = list(dict.fromkeys(c for c in text if c not in _GSM and c not in _GSM_TWICE))
    if outside:
        letters = [len(letter.encode("utf-16-le")) // 2 for letter in text]
        one, part, encoding = 70, 67, "UCS-2"
    else:
        letters = [2 if letter in _GSM_TWICE else 1 for letter in text]
        one, part, encoding = 160, 153, "GSM"
    used = sum(letters)
    segments = 1 if used <= one else _parts(letters, part)
    return SmsLength(
        segments=segments,
        used=used,
        room=one if segments == 1 else segments * part,
        encoding=encoding,
        outside="".join(outside[:5]),
    )


def _parts(letters: list[int], part: int) -> int:
    """A letter of two places is never cut in half."""
    parts, filled = 1, 0
    for places in letters:
        if filled + places > part:
            parts, filled = parts + 1, 0
        filled += places
    return parts
