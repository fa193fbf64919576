"""What stands in the inbox in words: deadlines as a person reads them, never longer than a glance."""

from datetime import UTC, datetime, timedelta

import pytest

from console.inbox_door import own_path
from console.inbox_words import clock_words, deed_in_words, left_in_words, title_of

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(minutes=4, seconds=59), "in 4 min"),
        (timedelta(hours=2), "in 2 h"),
        (timedelta(hours=2, minutes=5), "in 2 h 5 min"),
        (timedelta(days=1, hours=3, minutes=59), "in 1 d 3 h"),
        (timedelta(days=9), "in 9 d"),
        (timedelta(0), "0 min late"),
        (-timedelta(hours=1, minutes=1), "1 h 1 min late"),
    ],
)
def test_a_deadline_is_told_by_what_is_left(left: timedelta, words: str) -> None:
    assert left_in_words(NOW + left, NOW) == words


def test_a_moment_is_on_the_clock_of_whoever_reads_it() -> None:
    assert clock_words(NOW, "Europe/Prague", NOW) == "13:00"
    assert clock_words(NOW + timedelta(days=1), "Asia/Tokyo", NOW) == "Sun 29 Nov 21:00"


def test_a_case_is_called_by_its_title_else_by_how_its_brief_begins() -> None:
    assert title_of("", "\n  Broken parcel\nmore", "sales") == "Broken parcel"
    assert title_of("Refund", "x", "sales") == "Refund"
    assert title_of("", "", "sales") == "A case for sales"
    assert len(title_of("x" * 500, "", "sales")) == 110


def test_what_happened_is_told_with_names_and_figures() -> None:
    names = {"eva": "Eva Novak"}
    assert deed_in_words("given", {"to": "eva"}, names) == "gave it to Eva Novak"
    assert (
        deed_in_words("decided refund", {"fields": {"amount": 40}}, names)
        == "decided refund: amount 40"
    )
    assert deed_in_words("something new", {}, names) == "something new"


@pytest.mark.parametrize(
    "path", ["https://evil.example", "//evil.example", "/staffx", "/staff/\\evil", "/staff/\nx", ""]
)
def test_only_pages_of_the_inbox_are_led_to(path: str) -> None:
    assert own_path(path) == "/staff"
    assert own_path("/staff/case/1:2?did=note") == "/staff/case/1:2?did=note"
