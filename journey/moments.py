"""Moments as an author writes them: `4h`, `next 09:00`, `2 business hours`, `run.departs - 24h`.

A length of time counts from when the step is reached. `next` is on the customer's clock (`1st` and
`last` are days of the month), business time on that of the journey's zone.
Anything else is CEL whose value is an instant, or a day (`2026-03-02`), which begins at midnight
on the customer's clock, with an optional length of time added or taken at its end; such a moment
moves when what it names changes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from whenever import Date, Time

from journey import conditions
from journey.business_time import DAYS, BusinessCalendar, BusinessTime, read_business_time
from journey.spans import Span, SpanError, in_zone, is_span, read_span

_NEXT = re.compile(
    rf"next\s+(?:(?P<day>weekday|1st|last|{'|'.join(DAYS)})\s+)?(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)"
)
_FURTHEST_DAYS = 63
_SHIFTED = re.compile(
    r"(?P<base>.+?)\s*(?P<sign>[+-])\s*(?P<span>(?:\d{1,9}(?:mo|y|w|d|h|m|s))+|P[0-9A-Z]+)",
    re.DOTALL,
)


@dataclass(slots=True, frozen=True, kw_only=True)
class Moment:
    """A moment read from text; exactly one of `span`, `business`, `next_time` and `source` is given."""

    text: str
    span: Span | None = None
    business: BusinessTime | None = None
    next_time: tuple[int, int] | None = None
    next_day: str | None = None
    source: str | None = None
    shift: Span | None = None
    shift_sign: int = 1

    @property
    def moves(self) -> bool:
        """Whether it names something that may change while one waits."""
        return self.source is not None

    def resolve(
        self,
        began: datetime,
        zone: str,
        business: BusinessCalendar,
        names: Mapping[str, object],
        declared: frozenset[str] | None = None,
    ) -> datetime:
        """The instant, for a step reached at `began`; `zone` is the customer's. Raises: `ConditionError`."""
        try:
            if self.span is not None:
                at = self.span.after(began, zone)
            elif self.business is not None:
                at = business.after(self.business, began)
            else:
                at = self._at(began, zone, names, declared)
            return conditions.within_calendar(at, self.text)
        except conditions.ConditionError:
            raise
        except (ValueError, OverflowError) as error:
            raise conditions.ConditionError(f"{self.text!r}: {error}") from None

    def _at(
        self,
        began: datetime,
        zone: str,
        names: Mapping[str, object],
        declared: frozenset[str] | None,
    ) -> datetime:
        if self.next_time is not None:
            return _next(began, zone, self.next_time, self.next_day)
        if self.source is None:
            raise conditions.ConditionError(f"{self.text!r} is no moment")
        base = conditions.instant(self.source, names, declared, zone)
        if self.shift is None:
            return base
        return (
            self.shift.after(base, zone) if self.shift_sign > 0 else self.shift.before(base, zone)
        )


@lru_cache(maxsize=4_096)
def read_moment(text: str) -> Moment:
    """Read a moment. Raises: `SpanError` where a length of time is wrong; CEL is checked at publication."""
    text = text.strip()
    if is_span(text):
        return Moment(text=text, span=read_span(text))
    business = read_business_time(text)
    if business is not None:
        return Moment(text=text, business=business)
    following = _NEXT.fullmatch(text)
    if following:
        return Moment(
            text=text,
            next_time=(int(following["hour"]), int(following["minute"])),
            next_day=following["day"],
        )
    if text.startswith("next "):
        raise SpanError(
            f"{text!r}: write next 09:00, next weekday 09:00, next monday 09:00, next 1st 09:00,"
            " next last 09:00 or next business day 09:00"
        )
    if re.match(r"\d{4}-\d\d-\d\d", text):
        raise SpanError(
            f"{text[:40]!r} is a date: write 'timestamp(\"2026-12-24T18:00:00Z\")' with both quotes"
        )
    if re.fullmatch(r"[\d.:]+\s*\w*", text):
        raise SpanError(
            f"{text!r} is not a length of time: write 90m, 12h, 3d, 2w, 1mo or ISO 8601 such as PT36H"
        )
    shifted = _SHIFTED.fullmatch(text)
    if shifted:
        return Moment(
            text=text,
            source=shifted["base"],
            shift=read_span(shifted["span"]),
            shift_sign=1 if shifted["sign"] == "+" else -1,
        )
    return Moment(text=text, source=text)


def _next(began: datetime, zone: str, at: tuple[int, int], day: str | None) -> datetime:
    """The next time the clock shows this, once a day: a time that is skipped is moved on, of two the first counts."""
    local = in_zone(began, zone)
    for ahead in range(_FURTHEST_DAYS):
        date = local.date().add(days=ahead)
        if not _is_wanted(date, day):
            continue
        candidate = date.at(Time(*at)).assume_tz(zone, disambiguation="compatible").to_instant()
        moment = candidate.to_stdlib().astimezone(UTC)
        if moment > began:
            return moment
    raise conditions.ConditionError(
        f"no {day or 'day'} within {_FURTHEST_DAYS} days"
    )  # cannot be: every week has each day, every month a first and a last


def _is_wanted(date: Date, day: str | None) -> bool:
    match day:
        case None:
            return True
        case "weekday":
            return date.day_of_week().value <= 5
        case "1st":
            return date.day == 1
        case "last":  # of the month
            return date.add(days=1).day == 1
        case _:
            return DAYS[date.day_of_week().value - 1] == day
