"""Opening hours as a queue of staff writes them: for each day of the week, with breaks, holidays and closed days."""

import re
from datetime import date
from itertools import pairwise
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from journey.business_hours import KeptHolidays, minute_of
from journey.business_time import DAYS, BusinessCalendar, Day, Hours
from journey.language import Model

MOST_A_DAY = 6

_TIMES = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)\s*[-\u2013]\s*((?:[01]\d|2[0-3]):[0-5]\d|24:00)")


def _fault(message: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError("opening_hours", "{words}", {"words": message, "remedy": remedy})


def _times(text: str) -> str:
    found = _TIMES.fullmatch(text.strip())
    if found is None:
        raise _fault(f"{text[:40]!r} is no time from when to when", "write 09:00-17:00")
    if minute_of(found[2]) <= minute_of(found[1]):
        raise _fault(f"{text[:40]!r} ends before it begins", "a day lies within one date, to 24:00")
    return f"{found[1]}-{found[2]}"


def _in_order(times: list[str]) -> list[str]:
    hours = _hours(times)
    if any(later[0] < earlier[1] for earlier, later in pairwise(hours)):
        raise _fault("two of these times overlap, or are not in order", "the earlier first")
    return times


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _day(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise _fault(f"{value[:40]!r} is no date", "write 2026-12-24") from None
    return value


TimesOfDay = Annotated[
    list[Annotated[str, AfterValidator(_times)]],
    BeforeValidator(_listed, json_schema_input_type=str | list[str]),
    AfterValidator(_in_order),
    Field(max_length=MOST_A_DAY),
]
ClosedDay = Annotated[date, BeforeValidator(_day, json_schema_input_type=str)]

OFFICE_HOURS: dict[Day, list[str]] = {day: ["09:00-17:00"] for day in DAYS[:5]}


class OpeningHours(Model):
    """When a queue is at work: its week, whose public holidays it keeps, and on which days besides it is closed."""

    week: dict[Day, TimesOfDay] = Field(default=OFFICE_HOURS, min_length=1)
    """For each day from when to when: `monday: [08:00-12:00, 13:00-18:00]`. A day that is not named is closed."""
    holidays: KeptHolidays | None = None
    """Whose public holidays are kept: an ISO country code, `CZ`, or a part of one, `US-NY`."""
    closed: list[ClosedDay] = Field(default=[], max_length=400)
    """Days on which it is closed besides, such as a day when all are away."""

    def calendar(self, zone: str) -> BusinessCalendar:
        """The calendar in a zone."""
        return BusinessCalendar(
            zone=zone,
            week=tuple(_hours(self.week.get(day, [])) for day in DAYS),
            holidays=self.holidays,
            closed=frozenset(self.closed),
        )


def _hours(times: list[str]) -> Hours:
    parts = (each.split("-") for each in times)
    return tuple((minute_of(opens), minute_of(closes)) for opens, closes in parts)
