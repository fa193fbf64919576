"""What the API is told about customers' own pages."""

from collections.abc import Callable
from datetime import datetime
from typing import Self

from pydantic import field_validator, model_validator

from journey.business_hours import Business
from journey.business_time import read_business_span
from journey.spans import SpanError, is_zone, read_span
from workers.process_settings import ProcessSettings


class PageSettings(ProcessSettings):
    """Settings of customers' own pages, as a part of those of the API."""

    business_name: str = ""
    """What the business is called, on top of customers' own pages."""
    page_zone: str = "UTC"
    """Time zone in which customers' own pages tell times where the customer's own is not known."""
    page_channels: list[str] = ["email"]
    """By which channels customers choose to get news and offers on their page: JSON ["email", "sms"]."""
    correctable_traits: list[str] | None = None
    """Traits that customers may correct on their page: JSON ["first_name", "city"]; names, addresses,
    birthday and time zone where unset."""
    person_queue: str = "customers"
    """Queue of staff for customers who ask for a person on their page."""
    person_answer: str | None = None
    """By when they have an answer: 4 business hours, 1 business day, or 2h; no time is said where unset."""
    person_hours: Business = Business()
    """When that queue works, in CLEW_PAGE_ZONE: JSON {"days": ["monday"], "from": "09:00", "to": "17:00",
    "holidays": "CZ"}; Monday to Friday, 09:00 to 17:00 where unset."""

    @field_validator("page_zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if not is_zone(zone):
            raise ValueError("write an IANA time zone such as Europe/Prague")
        return zone

    @model_validator(mode="after")
    def _answerable(self) -> Self:
        try:
            answer_by(self)
        except SpanError as error:
            raise ValueError(f"CLEW_PERSON_ANSWER: {error}") from None
        return self


def answer_by(settings: PageSettings) -> Callable[[datetime], datetime | None]:
    """By when a customer who asks for a person at an instant has an answer. Raises: `SpanError`."""
    text, zone = settings.person_answer, settings.page_zone
    if text is None:
        return _no_time
    span = read_business_span(text)
    if span is None:
        exact = read_span(text)
        return lambda asked: exact.after(asked, zone)
    calendar = settings.person_hours.calendar(zone)
    return lambda asked: calendar.after(span, asked)


def _no_time(asked: datetime) -> None:
    del asked
