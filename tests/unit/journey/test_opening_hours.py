"""A queue is at work in its own week: with breaks, holidays and days off, and on its own clock."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey.business_time import BusinessCalendar, BusinessSpan, NextBusiness
from journey.document import InvalidDocumentError
from journey.house_files import read_house_file
from journey.opening_hours import OpeningHours
from journey.queues import QueuesFile, queue_calendar

PRAGUE = "Europe/Prague"
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
DESK = OpeningHours(
    week={
        "monday": ["08:00-12:00", "13:00-18:00"],
        "tuesday": ["08:00-12:00", "13:00-18:00"],
        "friday": ["08:00-12:00"],
        "saturday": ["22:00-24:00"],
        "sunday": ["00:00-02:00"],
    },
    holidays="CZ",
    closed=[date(2026, 12, 7)],
)
CALENDAR = DESK.calendar(PRAGUE)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(PRAGUE)).astimezone(UTC)


def hours(count: int) -> BusinessSpan:
    return BusinessSpan(count=count, unit="hour")


@pytest.mark.parametrize(
    ("count", "from_", "until"),
    [
        (2, "2026-11-30T11:00", "2026-11-30T14:00"),  # a break lies in it
        (1, "2026-11-30T12:15", "2026-11-30T14:00"),  # asked in the break
        (2, "2026-12-01T17:00", "2026-12-04T09:00"),  # two days on which nobody is there
        (5, "2026-12-04T11:00", "2026-12-06T02:00"),  # over Saturday's midnight
        (1, "2026-12-07T09:00", "2026-12-08T09:00"),  # the day off
        (9, "2026-12-22T08:00", "2026-12-22T18:00"),
        (1, "2026-12-24T09:00", "2026-12-27T01:00"),  # three holidays; Saturday is the last of them
    ],
)
def test_business_hours_count_only_while_the_queue_is_at_work(
    count: int, from_: str, until: str
) -> None:
    assert CALENDAR.after(hours(count), at(from_)) == at(until)


def test_a_business_day_later_is_the_same_time_on_the_next_day_at_work() -> None:
    day = BusinessSpan(count=1, unit="day")
    assert CALENDAR.after(day, at("2026-12-01T10:00")) == at("2026-12-04T10:00")
    assert CALENDAR.after(day, at("2026-12-02T10:00")) == at("2026-12-04T12:00")


def test_the_next_moment_at_work_after_a_break_is_its_end() -> None:
    assert CALENDAR.after(NextBusiness(), at("2026-11-30T12:30")) == at("2026-11-30T13:00")
    assert CALENDAR.is_open(at("2026-11-30T11:59"))
    assert not CALENDAR.is_open(at("2026-11-30T12:00"))


def test_a_night_on_which_the_clock_is_put_forward_is_an_hour_shorter() -> None:
    night = OpeningHours(week={"sunday": ["00:00-06:00"]}).calendar(PRAGUE)
    assert night.open_between(at("2026-03-29T00:00"), at("2026-03-29T06:00")) == timedelta(hours=5)
    assert night.open_between(at("2026-10-25T00:00"), at("2026-10-25T06:00")) == timedelta(hours=7)
    assert night.after(hours(3), at("2026-03-29T00:00")) == at("2026-03-29T04:00")


@given(
    begins=st.integers(0, 730 * 24 * 60),
    minutes=st.integers(1, 60 * 60),
)
def test_what_is_counted_forward_is_found_again_between_the_two(begins: int, minutes: int) -> None:
    moment, length = NEW_YEAR + timedelta(minutes=begins), timedelta(minutes=minutes)
    ends = CALENDAR.open_for(length, moment)
    assert CALENDAR.open_between(moment, ends) == length


def test_hours_without_breaks_are_those_of_a_business() -> None:
    office, queue = BusinessCalendar(zone=PRAGUE), OpeningHours().calendar(PRAGUE)
    for hour in range(0, 24 * 14, 5):
        moment = at("2026-11-30T00:00") + timedelta(hours=hour)
        for wanted in (hours(3), BusinessSpan(count=2, unit="day"), NextBusiness(at=(10, 30))):
            assert queue.after(wanted, moment) == office.after(wanted, moment)


QUEUES = """
queues:
  - queue: sales
    zone: Europe/Prague
    hours: {week: {monday: [08:00-12:00, 13:00-18:00], friday: 09:00-24:00}, holidays: CZ, closed: [2026-12-24]}
    first_answer: 2 business hours
    escalate_to: leads
    remind_before: 30m
  - queue: leads
grants: {agent: 50, lead: 500}
"""


def test_a_file_of_queues_is_read_and_a_queue_nobody_wrote_down_has_office_hours() -> None:
    read = read_house_file("queues", QUEUES, "queues.yaml")
    assert isinstance(read, QueuesFile)
    assert queue_calendar(read.named("sales")).closed == {date(2026, 12, 24)}
    assert read.named("nowhere").first_answer is None
    assert read.grants is not None
    assert [read.grants.of(role) for role in ("agent", "lead", "admin")] == [50, 500, None]
    told = read.model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert QueuesFile.model_validate(told, strict=False) == read


WRONG: list[tuple[dict[str, str], str]] = [
    ({"08:00-12:00, 13:00-18:00": "08:00-12:00, 11:00-18:00"}, "overlap"),
    ({"09:00-24:00": "9 to 5"}, "write 09:00-17:00"),
    ({"09:00-24:00": "17:00-09:00"}, "ends before it begins"),
    ({"escalate_to: leads": "escalate_to: nobody"}, "there is no queue 'nobody'"),
    ({"escalate_to: leads": "escalate_to: sales"}, "where it is"),
    ({"queue: leads": "queue: sales"}, "there twice"),
    ({"2 business hours": "9999 business days"}, "more than ten years"),
    ({"2026-12-24": "2026-13-24"}, "is no date"),
    ({"Europe/Prague": "Europe/Nowhere"}, "IANA"),
    ({"holidays: CZ": "holidays: XX"}, "not known"),
    ({"lead: 500": "lead: 5"}, "less than an agent"),
    ({"[08:00-12:00, 13:00-18:00], friday: 09:00-24:00": "[]"}, "never at work"),
]


@pytest.mark.parametrize(("change", "told"), WRONG)
def test_a_wrong_file_of_queues_is_refused_where_it_is_wrong(
    change: dict[str, str], told: str
) -> None:
    text = QUEUES
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(InvalidDocumentError) as refused:
        read_house_file("queues", text, "queues.yaml")
    problems: Any = refused.value.problems
    assert any(told in f"{each.message} {each.remedy}" for each in problems), str(refused.value)
    assert all(each.line > 1 for each in problems)
