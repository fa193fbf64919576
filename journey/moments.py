"""Moments as an author writes them: `4h`, `next 09:00`, `next weekday 09:00`, `run.departs - 24h`.

A length of time counts from when the step is reached. `next` is on the customer's clock.
Anything else is CEL whose value is an instant, or a day (`2026-03-02`), which begins at midnight
on the customer's clock, with an optional length of time added or taken at its end; such a moment
moves when what it names changes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from whenever import Time

from journey import conditions
from journey.spans import Span, SpanError, in_zone, is_span, read_span

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NEXT = re.compile(
    rf"next\s+(?:(?P<day>weekday|{'|'.join(_DAYS)})\s+)?(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)"
)
_SHIFTED = re.compile(
    r"(?P<base>.+?)\s*(?P<sign>[+-])\s*(?P<span>(?:\d{1,9}(?:mo|y|w|d|h|m|s))+|P[0-9A-Z]+)",
    re.DOTALL,
)


@dataclass(slots=True, frozen=True, kw_only=True)
class Moment:
    """A moment read from text; exactly one of `span`, `next_time` and `source` is given."""

    text: str
    span: Span | None = None
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
        names: Mapping[str, object],
        declared: frozenset[str] | None = None,
    ) -> datetime:
        """The instant, for a step reached at `began`. Raises: `ConditionError`."""
        try:
            if self.span is not None:
                return conditions.within_calendar(self.span.after(began, zone), self.text)
            return conditions.within_calendar(self._at(began, zone, names, declared), self.text)
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
    following = _NEXT.fullmatch(text)
    if following:
        return Moment(
            text=text,
            next_time=(int(following["hour"]), int(following["minute"])),
            next_day=following["day"],
        )
    if text.startswith("next "):
        raise SpanError(f"{text!r}: write next 09:00, next weekday 09:00 or next monday 09:00")
    if re.fullmatch(r"[\d.]+\s*\w*", text):
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
    local = in_zone(began, zone)
    for ahead in range(9):
        date = local.date().add(days=ahead)
        name = _DAYS[date.day_of_week().value - 1]
        if day == "weekday" and name in ("saturday", "sunday"):
            continue
        if day not in (None, "weekday", name):
            continue
        candidate = date.at(Time(*at)).assume_tz(zone, disambiguation="compatible").to_instant()
        moment = candidate.to_stdlib().astimezone(UTC)
        if moment > began:
            return moment
    raise conditions.ConditionError(
        f"no {day or 'day'} within nine days"
    )  # cannot be: every week has each day
