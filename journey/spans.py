"""Lengths of time as an author writes them: `90m`, `1d12h`, `3mo`, or ISO 8601 `P1M`.

`h m s` are exact; `d w mo y` are calendar units in the customer's zone: a day later is the
same time on the clock, also when the clock changes in between (RFC 5545's rule).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from whenever import Date, Instant, Time, ZonedDateTime

_UNITS = {
    "y": "years",
    "mo": "months",
    "w": "weeks",
    "d": "days",
    "h": "hours",
    "m": "minutes",
    "s": "seconds",
}
_SHORT = re.compile(r"(?:\s*\d{1,9}\s*(?:mo|y|w|d|h|m|s))+\s*")
_PART = re.compile(r"(\d+)\s*(mo|y|w|d|h|m|s)")
_ISO = re.compile(
    r"P(?=.)(?:(?P<y>\d{1,9})Y)?(?:(?P<mo>\d{1,9})M)?(?:(?P<w>\d{1,9})W)?(?:(?P<d>\d{1,9})D)?"
    r"(?:T(?=.)(?:(?P<h>\d{1,9})H)?(?:(?P<m>\d{1,9})M)?(?:(?P<s>\d{1,9})S)?)?"
)
_LONGEST_YEARS = 100


class SpanError(ValueError):
    """A length of time that cannot be read; the message shows how to write one."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Span:
    """A length of time: calendar units and exact ones."""

    months: int = 0
    days: int = 0
    seconds: int = 0

    def after(self, moment: datetime, zone: str) -> datetime:
        """The instant this long after `moment`, counted on a calendar in `zone`."""
        if moment.tzinfo is UTC and not self.months and (zone == "UTC" or not self.days):
            # A day there is 24 hours: no calendar is needed.
            try:
                return moment + timedelta(self.days, self.seconds)
            except OverflowError:
                pass  # said below, in the calendar's words
        return self._shift(moment, zone, 1)

    def before(self, moment: datetime, zone: str) -> datetime:
        """The instant this long before `moment`, counted on a calendar in `zone`."""
        return self._shift(moment, zone, -1)

    def exact(self) -> timedelta:
        """Its length where every day has 24 hours and every month 30 days: for comparison only."""
        return timedelta(days=30 * self.months + self.days, seconds=self.seconds)

    def _shift(self, moment: datetime, zone: str, sign: int) -> datetime:
        if not self.months and not self.days:
            return moment + timedelta(seconds=sign * self.seconds)
        local = in_zone(moment, zone)
        moved = local.add(
            months=sign * self.months, days=sign * self.days, disambiguation="compatible"
        )
        return moved.to_instant().to_stdlib().astimezone(UTC) + timedelta(
            seconds=sign * self.seconds
        )


def in_zone(moment: datetime, zone: str) -> ZonedDateTime:
    """The instant on a clock in `zone` (an IANA name)."""
    return Instant(moment).to_tz(zone)


def midnight(day: Date, zone: str) -> datetime:
    """When a day begins on a clock in `zone`."""
    began = day.at(Time(0, 0)).assume_tz(zone, disambiguation="compatible")
    return began.to_instant().to_stdlib().astimezone(UTC)


@lru_cache(maxsize=1_024)
def is_zone(name: str) -> bool:
    """Whether this is the name of a time zone."""
    try:
        in_zone(datetime(2026, 1, 1, tzinfo=UTC), name)
    except ValueError:
        return False
    return True


def is_span(text: str) -> bool:
    """Whether the text is a length of time."""
    return bool(_SHORT.fullmatch(text) or _ISO.fullmatch(text))


@lru_cache(maxsize=4_096)
def read_span(text: str) -> Span:
    """Read `1h`, `2d12h`, `3mo`, `PT36H`. Raises: `SpanError`."""
    iso = _ISO.fullmatch(text)
    parts: dict[str, int] = {}
    if iso:
        parts = {unit: int(value) for unit, value in iso.groupdict().items() if value}
    elif _SHORT.fullmatch(text):
        for number, unit in _PART.findall(text):
            if unit in parts:
                raise SpanError(f"{text!r} names {_UNITS[unit]} twice")
            parts[unit] = int(number)
    else:
        raise SpanError(
            f"{text!r} is not a length of time: write 90m, 12h, 3d, 2w, 1mo or ISO 8601 such as PT36H"
        )
    span = Span(
        months=12 * parts.get("y", 0) + parts.get("mo", 0),
        days=7 * parts.get("w", 0) + parts.get("d", 0),
        seconds=3_600 * parts.get("h", 0) + 60 * parts.get("m", 0) + parts.get("s", 0),
    )
    if span.exact() > timedelta(days=366 * _LONGEST_YEARS):
        raise SpanError(f"{text!r} is longer than {_LONGEST_YEARS} years")
    return span
