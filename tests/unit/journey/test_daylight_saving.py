"""The clock changes twice a year, and a customer may travel: days stay days, hours stay hours.

Instants are written with their offset, so that each row says on which side of a change it lies.
In 2026 the clock goes forward on 29 March in Prague, 8 March in New York and 4 October on Lord Howe
(there by half an hour), and back on 25 October, 1 November and 5 April.
"""

from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.journey.story import Run, entered, on

PRAGUE, NEW_YORK, LORD_HOWE = "Europe/Prague", "America/New_York", "Australia/Lord_Howe"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def waiting(moment: str, begins: str, zone: str) -> Run:
    return entered(on(f"wait: {moment}", "finish: waited"), now=at(begins), zone=zone)


A_DAY = [
    (PRAGUE, "2026-03-28T14:00+01:00", "2026-03-29T14:00+02:00"),
    (PRAGUE, "2026-03-28T01:59+01:00", "2026-03-29T01:59+01:00"),
    (PRAGUE, "2026-03-28T02:00+01:00", "2026-03-29T03:00+02:00"),  # 02:00 to 03:00 is skipped
    (PRAGUE, "2026-03-28T02:30+01:00", "2026-03-29T03:30+02:00"),
    (PRAGUE, "2026-03-28T03:00+01:00", "2026-03-29T03:00+02:00"),
    (PRAGUE, "2026-03-29T14:00+02:00", "2026-03-30T14:00+02:00"),
    (PRAGUE, "2026-10-24T14:00+02:00", "2026-10-25T14:00+01:00"),
    (PRAGUE, "2026-10-24T02:30+02:00", "2026-10-25T02:30+02:00"),  # there twice: the first
    (PRAGUE, "2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"),
    (PRAGUE, "2026-10-25T02:30+01:00", "2026-10-26T02:30+01:00"),
    (NEW_YORK, "2026-03-07T14:00-05:00", "2026-03-08T14:00-04:00"),
    (NEW_YORK, "2026-03-07T02:30-05:00", "2026-03-08T03:30-04:00"),
    (NEW_YORK, "2026-10-31T14:00-04:00", "2026-11-01T14:00-05:00"),
    (NEW_YORK, "2026-10-31T01:30-04:00", "2026-11-01T01:30-04:00"),
    (NEW_YORK, "2026-11-01T01:30-05:00", "2026-11-02T01:30-05:00"),
    (LORD_HOWE, "2026-04-04T14:00+11:00", "2026-04-05T14:00+10:30"),
    (LORD_HOWE, "2026-04-04T01:45+11:00", "2026-04-05T01:45+11:00"),
    (LORD_HOWE, "2026-04-05T01:45+10:30", "2026-04-06T01:45+10:30"),
    (LORD_HOWE, "2026-10-03T14:00+10:30", "2026-10-04T14:00+11:00"),
    (LORD_HOWE, "2026-10-03T02:15+10:30", "2026-10-04T02:45+11:00"),
]


@pytest.mark.parametrize(("zone", "begins", "ends"), A_DAY)
@pytest.mark.parametrize("span", ["1d", "P1D"])
def test_a_day_later_is_the_same_time_on_the_customers_clock(
    zone: str, begins: str, ends: str, span: str
) -> None:
    assert waiting(span, begins, zone).wakes_at == at(ends)


@pytest.mark.parametrize(("zone", "begins", "ends"), A_DAY)
@pytest.mark.parametrize("span", ["24h", "PT24H", "1440m", "86400s"])
def test_twenty_four_hours_are_exact_whatever_the_clock_does(
    zone: str, begins: str, ends: str, span: str
) -> None:
    assert waiting(span, begins, zone).wakes_at == at(begins) + timedelta(hours=24)


@pytest.mark.parametrize(
    ("zone", "begins", "span", "ends"),
    [
        (PRAGUE, "2026-03-25T10:00+01:00", "1w", "2026-04-01T10:00+02:00"),
        (PRAGUE, "2026-03-28T14:00+01:00", "1d12h", "2026-03-30T02:00+02:00"),
        (PRAGUE, "2026-03-28T02:30+01:00", "1d30m", "2026-03-29T04:00+02:00"),
        (PRAGUE, "2026-10-20T10:00+02:00", "2w", "2026-11-03T10:00+01:00"),
        (PRAGUE, "2026-02-28T02:30+01:00", "1mo1d", "2026-03-29T03:30+02:00"),
        (NEW_YORK, "2026-10-01T10:00-04:00", "1mo", "2026-11-01T10:00-05:00"),
        (LORD_HOWE, "2025-10-04T10:00+10:30", "1y", "2026-10-04T10:00+11:00"),
        # Months end when they end.
        (PRAGUE, "2026-01-31T10:00+01:00", "1mo", "2026-02-28T10:00+01:00"),
        (PRAGUE, "2028-01-31T10:00+01:00", "1mo", "2028-02-29T10:00+01:00"),
        (PRAGUE, "2026-01-31T10:00+01:00", "2mo", "2026-03-31T10:00+02:00"),
        (PRAGUE, "2026-01-31T10:00+01:00", "1mo1d", "2026-03-01T10:00+01:00"),
        (PRAGUE, "2026-08-31T10:00+02:00", "6mo", "2027-02-28T10:00+01:00"),
        (PRAGUE, "2024-02-29T10:00+01:00", "1y", "2025-02-28T10:00+01:00"),
        (PRAGUE, "2024-02-29T10:00+01:00", "4y", "2028-02-29T10:00+01:00"),
        (PRAGUE, "2026-02-28T10:00+01:00", "1mo", "2026-03-28T10:00+01:00"),
    ],
)
def test_weeks_and_months_are_those_of_the_calendar(
    zone: str, begins: str, span: str, ends: str
) -> None:
    assert waiting(span, begins, zone).wakes_at == at(ends)


