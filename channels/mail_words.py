"""Text out of mails, whatever they claim about it: charsets that lie, headers that are not headers."""

import codecs
import re
import unicodedata
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses

LONGEST_HEADER = 8_000
"""Characters of a header that are looked at: decoding takes time that grows with their square."""

# Codecs that are no charsets of mails, and slow: punycode takes 20 seconds for 200 kB.
_NEVER = frozenset({"punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined"})
_INVISIBLE = frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad")


def text_of(raw: bytes, charset: str | None) -> str:
    """The bytes as text: as told, else UTF-8, else as Windows writes it. Never fails."""
    for name in (charset, "utf-8"):
        try:
            if name is not None and codecs.lookup(name).name not in _NEVER:
                return raw.decode(name)
        except (LookupError, UnicodeError, ValueError):
            continue
    return raw.decode("cp1252", "replace")


def header(mail: Message, name: str) -> str:
    """A header in plain words, on one line; empty where there is none."""
    return in_words(raw_header(mail, name))


def raw_header(mail: Message, name: str) -> str:
    """A header as it stands, cut to a length that can be looked at."""
    found = mail.get(name)
    return "" if found is None else str(found)[:LONGEST_HEADER]


def in_words(value: str) -> str:
    """A header's value with its encoded words read."""
    value = value[:LONGEST_HEADER]
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError, LookupError):
        return one_line(_whole_characters(value))
    read = [_whole_characters(p) if isinstance(p, str) else text_of(p, c) for p, c in pieces]
    return one_line("".join(read))


def addresses(mail: Message, *names: str) -> list[str]:
    """The addresses in these headers, in order, in small letters; what is none is left out."""
    values = [raw_header(mail, name) for name in names if mail.get(name) is not None]
    try:
        found = getaddresses([_whole_characters(value) for value in values])
    except (ValueError, IndexError, RecursionError):
        return []
    return [address.strip().lower() for _, address in found if _is_address(address)]


def one_line(text: str) -> str:
    """Text without line breaks and what cannot be seen."""
    seen = "".join(
        letter if letter.isprintable() else " " for letter in text if letter not in _INVISIBLE
    )
    return " ".join(seen.split())


def readable(text: str) -> str:
    """Text of a message: its lines end in one way, nothing invisible, nothing that a database cannot hold."""
    text = _whole_characters(text).replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace("\u00a0", " ").replace("\u2028", "\n").replace("\u2029", "\n")
    kept = "".join(
        letter
        for letter in text
        if letter in "\n\t" or (letter not in _INVISIBLE and unicodedata.category(letter) != "Cc")
    )
    return re.sub(r"\n{4,}", "\n\n\n", kept)


def _is_address(text: str) -> bool:
    local, at, domain = text.strip().rpartition("@")
    return bool(at and local and domain) and len(text) <= 320 and text.isprintable()


def _whole_characters(text: str) -> str:
    """Bytes that a header carried raw, as the text that they most likely are."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text_of(
            text.encode("utf-8", "surrogatepass" if _halves(text) else "surrogateescape"), None
        )
    return text


def _halves(text: str) -> bool:
    return any(
        "\ud800" <= letter <= "\udfff" and not "\udc80" <= letter <= "\udcff" for letter in text
    )
