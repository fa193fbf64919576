"""What a message puts into the customer's calendar (RFC 5545, RFC 5546); a later one moves it."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from icalendar import (
    Calendar,
    Event,
    Timezone,
    TimezoneDaylight,
    TimezoneStandard,
    vCalAddress,
    vText,
)

from activities.message_channel import Attachment

Method = Literal["publish", "request", "cancel"]


@dataclass(slots=True, frozen=True, kw_only=True)
class CalendarEntry:
    """One entry. `about`: what it is of, the same in every message that moves or cancels it.

    `sequence` rises from message to message. `zone`: the customer's, or UTC where nobody knows it.
    """

    about: str
    sequence: int
    title: str
    starts: datetime
    ends: datetime
    made_at: datetime
    place: str = ""
    words: str = ""
    zone: str = "UTC"
    method: Method = "publish"
    organiser: str = ""
    organiser_name: str = ""
    guest: str = ""


def invitation(entry: CalendarEntry) -> Attachment:
    """The file that goes along: calendars know it by its type, and people by its name."""
    zone = UTC if entry.zone == "UTC" else ZoneInfo(entry.zone)
    event = Event()
    event.add("uid", entry_id(entry.about))
    event.add("sequence", entry.sequence)
    event.add("dtstamp", entry.made_at.astimezone(UTC))
    event.add("dtstart", entry.starts.astimezone(zone))
    event.add("dtend", entry.ends.astimezone(zone))
    event.add("summary", entry.title)
    if entry.place:
        event.add("location", entry.place)
    if entry.words:
        event.add("description", entry.words)
    if entry.organiser:
        event["organizer"] = _mailbox(entry.organiser, entry.organiser_name)
    if entry.method == "request":
        event.add("attendee", _mailbox(entry.guest, ""))
    event.add("status", "CANCELLED" if entry.method == "cancel" else "CONFIRMED")
    calendar = Calendar()
    calendar.add("prodid", "-//Clew//Messages//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", entry.method.upper())
    calendar.add_component(event)
    content = calendar.to_ical()
    if isinstance(zone, ZoneInfo):
        clocks = _timezone(zone.key, entry.starts.year - 1, entry.ends.year + 2)
        content = content.replace(b"BEGIN:VEVENT", clocks + b"BEGIN:VEVENT", 1)
    return Attachment(
        name="invite.ics",
        media_type=f"text/calendar; method={entry.method.upper()}; charset=utf-8",
        content=content,
    )


def entry_id(about: str) -> str:
    """The UID of an entry (RFC 7986, 5.3): the same for the same, and telling nothing."""
    return f"{hashlib.sha256(about.encode()).hexdigest()[:32]}@clew"


@lru_cache(maxsize=500)
def _timezone(key: str, first_year: int, before_year: int) -> bytes:
    """How the clock goes there, change by change, in these years; made once, for it takes 13 ms.

    Written here: icalendar 7.3 tells when summer time begins by the clock of summer, an hour late.
    """
    zone = ZoneInfo(key)
    first, last = (datetime(year, 1, 1, tzinfo=UTC) for year in (first_year, before_year))
    told = Timezone()
    told.add("tzid", zone.key)
    before = first
    told.add_component(_clock(zone, before, before))
    while before < last:
        after = before + timedelta(days=1)
        if _offset(zone, before) != _offset(zone, after):
            low, high = before, after
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) / 2
                low, high = (
                    (middle, high)
                    if _offset(zone, middle) == _offset(zone, before)
                    else (low, middle)
                )
            change = (high + timedelta(seconds=30)).replace(second=0, microsecond=0)
            told.add_component(_clock(zone, before, change))
        before = after
    return told.to_ical()


def _clock(
    zone: ZoneInfo, before: datetime, since: datetime
) -> TimezoneDaylight | TimezoneStandard:
    """The clock there from an instant on; RFC 5545, 3.6.5: told by the clock that went until then."""
    there = since.astimezone(zone)
    clock = TimezoneDaylight() if there.dst() else TimezoneStandard()
    clock.add("dtstart", (since + _offset(zone, before)).replace(tzinfo=None, microsecond=0))
    clock.add("tzoffsetfrom", _offset(zone, before))
    clock.add("tzoffsetto", _offset(zone, since))
    clock.add("tzname", there.tzname())
    return clock


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _mailbox(address: str, name: str) -> vCalAddress:
    mailbox = vCalAddress(f"mailto:{address}")
    if name:
        mailbox.params["CN"] = vText(name)
    return mailbox
