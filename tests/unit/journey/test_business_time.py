"""Business hours are those of the staff: on the journey's clock, on its days, and never on a holiday."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey.business_time import (
    DAYS,
    FURTHEST_DAYS,
    BusinessCalendar,
    BusinessSpan,
    NextBusiness,
    read_business_span,
    read_business_time,
)
from journey.spans import SpanError
from tests.unit.journey.story import entered, on

CLONE = Path(__file__).resolve().parents[3]
PRAGUE, NEW_YORK, LORD_HOWE = "Europe/Prague", "America/New_York", "Australia/Lord_Howe"
CZECH = "{holidays: CZ}"
SHOP = "{days: [tuesday, saturday, sunday], from: '10:30', to: '20:00'}"
ALWAYS = f"{{days: [{', '.join(DAYS)}], from: '00:00', to: '24:00'}}"
NIGHT = "{days: [sunday], from: '01:00', to: '04:00'}"


def local(zone: str, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("business", "begins", "moment", "ends"),
    [
        # Monday to Friday from 9 to 5, where the journey says nothing.
        ("", "2026-03-02T10:00", "2 business hours", "2026-03-02T12:00"),
        ("", "2026-03-02T16:00", "2 business hours", "2026-03-03T10:00"),
        ("", "2026-03-06T16:30", "1 business hour", "2026-03-09T09:30"),
        ("", "2026-03-07T11:00", "1 business hour", "2026-03-09T10:00"),
        ("", "2026-03-02T17:00", "8 business hours", "2026-03-03T17:00"),
        ("", "2026-03-02T03:00", "1 business day", "2026-03-02T17:00"),
        ("", "2026-03-02T09:00", "1 business day", "2026-03-02T17:00"),
        ("", "2026-03-02T11:20", "1 business day", "2026-03-03T11:20"),
        ("", "2026-03-06T11:20", "3 business days", "2026-03-11T11:20"),
        ("", "2026-03-07T11:20", "2 business days", "2026-03-10T17:00"),
        ("", "2026-03-02T08:00", "next business day 09:00", "2026-03-02T09:00"),
        ("", "2026-03-02T09:00", "next business day 09:00", "2026-03-03T09:00"),
        ("", "2026-03-06T10:00", "next business day 9:00", "2026-03-09T09:00"),
        ("", "2026-03-06T10:00", "next business day 20:15", "2026-03-06T20:15"),
        ("", "2026-03-06T17:00", "next business hour", "2026-03-09T09:00"),
        # Easter: Good Friday and Easter Monday of 2026 are 3 and 6 April.
        (CZECH, "2026-04-02T16:00", "2 business hours", "2026-04-07T10:00"),
        (CZECH, "2026-04-02T16:00", "1 business day", "2026-04-07T16:00"),
        (CZECH, "2026-04-02T18:00", "next business day 09:00", "2026-04-07T09:00"),
        (CZECH, "2026-04-06T12:00", "next business hour", "2026-04-07T09:00"),
        (CZECH, "2026-12-23T17:00", "1 business hour", "2026-12-28T10:00"),
        ("{holidays: US-NY}", "2026-07-02T16:30", "1 business hour", "2026-07-06T09:30"),  # in lieu
        ("{holidays: NO}", "2026-05-15T16:30", "1 business hour", "2026-05-18T09:30"),
        ("{holidays: GB}", "2026-11-30T08:00", "next business hour", "2026-11-30T09:00"),
        ("{holidays: GB-SCT}", "2026-11-30T08:00", "next business hour", "2026-12-01T09:00"),
        # A shop with days and hours of its own.
        (SHOP, "2026-03-02T10:00", "1 business hour", "2026-03-03T11:30"),
        (SHOP, "2026-03-03T19:00", "2 business hours", "2026-03-07T11:30"),
        (SHOP, "2026-03-03T12:34", "1 business day", "2026-03-07T12:34"),
        (SHOP, "2026-03-02T10:00", "2 business days", "2026-03-07T20:00"),
        # One that never closes: hours are exact, a day is the same time on the clock.
        (ALWAYS, "2026-03-28T12:00", "24 business hours", "2026-03-29T13:00"),
        (ALWAYS, "2026-03-28T12:00", "1 business day", "2026-03-29T12:00"),
        (ALWAYS, "2026-10-24T12:00", "24 business hours", "2026-10-25T11:00"),
        (ALWAYS, "2026-10-24T12:00", "1 business day", "2026-10-25T12:00"),
        # One that is open while the clock changes: two hours in March, four in October.
        (NIGHT, "2026-03-28T12:00", "2 business hours", "2026-03-29T04:00"),
        (NIGHT, "2026-03-28T12:00", "3 business hours", "2026-04-05T02:00"),
        (NIGHT, "2026-10-24T12:00", "4 business hours", "2026-10-25T04:00"),
    ],
)  # fmt: skip
def test_business_time_runs_while_the_business_is_open(
    business: str, begins: str, moment: str, ends: str
) -> None:
    parts = {"business": business} if business else {}
    journey = on(f"wait: {moment}", "finish: waited", zone=PRAGUE, **parts)

    # The customer is far away; the business is where it is.
    anna = entered(journey, now=local(PRAGUE, begins), zone="Pacific/Auckland")

    assert anna.wakes_at == local(PRAGUE, ends)


def test_who_comes_while_the_business_is_open_does_not_wait_for_it() -> None:
    journey = on("wait: next business hour", "finish: called", zone=PRAGUE)

    assert entered(journey, now=local(PRAGUE, "2026-03-02T11:00")).outcome == "called"
    assert entered(journey, now=local(PRAGUE, "2026-03-02T08:59")).outcome is None


def test_staff_are_not_late_over_a_holiday() -> None:
    journey = on(
        "handoff: {queue: q, brief: b, first_answer: 2 business hours, escalate_to: leads,"
        " resolve: 1 business day, decisions: {done: {}}, late: [{finish: late}]}",
        "finish: helped",
        zone=PRAGUE,
        business=CZECH,
    )
    anna = entered(journey, now=local(PRAGUE, "2026-04-02T16:00"), zone=NEW_YORK)

    [case] = anna.cases
    assert case.first_answer_by == local(PRAGUE, "2026-04-07T10:00")
    assert case.resolve_by == local(PRAGUE, "2026-04-07T16:00")

    anna.until(local(PRAGUE, "2026-04-07T09:59"))
    assert anna.escalated == []
    anna.until(local(PRAGUE, "2026-04-07T10:00"))
    assert anna.escalated == ["leads"]
    anna.until(local(PRAGUE, "2026-04-07T16:00"))
    assert anna.outcome == "late"


def test_a_customer_who_travels_does_not_move_the_hours_of_the_staff() -> None:
    anna = entered(on("wait: 2 business hours", "finish: waited", zone=PRAGUE), zone=PRAGUE)
    before = anna.wakes_at

    anna.becomes(zone=NEW_YORK)

    assert anna.wakes_at == before


def test_a_trait_may_be_called_business() -> None:
    journey = on("wait: {until: customer.business_day}", "finish: waited")

    anna = entered(journey, traits={"business_day": "2026-06-01T00:00:00Z"})

    assert anna.wakes_at == datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "0 business hours",
        "two business hours",
        "1.5 business hours",
        "2 business weeks hours",
        "next business day",
        "next business day 24:00",
        "next business week",
        "in 2 business hours",
        "run.departs - 2 business hours",
        "99999 business days",
    ],
)
def test_business_time_that_cannot_be_read_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SpanError, match="write 2 business hours"):
        assert read_business_time(text) or read_business_span(text)


CALENDARS = st.builds(
    lambda days, opens, length, zone, holidays: BusinessCalendar(
        zone=zone,
        days=tuple(days),
        opens_minute=opens,
        closes_minute=min(opens + length, 24 * 60),
        holidays=holidays,
    ),
    st.sets(st.sampled_from(DAYS), min_size=1),
    st.integers(0, 24 * 60 - 1),
    st.integers(1, 24 * 60),
    st.sampled_from([PRAGUE, NEW_YORK, LORD_HOWE, "UTC"]),
    st.sampled_from([None, "CZ", "US-NY"]),
)
WANTED = st.one_of(
    st.builds(BusinessSpan, count=st.integers(1, 60), unit=st.sampled_from(["hour", "day"])),
    st.builds(NextBusiness, at=st.none() | st.tuples(st.integers(0, 23), st.integers(0, 59))),
)
MOMENTS = st.integers(0, 2 * 366 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@given(CALENDARS, WANTED, MOMENTS)
def test_on_any_calendar_what_is_counted_ends_later_within_bounds_and_in_order(
    calendar: BusinessCalendar, wanted: BusinessSpan | NextBusiness, moment: datetime
) -> None:
    ends = calendar.after(wanted, moment)

    assert moment <= ends <= moment + timedelta(days=FURTHEST_DAYS + 2)
    assert calendar.after(wanted, moment + timedelta(hours=1)) >= ends
    if isinstance(wanted, BusinessSpan):
        assert ends > moment
        more = BusinessSpan(count=wanted.count + 1, unit=wanted.unit)
        assert calendar.after(more, moment) >= ends


def test_no_calendar_is_looked_through_for_more_than_ten_years() -> None:
    a_minute_a_week = BusinessCalendar(
        zone=PRAGUE, days=("monday",), opens_minute=0, closes_minute=1
    )
    begins = local(PRAGUE, "2026-03-02T12:00")

    assert len(list(a_minute_a_week.open_times(begins))) == FURTHEST_DAYS // 7 + 1
    assert a_minute_a_week.found_after(BusinessSpan(count=9_999, unit="hour"), begins) is None
    assert a_minute_a_week.after(BusinessSpan(count=9_999, unit="hour"), begins) == (
        begins + timedelta(days=FURTHEST_DAYS)
    )


def test_holidays_are_loaded_only_where_a_journey_names_a_country() -> None:
    program = """
import sys
from pathlib import Path
from journey.publication import read_definition
source = Path("tests/journeys/abandoned-cart.yaml").read_text()
read_definition(source, "plain.yaml")
print("holidays" in sys.modules)
read_definition(source + "\\nbusiness: {holidays: CZ}\\n", "czech.yaml")
print("holidays" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=CLONE
    )

    assert done.stdout.split() == ["False", "True"]
