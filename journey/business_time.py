"""Business time: `2 business hours`, `1 business day`, `next business day 09:00`, `next business hour`.

It runs while the business is open, on the clock of the journey's zone, never the customer's.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal

from whenever import Date, Time

from journey.public_holidays import holidays_in
from journey.spans import SpanError, in_zone

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

DAYS: tuple[Day, ...] = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
FURTHEST_DAYS = 3_660
"""So many days are looked through, ten years, and never more."""

_A_DAY = datetime(2026, 1, 1, tzinfo=UTC)
"""An example of a day."""

_SPAN = re.compile(r"(?P<count>\d{1,4})\s+business\s+(?P<unit>hour|day)s?")
_NEXT = re.compile(r"next\s+business\s+(?:hour|day\s+(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d))")
_SPEAKS_OF_IT = re.compile(r"\bbusiness\s+(?:hour|day)s?\b|next\s+business\b")
_MINUTES_A_DAY = 24 * 60


@dataclass(slots=True, frozen=True, kw_only=True)
class BusinessSpan:
    """So many hours during which the business is open, or so many of its days."""

    count: int
    unit: Literal["hour", "day"]


@dataclass(slots=True, frozen=True, kw_only=True)
class NextBusiness:
    """The next instant at which the business is open, or the next `at` (hour, minute) on one of its days."""

    at: tuple[int, int] | None = None


BusinessTime = BusinessSpan | NextBusiness

Hours = tuple[tuple[int, int], ...]
"""When it is open within a day: from which minute to which, in order; a break lies between two of them."""


@dataclass(slots=True, frozen=True, kw_only=True)
class BusinessCalendar:
    """When the business is open: on which days, between which minutes of the day, in which zone.

    `week`: hours of their own for each day from Monday on, breaks between them, in place of the same hours
    on all `days`. Public holidays of `holidays` are no business days, nor are `closed`. Holidays belong to
    the engine (journey/public_holidays.py).
    """

    zone: str
    days: tuple[Day, ...] = DAYS[:5]
    opens_minute: int = 9 * 60
    closes_minute: int = 17 * 60
    holidays: str | None = None
    week: tuple[Hours, ...] | None = None
    closed: frozenset[date] = frozenset()

    def after(self, wanted: BusinessTime, moment: datetime) -> datetime:
        """The instant, counted from `moment`; at the latest ten years after it, which the gate refuses."""
        found = self.found_after(wanted, moment)
        return found if found is not None else moment + timedelta(days=FURTHEST_DAYS)

    def found_after(self, wanted: BusinessTime, moment: datetime) -> datetime | None:
        """The instant, counted from `moment`; None where ten years do not hold it."""
        return _found(self, wanted, moment)

    def open_days(self, moment: datetime) -> Iterator[tuple[date, datetime, datetime]]:
        """The business days from the one of `moment` on, each with the instants at which it opens and closes."""
        for day, hours in self._days(moment):
            yield day, self._at(day, hours[0][0]), self._at(day, hours[-1][1])

    def open_times(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The times without a break from the day of `moment` on: the instants at which each begins and ends."""
        for day, hours in self._days(moment):
            for opens, closes in hours:
                yield self._at(day, opens), self._at(day, closes)

    def open_between(self, begins: datetime, ends: datetime) -> timedelta:
        """How long it is open between two instants."""
        opened = timedelta()
        for opens, closes in self.open_times(begins):
            if opens >= ends:
                break
            opened += max(min(closes, ends) - max(opens, begins), timedelta())
        return opened

    def open_for(self, length: timedelta, moment: datetime) -> datetime:
        """The instant by which it was open for so long from `moment` on; at the latest ten years after it."""
        found = _open_for(self, length, moment)
        return found if found is not None else moment + timedelta(days=FURTHEST_DAYS)

    def is_open(self, moment: datetime) -> bool:
        """Whether it is open at this instant."""
        return self.found_after(NextBusiness(), moment) == moment

    def reaches(self, wanted: BusinessTime) -> bool:
        """Whether ten years hold it; from which day on makes no difference of years."""
        return self.found_after(wanted, _A_DAY) is not None

    def _days(self, moment: datetime) -> Iterator[tuple[date, Hours]]:
        today = in_zone(moment, self.zone).date().to_stdlib()
        for ahead in range(FURTHEST_DAYS):
            day = today + timedelta(days=ahead)
            hours = self._hours(day.weekday())
            if hours and day not in self.closed and not self._is_holiday(day):
                yield day, hours

    def _hours(self, weekday: int) -> Hours:
        if self.week is not None:
            return self.week[weekday]
        return ((self.opens_minute, self.closes_minute),) if DAYS[weekday] in self.days else ()

    def on_clock(self, day: date, at: Time) -> datetime:
        """The instant at which the clock shows this on a day; a time that is skipped is moved on."""
        local = Date(day.year, day.month, day.day).at(at)
        instant = local.assume_tz(self.zone, disambiguation="compatible").to_instant()
        return instant.to_stdlib().astimezone(UTC)

    def _at(self, day: date, minute: int) -> datetime:
        if minute == _MINUTES_A_DAY:
            return self.on_clock(day + timedelta(days=1), Time(0))
        return self.on_clock(day, Time(*divmod(minute, 60)))

    def _is_holiday(self, day: date) -> bool:
        return self.holidays is not None and day in holidays_in(self.holidays)