@pytest.mark.parametrize(
    ("zone", "begins", "moment", "ends"),
    [
        (PRAGUE, "2026-03-28T10:00+01:00", "next 09:00", "2026-03-29T09:00+02:00"),
        (PRAGUE, "2026-03-29T01:00+01:00", "next 09:00", "2026-03-29T09:00+02:00"),
        (PRAGUE, "2026-03-29T10:00+02:00", "next 09:00", "2026-03-30T09:00+02:00"),
        (PRAGUE, "2026-10-24T10:00+02:00", "next 09:00", "2026-10-25T09:00+01:00"),
        (PRAGUE, "2026-10-25T02:30+01:00", "next 09:00", "2026-10-25T09:00+01:00"),
        (PRAGUE, "2026-10-25T10:00+01:00", "next 09:00", "2026-10-26T09:00+01:00"),
        (NEW_YORK, "2026-03-07T10:00-05:00", "next 09:00", "2026-03-08T09:00-04:00"),
        (NEW_YORK, "2026-10-31T10:00-04:00", "next 09:00", "2026-11-01T09:00-05:00"),
        (LORD_HOWE, "2026-04-04T10:00+11:00", "next 09:00", "2026-04-05T09:00+10:30"),
        (LORD_HOWE, "2026-10-03T10:00+10:30", "next 09:00", "2026-10-04T09:00+11:00"),
        (PRAGUE, "2026-03-27T10:00+01:00", "next weekday 09:00", "2026-03-30T09:00+02:00"),
        (PRAGUE, "2026-10-23T10:00+02:00", "next sunday 09:00", "2026-10-25T09:00+01:00"),
        (PRAGUE, "2026-10-23T10:00+02:00", "next last 09:00", "2026-10-31T09:00+01:00"),
        # In the gap: the clock shows 03:30 when it would have shown 02:30.
        (PRAGUE, "2026-03-28T10:00+01:00", "next 02:30", "2026-03-29T03:30+02:00"),
        (PRAGUE, "2026-03-29T03:15+02:00", "next 02:30", "2026-03-29T03:30+02:00"),
        (NEW_YORK, "2026-03-07T10:00-05:00", "next 02:30", "2026-03-08T03:30-04:00"),
        (LORD_HOWE, "2026-10-03T10:00+10:30", "next 02:15", "2026-10-04T02:45+11:00"),
        (LORD_HOWE, "2026-10-03T10:00+10:30", "next 02:30", "2026-10-04T02:30+11:00"),
        # In the overlap: the first of two, and only one of them.
        (PRAGUE, "2026-10-24T10:00+02:00", "next 02:30", "2026-10-25T02:30+02:00"),
        (PRAGUE, "2026-10-25T02:30+02:00", "next 02:30", "2026-10-26T02:30+01:00"),
        (PRAGUE, "2026-10-25T02:15+01:00", "next 02:30", "2026-10-26T02:30+01:00"),
        (NEW_YORK, "2026-10-31T10:00-04:00", "next 01:30", "2026-11-01T01:30-04:00"),
        (NEW_YORK, "2026-11-01T01:30-04:00", "next 01:30", "2026-11-02T01:30-05:00"),
        (LORD_HOWE, "2026-04-04T10:00+11:00", "next 01:45", "2026-04-05T01:45+11:00"),
        (LORD_HOWE, "2026-04-05T01:45+11:00", "next 01:45", "2026-04-06T01:45+10:30"),
    ],
)
def test_next_nine_is_nine_on_the_clock_once_a_day(
    zone: str, begins: str, moment: str, ends: str
) -> None:
    assert waiting(moment, begins, zone).wakes_at == at(ends)


