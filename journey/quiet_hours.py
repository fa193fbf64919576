"""Quiet hours: when marketing waits, on the customer's own clock."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from whenever import Date, Time

from journey.business_time import DAYS, Day
from journey.public_holidays import fault_in, holidays_in
from journey.spans import in_zone

_DAY = timedelta(days=1)
_ROUNDS = 1_000


@dataclass(slots=True, frozen=True, kw_only=True)
class Quiet:
    """Quiet from one minute of the day to another; where `ends` is not later, to that of the next day.

    They begin on `days` and on the public holidays of `holidays`; where neither is given, on every day.
    """

    begins_minute: int
    ends_minute: int
    days: tuple[Day, ...] = ()
    holidays: str | None = None

    def around(self, moment: datetime, zone: str) -> Iterator[tuple[datetime, datetime]]:
        """The quiet hours that began on the day of `moment` or on the day before, as instants."""
        today = in_zone(moment, zone).date().to_stdlib()
        for day in (today - _DAY, today):
            if self._keeps(day):
                over = self.ends_minute <= self.begins_minute
                last = day + _DAY if over else day
                # What the clock shows twice: from the first time that it begins to the last that it ends.
                yield (
                    _on_clock(day, self.begins_minute, zone, "earlier"),
                    _on_clock(last, self.ends_minute, zone, "later"),
                )

    def _keeps(self, day: date) -> bool:
        if not self.days and self.holidays is None:
            return True
        return DAYS[day.weekday()] in self.days or (
            self.holidays is not None and day in holidays_in(self.holidays)
        )


def quiet_until(hours: Sequence[Quiet], moment: datetime, zone: str) -> datetime | None:
    """The first instant after which all of them are over, or None where it is not quiet now.

    Where they leave no minute of a year, an instant more than a year away.
    """
    free = moment
    for _ in range(_ROUNDS):
        ends = [
            end for each in hours for began, end in each.around(free, zone) if began <= free < end
        ]
        if not ends:
            return None if free == moment else free
        free = max(ends)
    return moment + timedelta(days=_ROUNDS)


def quiet_between(begins: time, ends: time) -> Quiet:
    """Quiet hours of every day between two times of day; alike, they are the whole day."""
    return Quiet(begins_minute=_minute(begins), ends_minute=_minute(ends))


def known_holidays(code: object) -> str | None:
    """The code of a country or part of it whose holidays are known; None for anything else."""
    return code if isinstance(code, str) and code and fault_in(code) is None else None


def _minute(clock: time) -> int:
    return 60 * clock.hour + clock.minute


def _on_clock(day: date, minute: int, zone: str, which: Literal["earlier", "later"]) -> datetime:
    if minute == 24 * 60:
        day, minute = day + _DAY, 0
    local = Date(day.year, day.month, day.day).at(Time(*divmod(minute, 60)))
    instant = local.assume_tz(zone, disambiguation=which).to_instant()
    return instant.to_stdlib().astimezone(UTC)
