"""Dates by which customers enter: on the customer's own clock, year after year, whatever the calendar does."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, JsonValue, ValidationError
from whenever import Date

from journey.conditions import ConditionError
from journey.entry_dates import (
    Clock,
    OffsetText,
    RecurrenceText,
    date_of,
    entry_moments,
    next_occurrence,
)

PRAGUE = "Europe/Prague"


class Said(BaseModel):
    at: Clock | None = None
    offset: OffsetText | None = None
    schedule: RecurrenceText | None = None


@pytest.mark.parametrize(
    ("value", "zone", "day"),
    [
        ("2026-03-02", "UTC", Date(2026, 3, 2)),
        ("2026-03-02T23:30:00Z", "UTC", Date(2026, 3, 2)),
        ("2026-03-02T23:30:00Z", PRAGUE, Date(2026, 3, 3)),
        ("2026-03-02T00:30:00+01:00", "America/New_York", Date(2026, 3, 1)),
    ],
)
def test_a_date_is_the_customers_own_day(value: str, zone: str, day: Date) -> None:
    assert date_of(value, zone) == day


@pytest.mark.parametrize(
    "value", ["2 March", "2026-02-30", "2026-03-02T10:00:00", "", 20260302, None, []]
)
def test_what_is_no_date_is_refused(value: JsonValue) -> None:
    with pytest.raises(ConditionError, match="is not a date"):
        date_of(value, "UTC")


def moments(day: Date, after: datetime, **said: object) -> list[tuple[str, datetime]]:
    parts = {"offset": None, "at": None, "yearly": False, **said}
    return list(entry_moments(day, PRAGUE, after=after, **parts))  # pyright: ignore[reportArgumentType] -- told apart above


WINTER = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ({}, datetime(2026, 6, 14, 22, 0, tzinfo=UTC)),
        ({"at": "09:00"}, datetime(2026, 6, 15, 7, 0, tzinfo=UTC)),
        ({"at": "09:00", "offset": "-30d"}, datetime(2026, 5, 16, 7, 0, tzinfo=UTC)),
        ({"at": "09:00", "offset": "2d"}, datetime(2026, 6, 17, 7, 0, tzinfo=UTC)),
        ({"at": "09:00", "offset": "+1mo"}, datetime(2026, 7, 15, 7, 0, tzinfo=UTC)),
        ({"at": "09:00", "offset": "-6mo"}, None),
    ],
)
def test_a_moment_is_so_long_before_or_after_on_the_customers_clock(
    said: dict[str, str], moment: datetime | None
) -> None:
    found = moments(Date(2026, 6, 15), WINTER, **said)

    assert found == ([("2026-06-15", moment)] if moment else [])


def test_days_before_are_days_of_the_calendar_across_a_change_of_the_clock() -> None:
    [(_, moment)] = moments(Date(2026, 4, 10), WINTER, at="09:00", offset="-30d")

    assert moment == datetime(2026, 3, 11, 8, 0, tzinfo=UTC), "09:00 in Prague, still winter"


def test_a_time_that_the_clock_jumps_over_comes_when_the_clock_has_jumped() -> None:
    [(_, moment)] = moments(Date(2026, 3, 29), WINTER, at="02:30")

    assert moment == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_who_was_born_on_29_february_has_a_birthday_every_year() -> None:
    names: list[str] = []
    for year in range(2026, 2030):
        after = datetime(year, 2, 20, tzinfo=UTC)
        names.append(moments(Date(1996, 2, 29), after, yearly=True)[0][0])

    assert names == ["2026-02-28", "2027-02-28", "2028-02-29", "2029-02-28"]


def test_an_anniversary_does_not_come_before_the_day_itself() -> None:
    found = moments(Date(2027, 6, 15), WINTER, yearly=True)

    assert [name for name, _ in found] == ["2027-06-15", "2028-06-15"]


def test_a_reminder_in_the_old_year_of_a_day_in_the_new_one() -> None:
    after = datetime(2026, 12, 1, tzinfo=UTC)

    name, moment = moments(Date(1990, 1, 10), after, yearly=True, at="09:00", offset="-30d")[0]

    assert (name, moment) == ("2027-01-10", datetime(2026, 12, 11, 8, 0, tzinfo=UTC))


def test_a_thank_you_in_the_new_year_for_a_day_in_the_old_one() -> None:
    after = datetime(2027, 1, 5, tzinfo=UTC)

    name, moment = moments(Date(1990, 12, 20), after, yearly=True, at="09:00", offset="30d")[0]

    assert (name, moment) == ("2026-12-20", datetime(2027, 1, 19, 8, 0, tzinfo=UTC))


@settings(max_examples=60)
@given(
    st.dates(datetime(1920, 1, 1).date(), datetime(2040, 12, 31).date()),  # noqa: DTZ001 -- a day
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- hypothesis adds the zone
    st.sampled_from([None, "-30d", "2w", "-1y", "3mo"]),
    st.sampled_from([None, "00:00", "02:30", "23:59"]),
)
def test_looking_day_by_day_finds_each_anniversary_once(
    day: object, begins: datetime, offset: str | None, at: str | None
) -> None:
    born = Date.parse_iso(str(day))
    found: list[str] = []
    now = begins
    for _ in range(10):
        later = now + timedelta(days=73)
        due = moments(born, now, yearly=True, offset=offset, at=at)
        found += [name for name, moment in due if moment <= later]
        now = later

    everything = [
        name
        for name, moment in moments(born, begins, yearly=True, offset=offset, at=at)
        if moment <= now
    ]
    assert len(set(found)) == len(found), "an anniversary came twice"
    assert set(everything) <= set(found)


@pytest.mark.parametrize(
    ("recurrence", "after", "then"),
    [
        ("FREQ=DAILY", datetime(2026, 3, 2, 12, 0, tzinfo=UTC), (3, 2, 23, 0)),
        ("FREQ=WEEKLY;BYDAY=MO;BYHOUR=9", datetime(2026, 3, 2, 12, 0, tzinfo=UTC), (3, 9, 8, 0)),
        ("FREQ=WEEKLY;BYDAY=MO;BYHOUR=9", datetime(2026, 3, 26, 12, 0, tzinfo=UTC), (3, 30, 7, 0)),
        (
            "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=18",
            datetime(2026, 3, 2, 12, 0, tzinfo=UTC),
            (3, 27, 17, 0),
        ),
        ("FREQ=HOURLY;INTERVAL=6", datetime(2026, 3, 2, 12, 0, tzinfo=UTC), (3, 2, 17, 0)),
    ],
)
def test_a_schedule_recurs_on_the_journeys_clock(
    recurrence: str, after: datetime, then: tuple[int, int, int, int]
) -> None:
    began = datetime(2026, 3, 1, 15, 45, tzinfo=UTC)

    assert next_occurrence(recurrence, PRAGUE, began, after) == datetime(2026, *then, tzinfo=UTC)


def test_a_schedule_that_is_over_comes_no_more() -> None:
    after = datetime(2026, 3, 20, tzinfo=UTC)

    assert next_occurrence("FREQ=DAILY;COUNT=3", "UTC", WINTER, after) is None
    assert next_occurrence("FREQ=DAILY;UNTIL=20260301T000000", "UTC", WINTER, after) is None


def test_a_schedule_for_a_day_that_never_comes_does_not_search_for_ever() -> None:
    never = "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"

    assert next_occurrence(never, "UTC", WINTER, WINTER) is None


def test_a_schedule_comes_again_and_again_and_never_twice_at_once() -> None:
    now, found = datetime(2026, 10, 24, tzinfo=UTC), list[datetime]()
    for _ in range(60):
        following = next_occurrence("FREQ=HOURLY", PRAGUE, WINTER, now)
        assert following is not None
        assert following > now
        found.append(following)
        now = following

    # On the night when the clock goes back the hour from 2 to 3 is there twice, and the schedule comes once.
    gaps = {later - earlier for earlier, later in pairwise(found)}
    assert gaps == {timedelta(hours=1), timedelta(hours=2)}


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("at", "25:00"),
        ("at", "9"),
        ("at", "nine"),
        ("at", "09:00:00"),
        ("offset", "soon"),
        ("offset", "-"),
        ("offset", ""),
        ("schedule", "FREQ=SECONDLY"),
        ("schedule", "FREQ=minutely"),
        ("schedule", "BYDAY=MO"),
        ("schedule", "FREQ=SOMETIMES"),
        ("schedule", "FREQ=WEEKLY;BYDAY=XX"),
        ("schedule", "DTSTART:20260101T000000\nRRULE:FREQ=DAILY"),
    ],
)
def test_what_is_written_wrong_is_refused(field: str, text: str) -> None:
    with pytest.raises(ValidationError):
        Said.model_validate({field: text})