def test_who_is_told_every_day_is_told_once_on_the_day_with_two_half_past_two() -> None:
    journey = on("repeat: {at_most: 4, do: [{wait: next 02:30}]}", "finish: told")
    anna = entered(journey, now=at("2026-10-23T12:00+02:00"), zone=PRAGUE)
    told: list[datetime] = []

    while anna.outcome is None and anna.wakes_at is not None:
        told.append(anna.wakes_at)
        anna.until(anna.wakes_at)

    assert told == [
        at("2026-10-24T02:30+02:00"),
        at("2026-10-25T02:30+02:00"),
        at("2026-10-26T02:30+01:00"),
        at("2026-10-27T02:30+01:00"),
    ]


@pytest.mark.parametrize(
    ("moment", "begins", "at_home", "away"),
    [
        ("next 09:00", "2026-03-28T14:00+01:00", "2026-03-29T09:00+02:00", "2026-03-29T09:00-04:00"),
        ("next 09:00", "2026-03-06T16:00+01:00", "2026-03-07T09:00+01:00", "2026-03-07T09:00-05:00"),
        # 14:00 in Prague is 09:00 in New York, where the clock has changed already.
        ("1d", "2026-03-28T14:00+01:00", "2026-03-29T14:00+02:00", "2026-03-29T09:00-04:00"),
        # 14:00 in Prague is 08:00 in New York, where it changes on the next day.
        ("1d", "2026-03-07T14:00+01:00", "2026-03-08T14:00+01:00", "2026-03-08T08:00-04:00"),
        ("24h", "2026-03-28T14:00+01:00", "2026-03-29T15:00+02:00", "2026-03-29T15:00+02:00"),
        ("24h", "2026-03-07T14:00+01:00", "2026-03-08T14:00+01:00", "2026-03-08T14:00+01:00"),
        # In New York it is still the last day of January.
        ("1mo", "2026-02-01T03:00+01:00", "2026-03-01T03:00+01:00", "2026-02-28T21:00-05:00"),
    ],
)  # fmt: skip
def test_who_changes_zone_while_waiting_is_on_the_clock_of_the_new_one(
    moment: str, begins: str, at_home: str, away: str
) -> None:
    anna = waiting(moment, begins, PRAGUE)
    assert anna.wakes_at == at(at_home)

    anna.becomes(zone=NEW_YORK)
    assert anna.wakes_at == at(away)

    anna.becomes(zone=PRAGUE)
    assert anna.wakes_at == at(at_home)


def test_who_comes_back_over_the_change_is_told_when_the_new_clock_says_so() -> None:
    anna = waiting("next 09:00", "2026-03-28T14:00+01:00", NEW_YORK)
    anna.becomes(zone=PRAGUE)

    anna.until(at("2026-03-29T08:59+02:00"))
    assert anna.outcome is None
    anna.until(at("2026-03-29T09:00+02:00"))
    assert anna.outcome == "waited"


@pytest.mark.parametrize(
    ("before", "departs", "moved", "reminded", "reminded_then"),
    [
        ("3h", "2026-03-29T18:00+02:00", "2026-03-29T21:00+02:00",
         "2026-03-29T15:00+02:00", "2026-03-29T18:00+02:00"),
        # A day before is the same time on the clock; twenty-four hours before is not.
        ("1d", "2026-03-29T18:00+02:00", "2026-03-29T21:00+02:00",
         "2026-03-28T18:00+01:00", "2026-03-28T21:00+01:00"),
        ("24h", "2026-03-29T18:00+02:00", "2026-03-29T21:00+02:00",
         "2026-03-28T17:00+01:00", "2026-03-28T20:00+01:00"),
        ("1mo", "2026-03-31T18:00+02:00", "2026-04-30T21:00+02:00",
         "2026-02-28T18:00+01:00", "2026-03-30T21:00+02:00"),
    ],
)  # fmt: skip
def test_a_reminder_moves_with_the_flight(
    before: str, departs: str, moved: str, reminded: str, reminded_then: str
) -> None:
    journey = on(f"wait: {{until: customer.departs - {before}}}", "finish: reminded")
    anna = entered(
        journey, now=at("2026-02-01T12:00+01:00"), zone=PRAGUE, traits={"departs": departs}
    )
    assert anna.wakes_at == at(reminded)

    anna.becomes(departs=moved)
    assert anna.wakes_at == at(reminded_then)

    anna.until(at(reminded_then) - timedelta(seconds=1))
    assert anna.outcome is None
    anna.until(at(reminded_then))
    assert anna.outcome == "reminded"


@pytest.mark.parametrize("zone", [None, "Mars/Base", "", 7])
def test_who_is_in_no_zone_that_exists_is_on_the_journeys_clock(zone: object) -> None:
    journey = on("wait: next 09:00", "finish: waited", zone=LORD_HOWE)
    began = at("2026-10-03T12:00+10:30")

    anna = entered(journey, now=began, zone=zone if isinstance(zone, str) else None)
    anna.becomes(zone=zone)

    assert anna.wakes_at == at("2026-10-04T09:00+11:00")
