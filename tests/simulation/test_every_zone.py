"""On every clock of the world: nine o'clock comes once a day, and nobody is written to in their quiet hours.

The calendar of `whenever` is held against that of the standard library, over clocks that go forward and back, a day
that was skipped, leap days and the ends of years.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from journey.business_hours import Business
from journey.moments import read_moment
from journey.quiet_hours import quiet_between, quiet_until
from journey.spans import is_zone
from tests.scorecard import keep

CALENDAR = Business().calendar("UTC")
NINE = "next 09:00"
FULL = (date(2026, 1, 1), date(2031, 1, 1))
SKIPPED = {"Pacific/Apia": date(2011, 12, 30), "Pacific/Kwajalein": date(1993, 8, 21)}
"""Days that a zone left out."""

ODD = (
    "Europe/Prague", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca",
    "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia", "Pacific/Chatham", "Antarctica/Troll",
    "Africa/Cairo", "Asia/Gaza", "America/Santiago", "Asia/Beirut", "America/Nuuk", "UTC",
)  # fmt: skip
QUIET = [quiet_between(time(21), time(8))]
DAY, HALF_HOUR = timedelta(days=1), timedelta(minutes=30)


def noon(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(12), zone).astimezone(UTC)


def transitions(name: str, first: date, last: date) -> list[date]:
    """The days on which the clock of a zone shows another offset than the day before."""
    zone, found, day = ZoneInfo(name), list[date](), first
    before = noon(day, zone).astimezone(zone).utcoffset()
    while day < last:
        day += DAY
        offset = noon(day, zone).astimezone(zone).utcoffset()
        if offset != before:
            found.append(day)
        before = offset
    return found


def wrong_nines(name: str, first: date, last: date) -> Iterator[str]:
    """From day to day: nine o'clock on each local day that there is, once."""
    zone, moment = ZoneInfo(name), read_moment(NINE)
    at, ends = noon(first - DAY, zone), noon(last, zone)
    fired = list[date]()
    while at < ends:
        at = moment.resolve(at, name, CALENDAR, {})
        local = at.astimezone(zone)
        if at < ends:
            fired.append(local.date())
        if (local.hour, local.minute) != (9, 0):
            yield f"{name}: fired at {local}"
    days = [first + DAY * n for n in range((last - first).days + 1)]
    there = [day for day in days if day != SKIPPED.get(name)]
    if fired != there:
        odd = set(fired).symmetric_difference(there) or "twice"
        yield f"{name}: not once a day around {odd}"


def wrong_quiet(name: str, around: date) -> Iterator[str]:
    """Every half hour of the days around: nothing goes while the clock shows a quiet hour, and what waits goes soon."""
    zone = ZoneInfo(name)
    at = noon(around - 2 * DAY, zone)
    for _ in range(4 * 48):
        at += HALF_HOUR
        over = quiet_until(QUIET, at, name)
        if over is None:
            if _is_quiet(at, zone):
                yield f"{name}: not quiet at {at.astimezone(zone)}"
            continue
        if _is_quiet(over, zone) or not at < over <= at + timedelta(hours=36):
            yield f"{name}: quiet at {at.astimezone(zone)} until {over.astimezone(zone)}"


def _is_quiet(at: datetime, zone: ZoneInfo) -> bool:
    return not 8 <= at.astimezone(zone).hour < 21


def looked_at(names: Iterable[str], *, whole: bool) -> tuple[int, list[str]]:
    """How many changes of clocks were looked at, and what is wrong. `whole`: on every day, not only around them."""
    wrong, count = list[str](), 0
    for name in names:
        changes = [*transitions(name, *FULL), *([SKIPPED[name]] if name in SKIPPED else [])]
        count += len(changes)
        if whole:
            wrong += wrong_nines(name, *FULL)
        for day in (*changes, date(2028, 2, 29), date(2027, 1, 1)):
            wrong += wrong_nines(name, day - 3 * DAY, day + 3 * DAY)
            wrong += wrong_quiet(name, day)
    return count, wrong


@pytest.mark.parametrize(
    "whole", [False, pytest.param(True, marks=pytest.mark.faults_full)], ids=["odd", "all"]
)
def test_nine_comes_once_a_day_and_quiet_hours_hold(whole: bool) -> None:
    names = sorted(filter(is_zone, available_timezones())) if whole else ODD

    changes, wrong = looked_at(names, whole=whole)

    keep(
        "R11",
        {"zones": len(names), "transitions": changes, "wrong": len(wrong)},
        met=whole and not wrong,
    )
    assert wrong == []
    assert changes > len(names)


def test_a_clock_that_is_wrong_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SKIPPED, "UTC", date(2028, 2, 28))

    assert list(wrong_nines("UTC", date(2028, 2, 26), date(2028, 3, 2)))
