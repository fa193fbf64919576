"""Customers' pages say the same in every language, and write dates and numbers as its speakers do."""

import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.customer_form import Form
from api.customer_words import LANGUAGES, Words, choose_language, spoken

NOW = datetime(2026, 11, 27, 23, 30, tzinfo=UTC)  # 00:30 of the next day in Prague
ROOT = Path(__file__).resolve().parents[3]


def places(said: Any) -> list[str]:
    return sorted(re.findall(r"\{(\w*)\}", said)) if isinstance(said, str) else [f"{len(said)}"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_word_with_the_same_places(language: str) -> None:
    english, theirs = spoken("en"), spoken(language)

    assert list(theirs) == list(english)
    assert {key: places(said) for key, said in theirs.items() if not key.startswith("date.")} == {
        key: places(said) for key, said in english.items() if not key.startswith("date.")
    }
    assert all(isinstance(said, str | list) and said for said in theirs.values())


def test_every_word_that_a_page_says_is_there() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "api").glob("*.py"))
    asked = set(re.findall(r"""words\.(?:say|html)\(\s*["']([\w.-]+)["']""", sources))
    counted = set(re.findall(r"""words\.count\(\s*["']([\w.-]+)["']""", sources))

    known = set(spoken("en"))
    assert len(asked) > 60
    assert asked - known == set()
    assert {f"{key}.{how}" for key in counted for how in ("one", "other")} - known == set()


@pytest.mark.parametrize(
    ("language", "day", "moment", "number", "clock"),
    [
        ("en", "28 November 2026", "Saturday, 28 November 2026 at 00:30", "1,234.5", "07:05"),
        (
            "de",
            "28. November 2026",
            "Samstag, 28. November 2026, 00:30 Uhr",
            "1.234,5",
            "07:05 Uhr",
        ),
        ("fr", "28 novembre 2026", "samedi 28 novembre 2026 à 00 h 30", "1\u202f234,5", "07 h 05"),
    ],
)
def test_dates_and_numbers_are_written_as_in_the_language_and_in_the_readers_zone(
    language: str, day: str, moment: str, number: str, clock: str
) -> None:
    words = Words(language=language, zone="Europe/Prague")

    assert words.day(NOW) == day
    assert words.moment(NOW).replace("\u00a0", " ") == moment
    assert words.number(1234.5) == number
    assert words.number(7) == words.number(7.0) == "7"
    assert words.clock(time(7, 5)).replace("\u00a0", " ") == clock


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (0, "00:30 today"),
        (-1, "23:30 yesterday"),
        (24, "00:30 tomorrow"),
        (48, "Monday, 30 November at 00:30"),
        (24 * 60, "Wednesday, 27 January 2027 at 00:30"),
    ],
)
def test_what_is_near_is_told_by_its_day(hours: int, said: str) -> None:
    words = Words(zone="Europe/Prague", now=NOW)

    assert words.soon(NOW + timedelta(hours=hours)).replace("\u00a0", " ") == said
    assert Words(zone="Europe/Prague").soon(NOW) == words.moment(NOW)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"])
def test_a_birthday_is_the_same_day_in_every_zone(zone: str) -> None:
    assert Words(zone=zone).date(date(1988, 4, 2)) == "2 April 1988"


def test_one_and_none_are_counted_as_each_language_does() -> None:
    assert Words(language="en").count("preferences.pause.days", 1) == "for 1 day"
    assert Words(language="en").count("preferences.pause.days", 0) == "for 0 days"
    assert Words(language="fr").count("preferences.pause.days", 0) == "pendant 0 jour"
    assert Words(language="de").count("preferences.pause.days", 30) == "30 Tage lang"


@pytest.mark.parametrize(
    ("wished", "accepted", "chosen"),
    [
        ((), "", "en"),
        ((), "de", "de"),
        ((), "cs, fr;q=0.5, de;q=0.9", "de"),
        ((), "de;q=0, fr;q=0.1", "fr"),
        ((), "*", "en"),
        ((), "de;q=oops,,;;", "en"),
        ((), "x" * 100_000, "en"),
        (("de-AT",), "fr", "de"),
        ((None, 7, "fr_CA"), "de", "fr"),
        (("cs",), "fr", "fr"),
        (("../../etc",), "", "en"),
    ],
)
def test_the_language_is_the_customers_own_word_else_their_browsers(
    wished: tuple[object, ...], accepted: str, chosen: str
) -> None:
    assert choose_language(*wished, accepted=accepted) == chosen


def test_what_is_put_into_words_cannot_become_markup_or_reach_further() -> None:
    words = Words()

    assert words.html("status.key", key="<b>{key.__class__}") == (
        "Reference: &lt;b&gt;{key.__class__}"
    )


def test_text_of_a_form_is_bounded_and_shows_what_it_is() -> None:
    form = Form({"about": ["a\r\nb\0\u202ec\x1b" + "x" * 50], "line": [" a \n b "], "empty": []})

    assert form.text("about", 8) == "a\nb  c x"
    assert form.line("line", 10) == "a b"
    assert form.text("empty", 10) == form.line("missing", 10) == ""
