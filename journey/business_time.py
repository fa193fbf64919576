"""Business time in its simple form: Monday to Friday, 09:00 to 17:00, in one zone."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from whenever import Time

from journey.spans import SpanError, in_zone

OPENS, CLOSES = 9, 17
_TEXT = re.compile(r"(\d{1,4})\s+business\s+(hour|day)s?")


@dataclass(slots=True, frozen=True, kw_only=True)
class BusinessSpan:
    """Hours during which staff are there."""

    hours: int

    def after(self, moment: datetime, zone: str) -> datetime:
        """The instant at which this many business hours have passed since `moment`."""
        left = timedelta(hours=self.hours)
        date = in_zone(moment, zone).date()
        while True:
            if date.day_of_week().value <= 5:
                opens, closes = (
                    date.at(Time(hour))
                    .assume_tz(zone, disambiguation="compatible")
                    .to_instant()
                    .to_stdlib()
                    .astimezone(UTC)
                    for hour in (OPENS, CLOSES)
                )
                begins = max(opens, moment)
                if begins < closes:
                    if begins + left <= closes:
                        return begins + left
                    left -= closes - begins
            date = date.add(days=1)


@lru_cache(maxsize=1_024)
def read_business_span(text: str) -> BusinessSpan | None:
    """Read `2 business hours` or `1 business day`; None where the text does not speak of business time."""
    if "business" not in text:
        return None
    found = _TEXT.fullmatch(text.strip())
    if not found or int(found[1]) == 0:
        raise SpanError(f"{text!r}: write 2 business hours or 1 business day")
    return BusinessSpan(hours=int(found[1]) * (1 if found[2] == "hour" else CLOSES - OPENS))
