"""Dates by which customers enter: a time of day, so long before or after, again and again."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache

from dateutil.rrule import rrule, rrulestr
from pydantic import JsonValue
from pydantic_core import PydanticCustomError
from whenever import Date, PlainDateTime, Time

from journey.conditions import ConditionError
from journey.language import Words
from journey.spans import in_zone, is_span, read_span

MOST_YEARS_AHEAD = 100
_FREQUENT = ("SECONDLY", "MINUTELY")


class Clock(Words):
    """A time of day: `09:00`."""

    __slots__ = ()
    pattern_words = "a time of day such as 09:00"

    @classmethod
    def checked(cls, text: str) -> str:
        try:
            hour, minute = text.split(":")
            Time(int(hour), int(minute))
        except ValueError:
            raise PydanticCustomError(
                "words", "expected {what}", {"what": cls.pattern_words}
            ) from None
        return text

    @property
    def time(self) -> Time:
        """The time of day."""
        hour, minute = self.split(":")
        return Time(int(hour), int(minute))


class OffsetText(Words):
    """How long before or after a date: `-30d`, `2d`."""

    __slots__ = ()
    pattern_words = "how long before or after: -30d, 2d"

    @classmethod
    def checked(cls, text: str) -> str:
        if not is_span(text.lstrip("+-").strip()):
            raise PydanticCustomError("words", "expected {what}", {"what": cls.pattern_words})
        read_span(text.lstrip("+-").strip())
        return text


class RecurrenceText(Words):
    """When something recurs, as an RRULE (RFC 5545): `FREQ=WEEKLY;BYDAY=MO;BYHOUR=9`."""

    __slots__ = ()
    pattern_words = "an RRULE of RFC 5545, such as FREQ=WEEKLY;BYDAY=MO;BYHOUR=9"

    @classmethod
    def checked(cls, text: str) -> str:
        parts = dict(part.split("=", 1) for part in text.upper().split(";") if "=" in part)
        if parts.get("FREQ") in _FREQUENT:
            raise PydanticCustomError("words", "at most once an hour: FREQ=HOURLY or seldomer")
        try:
            if "FREQ" not in parts or "DTSTART" in text.upper():
                raise ValueError
            _rule(text, datetime(2026, 1, 1))  # noqa: DTZ001 -- a local time, as RRULE counts
        except ValueError:
            raise PydanticCustomError(
                "words", "expected {what}", {"what": cls.pattern_words}
            ) from None
        return text


def date_of(value: JsonValue, zone: str) -> Date:
    """The day that a trait names: `2026-03-02`, or the local day of a moment. Raises: `ConditionError`."""
    if isinstance(value, str):
        with suppress(ValueError):
            return Date.parse_iso(value)
        with suppress(ValueError):
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                return in_zone(moment, zone).date()
    raise ConditionError(f"{str(value)[:40]!r} is not a date such as 2026-03-02")


def entry_moments(
    day: Date, zone: str, *, offset: str | None, at: str | None, yearly: bool, after: datetime
) -> Iterator[tuple[str, datetime]]:
    """The moments behind `after` at which a date brings its customer in, each with the name of its occurrence.

    29 February is kept on 28 February in other years.
    """
    last = in_zone(after, zone).date().year + 2
    years = range(max(day.year, last - 4), last + 1) if yearly else (day.year,)
    for year in years:
        occurrence = _in_year(day, year)
        moment = _moment(occurrence, zone, offset, at)
        if moment > after:
            yield occurrence.format_iso(), moment


def _in_year(day: Date, year: int) -> Date:
    if day.month == 2 and day.day == 29:
        return Date(year, 3, 1).subtract(days=1)
    return day.replace(year=year)


def _moment(day: Date, zone: str, offset: str | None, at: str | None) -> datetime:
    time = Clock(at).time if at else Time(0, 0)
    local = day.at(time).assume_tz(zone, disambiguation="compatible")
    moment = local.to_instant().to_stdlib().astimezone(UTC)
    if offset is None:
        return moment
    span = read_span(offset.lstrip("+-").strip())
    return span.before(moment, zone) if offset.startswith("-") else span.after(moment, zone)


def next_occurrence(
    recurrence: str, zone: str, began: datetime, after: datetime
) -> datetime | None:
    """The first occurrence behind `after`, on the clock of `zone` from the day of `began` on; None behind the last."""
    first = in_zone(began, zone).date().at(Time(0, 0)).to_stdlib()
    local = in_zone(after, zone).to_plain().to_stdlib()
    for found in _rule(recurrence, first).xafter(local, count=3, inc=True):
        if found.year > first.year + MOST_YEARS_AHEAD:
            return None
        local_moment = PlainDateTime(found).assume_tz(zone, disambiguation="compatible")
        moment = local_moment.to_instant().to_stdlib().astimezone(UTC)
        if moment > after:
            return moment
    return None


@lru_cache(maxsize=256)
def _rule(recurrence: str, first: datetime) -> rrule:
    """The rule on a clock without a zone. Raises: `ValueError`."""
    rule = rrulestr(recurrence, dtstart=first)
    if not isinstance(rule, rrule):
        raise ValueError("expected one RRULE")  # noqa: TRY004 -- as the parser's own refusals
    return rule
