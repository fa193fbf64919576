"""Which of a message's files a customer is to read: by channel, then language, then feeling."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

TEXT_CHANNELS = frozenset({"sms", "whatsapp", "push", "webpush", "slack", "webhook", "inbox"})
"""Channels that carry text: their messages need no markup, and no subject of their own."""

_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|\d{3}))?(-[A-Za-z0-9]{4,8})*")


@dataclass(slots=True, frozen=True, kw_only=True)
class Variant:
    """What one file of a message is for; empty where it is for everybody.

    `locale` is the language it is written in, as BCP 47 says: `de`, `pt-BR`.
    """

    locale: str | None = None
    tones: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()


@dataclass(slots=True, frozen=True, kw_only=True)
class Chosen:
    """The place of the chosen one, and in words why it is this one."""

    index: int
    why: str


def read_locale(text: str) -> str | None:
    """A locale as BCP 47 writes it (`pt-br` is `pt-BR`), or None where it is none."""
    text = text.strip().replace("_", "-")
    if not _LOCALE.fullmatch(text):
        return None
    first, *others = text.split("-")
    return "-".join([first.lower(), *map(_subtag, others)])


def _subtag(part: str) -> str:
    if len(part) == 2:
        return part.upper()
    return part.title() if len(part) == 4 and part.isalpha() else part.lower()


def locales_of(locale: str | None) -> Iterator[str]:
    """A locale, then what it is a kind of: `zh-Hant-TW`, `zh-Hant`, `zh` (RFC 4647, 3.4)."""
    known = read_locale(locale) if locale else None
    while known:
        yield known
        known = known.rpartition("-")[0]


def choose_variant(
    variants: Sequence[Variant],
    channel: str,
    locale: str | None,
    feeling: str | None,
    fallback: str | None = None,
) -> Chosen:
    """The variant for a customer. The first is the base: for every channel and feeling.

    What is written for the channel comes before what is for any; in it the customer's language, the
    house's (`fallback`), the base's; in that what is for the feeling, else what is for none. One for
    another channel or another feeling is never chosen.
    """
    base = variants[0].locale
    asked = [*locales_of(locale)]
    ladder = list(dict.fromkeys([*asked, *locales_of(fallback), base]))
    for ours, words in ((True, f"for {channel}"), (False, "for any channel")):
        for language in ladder:
            fits = [
                index
                for index, variant in enumerate(variants)
                if (channel in variant.channels if ours else not variant.channels)
                and (variant.locale or base) == language
            ]
            index = _by_tone(variants, fits, feeling)
            if index is not None:
                tone = feeling if variants[index].tones else None
                return Chosen(index=index, why=_why(words, language, asked, tone, feeling))
    return Chosen(index=0, why="the base: nothing else fits")


def _by_tone(variants: Sequence[Variant], fits: Sequence[int], feeling: str | None) -> int | None:
    toned = [index for index in fits if feeling in variants[index].tones]
    plain = [index for index in fits if not variants[index].tones]
    return next(iter([*toned, *plain]), None)


def _why(
    words: str, language: str | None, asked: Sequence[str], tone: str | None, feeling: str | None
) -> str:
    parts = [words]
    if asked and language != asked[0]:
        parts.append(f"in {language or 'the language of the base'}, there is none in {asked[0]}")
    elif language is not None:
        parts.append(f"in {language}")
    if tone is not None:
        parts.append(f"for someone {tone}")
    elif feeling is not None:
        parts.append(f"no tone for {feeling}")
    return ", ".join(parts)
