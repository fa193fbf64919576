"""Whoever gets marketing as plain text can say no more, in their own language, and reads it once."""

import pytest

from channels.way_out import with_link, with_stop


@pytest.mark.parametrize(
    ("locale", "line"),
    [
        (None, "Reply STOP to end"),
        ("en-GB", "Reply STOP to end"),
        ("cs", "Konec odpovědí STOP"),
        ("de_AT", "Ende mit Antwort STOP"),
        ("DE", "Ende mit Antwort STOP"),
        ("fi", "Reply STOP to end"),
        ("", "Reply STOP to end"),
    ],
)
def test_the_word_that_ends_it_is_told_in_the_customers_language(
    locale: str | None, line: str
) -> None:
    assert with_stop("20 % off.\n\n", locale) == f"20 % off.\n{line}"


@pytest.mark.parametrize("text", ["20 % off. Text STOP to quit", "STOPP beendet das", "STOP"])
def test_who_names_it_already_is_not_made_to_say_it_twice(text: str) -> None:
    assert with_stop(text, "de") == text


@pytest.mark.parametrize("text", ["Don't stop now", "NONSTOP flights", "Stop by"])
def test_a_word_of_every_day_does_not_count(text: str) -> None:
    assert with_stop(text, None).endswith("\nReply STOP to end")


def test_a_link_stands_there_once() -> None:
    url = "https://journeys.example/u/1.x.y"
    once = with_link("20 % off.", url, "cs-CZ")

    assert once == f"20 % off.\nUž nezasílat: {url}"
    assert with_link(once, url, "cs-CZ") == once
