"""When a member of staff is there: within their shift, and not absent. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from journey.business_time import BusinessCalendar, NextBusiness

_LOOKS = 60
"""Absences one after another that are looked past."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Presence:
    """One member's times: their shift, and from when until when they are absent, in order."""

    shift: BusinessCalendar
    absences: Sequence[tuple[datetime, datetime]] = ()

    def absent_until(self, moment: datetime) -> datetime | None:
        """Until when they are absent; None where they are not."""
        return next((until for since, until in self.absences if since <= moment < until), None)

    def is_there(self, moment: datetime) -> bool:
        """Whether they are at work."""
        return self.absent_until(moment) is None and self.shift.is_open(moment)

    def there_from(self, moment: datetime) -> datetime | None:
        """When they are at work next, at this moment at the earliest; None where it cannot be seen."""
        for _ in range(_LOOKS):
            back = self.absent_until(moment)
            if back is not None:
                moment = back
                continue
            opens = self.shift.found_after(NextBusiness(), moment)
            if opens is None or self.absent_until(opens) is None:
                return opens
            moment = opens
        return None

    def away_from(self, moment: datetime) -> datetime | None:
        """When they are absent next, or since when they are; a shift that ends is no absence."""
        return next((since for since, until in self.absences if until > moment), None)
