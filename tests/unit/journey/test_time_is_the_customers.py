"""Deadlines are exact instants, on the customer's own calendar and clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from journey.business_time import BusinessCalendar
from journey.conditions import ConditionError
from journey.moments import read_moment
from journey.spans import SpanError, read_span
from journey.touchpoint import minute, stamp
from tests.unit.journey.story import NOON, Run, entered, on

SEND = "send: {message: reminder, purpose: service}"


def local(zone: str, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


PRAGUE, NEW_YORK = "Europe/Prague", "America/New_York"


@pytest.mark.parametrize(
    ("zone", "begins", "span", "ends"),
    [
        (PRAGUE, "2026-01-31T10:00", "1mo", "2026-02-28T10:00"),
        (PRAGUE, "2024-02-29T10:00", "1y", "2025-02-28T10:00"),
        (PRAGUE, "2026-03-02T10:00", "P1W", "2026-03-09T10:00"),
    ],
)
def test_days_are_calendar_days_and_hours_are_exact(
    zone: str, begins: str, span: str, ends: str
) -> None:
    anna = entered(on(f"wait: {span}", "finish: waited"), now=local(zone, begins), zone=zone)

    assert anna.wakes_at == local(zone, ends)


@pytest.mark.parametrize(
    ("zone", "begins", "moment", "ends"),
    [
        (PRAGUE, "2026-03-02T08:59", "next 09:00", "2026-03-02T09:00"),
        (PRAGUE, "2026-03-02T09:00", "next 09:00", "2026-03-03T09:00"),
        (PRAGUE, "2026-03-02T09:01", "next 9:00", "2026-03-03T09:00"),
        (PRAGUE, "2026-03-06T10:00", "next weekday 09:00", "2026-03-09T09:00"),
        (PRAGUE, "2026-03-02T10:00", "next monday 09:00", "2026-03-09T09:00"),
        (PRAGUE, "2026-03-02T10:00", "next sunday 00:00", "2026-03-08T00:00"),
        (PRAGUE, "2026-03-02T10:00", "next 1st 09:00", "2026-04-01T09:00"),
        (PRAGUE, "2026-03-01T08:00", "next 1st 09:00", "2026-03-01T09:00"),
        (PRAGUE, "2026-02-02T10:00", "next last 18:00", "2026-02-28T18:00"),
        (PRAGUE, "2028-02-28T18:00", "next last 18:00", "2028-02-29T18:00"),
        (PRAGUE, "2026-12-31T18:00", "next last 18:00", "2027-01-31T18:00"),
    ],
)
def test_next_nine_is_nine_on_the_customers_clock(
    zone: str, begins: str, moment: str, ends: str
) -> None:
    anna = entered(on(f"wait: {moment}", "finish: waited"), now=local(zone, begins), zone=zone)

    assert anna.wakes_at == local(zone, ends)


def test_a_customer_without_a_zone_is_on_the_journeys_clock() -> None:
    journey = on("wait: next 09:00", "finish: waited", zone=NEW_YORK)

    assert entered(journey).wakes_at == local(NEW_YORK, "2026-03-02T09:00")
    assert entered(journey, zone=PRAGUE).wakes_at == local(PRAGUE, "2026-03-03T09:00")


def test_a_customer_who_travels_takes_the_deadline_along() -> None:
    anna = entered(on("wait: next 09:00", "finish: waited"), zone=PRAGUE)
    assert anna.wakes_at == local(PRAGUE, "2026-03-03T09:00")

    anna.becomes(zone=NEW_YORK)
    assert anna.wakes_at == local(NEW_YORK, "2026-03-02T09:00")

    anna.until(local(NEW_YORK, "2026-03-02T09:00"))
    assert anna.outcome == "waited"


def test_a_customer_who_travels_past_the_deadline_is_due_at_once() -> None:
    anna = entered(on("wait: next 18:00", "finish: waited"), zone=NEW_YORK)

    anna.until(local(NEW_YORK, "2026-03-02T15:00"))
    anna.becomes(zone=PRAGUE)

    assert anna.outcome == "waited"


@pytest.mark.parametrize("zone", ["Mars/Base", "", "../../etc/passwd", "a\0b", "x" * 300, "GMT+25"])
def test_a_zone_that_does_not_exist_is_noted_and_the_old_one_stays(zone: str) -> None:
    anna = entered(on("wait: next 09:00", "finish: waited"), zone=PRAGUE)

    anna.becomes(zone=zone)

    assert anna.wakes_at == local(PRAGUE, "2026-03-03T09:00")
    assert any("zone" in why for why in anna.why)


def test_a_profile_with_a_zone_that_does_not_exist_is_on_the_journeys_clock() -> None:
    anna = entered(on("wait: next 09:00", "finish: waited", zone=NEW_YORK), zone="Mars/Base")

    assert anna.wakes_at == local(NEW_YORK, "2026-03-02T09:00")


KEPT = {"keep": "{departs: event.properties.departs}"}
MOVED = "[{on: Delayed, do: [{set: {run.departs: event.properties.departs}}]}]"


def departing(until: str) -> Run:
    journey = on(f"wait: {{until: '{until}'}}", "finish: waited", whenever=MOVED, **KEPT)
    return entered(journey, departs="2026-03-05T10:00:00Z", zone=PRAGUE)


@pytest.mark.parametrize(
    ("until", "hours"),
    [
        ("run.departs", 0),
        ("run.departs - 3h", -3),
        ("run.departs + 90m", 1.5),
        ("run.departs - 1d", -24),
    ],
)
def test_a_deadline_that_names_a_kept_value_moves_with_it(until: str, hours: float) -> None:
    anna = departing(until)
    assert anna.wakes_at == datetime(2026, 3, 5, 10, tzinfo=UTC) + timedelta(hours=hours)

    anna.does("Delayed", departs="2026-03-07T16:00:00Z")
    assert anna.wakes_at == datetime(2026, 3, 7, 16, tzinfo=UTC) + timedelta(hours=hours)


def test_a_deadline_that_moves_into_the_past_is_due_at_once() -> None:
    assert (
        departing("run.departs").does("Delayed", departs="2026-03-01T10:00:00Z").outcome == "waited"
    )


def test_a_deadline_that_names_a_trait_moves_with_it() -> None:
    anna = entered(
        on("wait: {until: 'customer.renews - 30d'}", "finish: waited"),
        traits={"renews": "2026-06-01T00:00:00Z"},
    )
    assert anna.wakes_at == datetime(2026, 5, 2, tzinfo=UTC)

    anna.becomes(renews="2026-07-01T00:00:00Z")
    assert anna.wakes_at == datetime(2026, 6, 1, tzinfo=UTC)


def test_an_old_alarm_that_fires_after_the_deadline_moved_does_nothing() -> None:
    anna = departing("run.departs")
    anna.does("Delayed", departs="2026-03-07T16:00:00Z")

    anna.until(datetime(2026, 3, 5, 10, tzinfo=UTC))

    assert anna.outcome is None


@pytest.mark.parametrize(
    "departs",
    [None, "tomorrow", 7, "0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-10:00", {"a": 1}],
)
def test_a_deadline_that_cannot_be_told_loses_nobody(departs: object) -> None:
    anna = departing("run.departs + 99y")

    anna.does("Delayed", departs=departs)

    assert anna.outcome == "waited" or anna.wakes_at is not None


def test_a_step_that_is_late_after_an_outage_runs() -> None:
    anna = entered(on("wait: 1h", SEND, "wait: 1h", "finish: waited"))
    anna.outage(days=3)

    anna.after(minutes=0)

    assert anna.messages == ["reminder"]
    assert anna.wakes_at == NOON + timedelta(days=3, hours=1), (
        "the next wait counts from when it is reached"
    )


WAIT = "wait: {any: [{on: Paid, do: [{finish: paid}]}], until: 1h, late: [{finish: unpaid}]}"


def test_a_touchpoint_that_is_here_wins_over_the_deadline_that_passed_meanwhile() -> None:
    anna = entered(on(WAIT))
    anna.outage(hours=8)

    anna.does("Paid")

    assert anna.outcome == "paid"


def test_all_that_came_is_looked_at_before_a_deadline_that_passed_meanwhile() -> None:
    noted = "[{on: Noted, do: [{set: {run.note: '1'}}]}]"
    anna = entered(on(WAIT, keep="{note: '0'}", whenever=noted))
    anna.outage(hours=8)

    anna.together(anna.told("Noted"), anna.told("Paid"))

    assert anna.outcome == "paid"


def test_a_touchpoint_that_moves_a_deadline_wins_over_it() -> None:
    anna = departing("run.departs")
    anna.outage(days=4)

    anna.does("Delayed", departs="2026-03-09T10:00:00Z")

    assert anna.outcome is None
    assert anna.wakes_at == datetime(2026, 3, 9, 10, tzinfo=UTC)


def test_a_wait_for_a_moment_that_has_passed_does_not_wait() -> None:
    journey = on("wait: {until: run.departs}", SEND, "finish: waited", **KEPT)

    assert entered(journey, departs="2020-01-01T00:00:00Z").outcome == "waited"


@pytest.mark.parametrize(
    "text", ["5 minutes", "1d 1d", "", "d", "-1h", "1.5h", "150y", "P", "PT", "P1H", "1h30"]
)
def test_what_is_no_length_of_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SpanError, match=r"write|twice|longer"):
        read_span(text)


@pytest.mark.parametrize(
    "text", ["next 25:00", "next someday 09:00", "next 9", "5 minutes", "1.5h", "10"]
)
def test_what_is_no_moment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SpanError, match="write"):
        read_moment(text)


def test_a_day_in_a_trait_begins_at_midnight_on_the_customers_clock() -> None:
    journey = on("wait: {until: customer.renews_on - 14d}", "finish: waited")
    anna = entered(journey, zone=NEW_YORK, traits={"renews_on": "2026-04-01"})

    assert anna.wakes_at == local(NEW_YORK, "2026-03-18T00:00")

    anna.becomes(renews_on="2026-06-01")

    assert anna.wakes_at == local(NEW_YORK, "2026-05-18T00:00")


def test_a_day_that_is_none_is_told_and_loses_nobody() -> None:
    journey = on("wait: {until: customer.renews_on}", "finish: waited")
    anna = entered(journey, traits={"renews_on": "2026-02-30"})

    assert anna.outcome == "waited"
    assert any("2026-02-30" in why for why in anna.why)


@pytest.mark.parametrize("span", ["1d", "2w", "1d12h", "36h", "1mo", "100y"])
@pytest.mark.parametrize(
    "began", [NOON, NOON.replace(microsecond=7), datetime(9998, 12, 31, tzinfo=UTC)]
)
def test_a_customer_in_utc_waits_as_long_as_one_on_the_same_clock_elsewhere(
    span: str, began: datetime
) -> None:
    def ends(zone: str) -> datetime | str:
        try:
            return read_moment(span).resolve(began, zone, BusinessCalendar(zone=zone), {})
        except ConditionError as error:
            return str(error)

    assert ends("UTC") == ends("Etc/UTC")


@pytest.mark.parametrize(
    "moment",
    [
        NOON,
        NOON.replace(microsecond=7_000),
        NOON.replace(microsecond=999),
        NOON.replace(microsecond=999_999),
        datetime(2, 1, 1, tzinfo=UTC),
        datetime(2026, 11, 9, 8, 7, 6, tzinfo=ZoneInfo("Europe/Prague")),
    ],
)
def test_an_instant_is_written_as_rfc_3339_says(moment: datetime) -> None:
    spelled = "milliseconds" if moment.microsecond else "seconds"
    expected = moment.astimezone(UTC).isoformat(timespec=spelled).replace("+00:00", "Z")

    assert stamp(moment) == expected
    assert minute(moment) == f"{moment:%Y-%m-%d %H:%M}"
