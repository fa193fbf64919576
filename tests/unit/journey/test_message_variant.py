"""Which file of a message a customer reads: their channel, then their language, then how they feel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey.message_variant import Variant, choose_variant, locales_of, read_locale

BASE = Variant(locale="en")
DE = Variant(locale="de")
BRAZIL, PORTUGUESE = Variant(locale="pt-BR"), Variant(locale="pt")
UPSET = Variant(tones=frozenset({"upset", "angry"}))
DE_UPSET = Variant(locale="de", tones=frozenset({"upset"}))
SMS = Variant(channels=frozenset({"sms", "push"}))
SMS_DE = Variant(locale="de", channels=frozenset({"sms"}))
ALL = [BASE, DE, BRAZIL, PORTUGUESE, UPSET, DE_UPSET, SMS, SMS_DE]

locales = st.sampled_from([None, "de", "de-AT", "en", "pt", "pt-BR", "pt-PT", "zh-Hant-TW", "???"])
tones = st.sampled_from(["upset", "angry", "relieved"])
channels = st.sampled_from(["email", "sms", "push", "slack"])
variants = st.builds(
    Variant,
    locale=locales.map(lambda text: read_locale(text) if text else None),
    tones=st.frozensets(tones, max_size=2),
    channels=st.frozensets(channels, max_size=2),
)
bases = st.builds(Variant, locale=st.sampled_from([None, "en", "de"]))


@pytest.mark.parametrize(
    ("channel", "locale", "feeling", "chosen"),
    [
        ("email", None, None, BASE),
        ("email", "de", None, DE),
        ("email", "de-AT", None, DE),
        ("email", "pt-BR", None, BRAZIL),
        ("email", "pt-PT", "upset", PORTUGUESE),
        ("email", "pt_br", None, BRAZIL),
        ("email", "en-GB", "angry", UPSET),
        ("email", "de", "upset", DE_UPSET),
        ("email", "de", "angry", DE),
        ("email", "fr", "upset", UPSET),
        ("sms", "de", "upset", SMS_DE),
        ("push", "de", None, SMS),
        ("whatsapp", "de", None, DE),
        ("email", "English", None, BASE),
    ],
)
def test_a_customer_reads_what_is_for_them(
    channel: str, locale: str | None, feeling: str | None, chosen: Variant
) -> None:
    assert ALL[choose_variant(ALL, channel, locale, feeling).index] == chosen


def test_who_reads_no_language_of_ours_reads_the_houses() -> None:
    assert ALL[choose_variant(ALL, "email", "fr", None, fallback="de").index] == DE


def test_why_it_is_this_one_is_told() -> None:
    assert choose_variant(ALL, "email", "de-AT", "upset").why == (
        "for any channel, in de, there is none in de-AT, for someone upset"
    )
    assert choose_variant(ALL, "sms", "de", "upset").why == "for sms, in de, no tone for upset"


@given(bases, st.lists(variants, max_size=8), channels, locales, st.none() | tones, locales)
def test_there_is_always_one_and_never_one_for_others(
    base: Variant,
    others: list[Variant],
    channel: str,
    locale: str | None,
    feeling: str | None,
    fallback: str | None,
) -> None:
    every = [base, *others]
    found = choose_variant(every, channel, locale, feeling, fallback)
    chosen = every[found.index]

    assert found.why
    assert not chosen.channels or channel in chosen.channels
    assert not chosen.tones or feeling in chosen.tones
    readable = {*locales_of(locale), *locales_of(fallback), base.locale}
    assert (chosen.locale or base.locale) in readable


@given(bases, st.lists(variants, max_size=8), channels, locales, st.none() | tones)
def test_nothing_fits_better_than_what_was_chosen(
    base: Variant, others: list[Variant], channel: str, locale: str | None, feeling: str | None
) -> None:
    every = [base, *others]
    chosen = every[choose_variant(every, channel, locale, feeling).index]
    ladder = [*locales_of(locale)]

    def rank(variant: Variant) -> tuple[bool, int, bool]:
        language = variant.locale or base.locale
        place = ladder.index(language) if language in ladder else len(ladder)
        return not variant.channels, place, not variant.tones

    def fits(variant: Variant) -> bool:
        return (
            (not variant.channels or channel in variant.channels)
            and (not variant.tones or feeling in variant.tones)
            and (variant.locale or base.locale) in {*ladder, base.locale}
        )

    assert rank(chosen) == min(rank(variant) for variant in every if fits(variant))


@pytest.mark.parametrize(
    ("written", "known"),
    [("de", "de"), ("PT_br", "pt-BR"), ("zh-hant-tw", "zh-Hant-TW"), ("es-419", "es-419")],
)
def test_a_language_is_known_however_it_is_written(written: str, known: str) -> None:
    assert read_locale(written) == known


@pytest.mark.parametrize("text", ["", "d", "deutsch", "de-", "de--AT", "../de", "de AT"])
def test_what_is_no_language_is_none(text: str) -> None:
    assert read_locale(text) is None
