"""What a customer feels: the surest reading counts, of that the newest, until it fades."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey.feelings import SOURCES, FeelingRule, FeelingsFile, Reading, felt, fits, said
from journey.touchpoint import Touchpoint

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


readings = st.builds(
    lambda feeling, source, at, lasts: Reading(
        feeling=feeling, source=source, evidence="", at=NOON + at, fades_at=NOON + at + lasts
    ),
    st.sampled_from(["upset", "glad", "calm"]),
    st.sampled_from(SOURCES),
    st.integers(-100, 0).map(hours),
    st.integers(1, 100).map(hours),
)
moments = st.integers(0, 200).map(lambda number: NOON + hours(number))


@given(st.lists(readings), moments)
def test_what_counts_holds_and_nothing_surer_or_newer_does(
    held: list[Reading], now: datetime
) -> None:
    counts = felt(held, now)
    holding = [each for each in held if each.fades_at > now]

    assert (counts is None) == (not holding)
    if counts is not None:
        assert counts in holding
        for other in holding:
            surer = SOURCES.index(other.source) < SOURCES.index(counts.source)
            assert not surer
            assert other.source != counts.source or other.at <= counts.at


@given(st.lists(readings), moments)
def test_the_order_in_which_readings_were_kept_makes_no_difference(
    held: list[Reading], now: datetime
) -> None:
    assert felt(held, now) == felt(list(reversed(held)), now)


def test_of_two_readings_at_once_the_one_that_lasts_longer_counts() -> None:
    short = Reading(
        feeling="upset", source="staff", evidence="rang", at=NOON, fades_at=NOON + hours(1)
    )
    longer = replace(short, fades_at=NOON + hours(2))

    assert felt([short, longer], NOON) == felt([longer, short], NOON) == longer


@given(readings, moments, moments)
def test_a_reading_only_fades(reading: Reading, one: datetime, other: datetime) -> None:
    earlier, later = sorted((one, other))
    assert 0 <= reading.strength(later) <= reading.strength(earlier) <= 1
    assert (reading.strength(later) > 0) == (later < reading.fades_at)


def replied(text: str, event: str = "Message Replied") -> Touchpoint:
    return Touchpoint(message_id="m", event=event, timestamp=NOON, properties={"text": text})


def rule(**of: object) -> FeelingRule:
    return FeelingRule.model_validate({"feeling": "upset", "for": "3d", **of})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("This is RIDICULOUS!", "ridiculous"),
        ("for the third  time", "third time"),
        ("the third\ntime", "third time"),
        ("ridiculously cheap", None),
        ("a third of the time", None),
        ("", None),
    ],
)
def test_words_count_as_people_write_them(text: str, found: str | None) -> None:
    wanted = rule(words=["ridiculous", "third time"])
    assert said(wanted, replied(text), {}) == found
    assert fits(wanted, replied(text), {}) == (found is not None)


def test_words_of_a_language_count_for_those_who_speak_it_and_all_where_nobody_knows() -> None:
    wanted = rule(words={"cs": ["mám dost"], "en": ["had enough"]})
    assert said(wanted, replied("mam dost"), {"language": "cs"}) == "mám dost"
    assert said(wanted, replied("had enough"), {"locale": "cs-CZ"}) is None
    assert said(wanted, replied("had enough"), {"language": "de"}) == "had enough"
    assert said(wanted, replied("I have had enough"), {}) == "had enough"


def test_an_answer_is_surer_than_what_is_read_from_what_they_do() -> None:
    assert rule(on="Survey Answered").sure == "answer"
    assert rule(on="Payment Failed").sure == "rule"
    assert rule(on="Payment Failed", source="answer").sure == "answer"


def test_a_touchpoint_of_which_it_cannot_be_told_is_no_evidence() -> None:
    wanted = rule(on="Survey Answered", when="event.properties.score <= 6.0")
    assert not fits(wanted, replied("no score", "Survey Answered"), {})


def test_a_count_says_within_how_long() -> None:
    with pytest.raises(ValueError, match="say within how long"):
        rule(on="Payment Failed", count=2)
    FeelingsFile.model_validate({"feelings": [{"feeling": "upset"}]})