# A step asks again with every touchpoint, and the answer is the same.
@lru_cache(maxsize=8_192)
def _found(calendar: BusinessCalendar, wanted: BusinessTime, moment: datetime) -> datetime | None:
    match wanted:
        case BusinessSpan(unit="hour"):
            return _open_for(calendar, timedelta(hours=wanted.count), moment)
        case BusinessSpan():
            return _days_after(calendar, wanted.count, moment)
        case NextBusiness(at=None):
            open_now = (
                max(opens, moment)
                for opens, closes in calendar.open_times(moment)
                if max(opens, moment) < closes
            )
            return next(open_now, None)
        case NextBusiness(at=at):
            clock = Time(*(at or (0, 0)))
            days = (calendar.on_clock(day, clock) for day, _, _ in calendar.open_days(moment))
            return next((instant for instant in days if instant > moment), None)


def _open_for(calendar: BusinessCalendar, left: timedelta, moment: datetime) -> datetime | None:
    for opens, closes in calendar.open_times(moment):
        begins = max(opens, moment)
        if begins < closes:
            if begins + left <= closes:
                return begins + left
            left -= closes - begins
    return None


def _days_after(calendar: BusinessCalendar, left: int, moment: datetime) -> datetime | None:
    """The same time on the clock so many business days later; from before opening, the close of the last one."""
    within: Time | None = None
    for day, opens, closes in calendar.open_days(moment):
        if closes <= moment or opens >= closes:
            continue
        if opens < moment:  # so this is the day on which it begins
            within = in_zone(moment, calendar.zone).time()
            continue
        left -= 1
        if left == 0:
            return closes if within is None else calendar.on_clock(day, within)
    return None


@lru_cache(maxsize=1_024)
def read_business_span(text: str) -> BusinessSpan | None:
    """Read `2 business hours` or `1 business day`; None where the text does not speak of business time."""
    if "business" not in text:
        return None
    found = _SPAN.fullmatch(text.strip())
    if not found or int(found["count"]) == 0:
        raise SpanError(f"{text!r}: write 2 business hours or 1 business day")
    return BusinessSpan(
        count=int(found["count"]), unit="hour" if found["unit"] == "hour" else "day"
    )


@lru_cache(maxsize=1_024)
def read_business_time(text: str) -> BusinessTime | None:
    """Read a moment in business time; None where the text does not speak of it, as `customer.business` does not."""
    following = _NEXT.fullmatch(text)
    if following:
        hour, minute = following["hour"], following["minute"]
        return NextBusiness(at=(int(hour), int(minute)) if hour else None)
    if _SPAN.fullmatch(text):
        return read_business_span(text)
    if _SPEAKS_OF_IT.search(text) and "'" not in text and '"' not in text:
        raise SpanError(
            f"{text!r}: write 2 business hours, 1 business day, next business day 09:00"
            " or next business hour"
        )
    return None
