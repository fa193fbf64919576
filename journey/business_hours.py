"""When the business is open, as an author writes it: days, hours, and whose holidays are kept."""

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from journey.business_time import DAYS, BusinessCalendar, Day
from journey.entry_dates import Clock
from journey.language import Model
from journey.public_holidays import fault_in, holidays_in


class ClosingTime(Clock):
    """A time of day at which something ends: `17:00`, at the latest `24:00`."""

    __slots__ = ()
    pattern_words = "a time of day such as 17:00, at the latest 24:00"

    @classmethod
    def checked(cls, text: str) -> str:
        return text if text == "24:00" else super().checked(text)


def _holidays(code: str) -> str:
    fault = fault_in(code)
    if fault:
        message, remedy = fault
        raise PydanticCustomError("holidays", "{words}", {"words": message, "remedy": remedy})
    holidays_in(code)  # loads them now, so that no run has to
    return code


def minute_of(clock: str) -> int:
    """The minute of the day that a clock shows."""
    hour, _, minute = clock.partition(":")
    return 60 * int(hour) + int(minute)


KeptHolidays = Annotated[str, AfterValidator(_holidays)]
"""Whose public holidays are kept, checked and loaded."""


class Business(Model):
    """When the business is open, in the journey's zone: what business hours and business days are."""

    days: list[Day] = Field(default=list(DAYS[:5]), min_length=1, max_length=7)
    """On which days of the week."""
    opens: Clock = Field(default=Clock("09:00"), alias="from")
    """From when."""
    closes: ClosingTime = Field(default=ClosingTime("17:00"), alias="to")
    """Until when, at most 24:00."""
    holidays: KeptHolidays | None = None
    """Whose public holidays are no business days: an ISO country code, `CZ`, or a part of one, `US-NY`."""

    @field_validator("closes")
    @classmethod
    def _closes_later(cls, closes: ClosingTime, info: ValidationInfo) -> ClosingTime:
        opens = info.data.get("opens")
        if opens is not None and minute_of(closes) <= minute_of(opens):
            raise PydanticCustomError(
                "closes",
                "the day closes at {closes} and opens at {opens}",
                {
                    "closes": closes,
                    "opens": opens,
                    "remedy": "let it close later, by 24:00: a business day lies within one date",
                },
            )
        return closes

    def calendar(self, zone: str) -> BusinessCalendar:
        """The calendar in a zone."""
        return BusinessCalendar(
            zone=zone,
            days=tuple(day for day in DAYS if day in self.days),
            opens_minute=minute_of(self.opens),
            closes_minute=minute_of(self.closes),
            holidays=self.holidays,
        )
