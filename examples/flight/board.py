"""The departures board: what passengers and staff could know about each flight, and from when on.

The data says how a day ended. When a delay or a cancellation was announced it does not say:
that is generated here, always before the time that the flight was last said to leave, save for
a few that are held on the taxiway and announced too late.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from examples.flight.chance import Chance
from examples.flight.departures import Departure

WORTH_TELLING = 15
"""Delays of fewer minutes are not announced."""

TIME_TO_CHANGE = timedelta(minutes=75)
"""What a passenger needs to get onto another flight."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Notice:
    """From `at` on, the flight is said to leave and arrive then."""

    at: datetime
    departs: datetime
    arrives: datetime
    minutes: int


@dataclass(slots=True, frozen=True, kw_only=True)
class Entry:
    """One flight on the board."""

    departure: Departure
    notices: tuple[Notice, ...] = ()
    cancelled_at: datetime | None = None
    carousel: str = ""
    carousel_at: datetime | None = None

    def said(self, at: datetime) -> tuple[datetime, datetime]:
        """When it is said, at that moment, to leave and to arrive."""
        told = [notice for notice in self.notices if notice.at <= at]
        if told:
            return told[-1].departs, told[-1].arrives
        return self.departure.departs, self.departure.arrives

    @property
    def boards_by(self) -> datetime:
        """By when passengers and bags are on board: it may leave later, never earlier."""
        said = self.departure.departs
        for notice in self.notices:
            if notice.at < said:
                said = notice.departs
        return min(self.departure.left, said)


@dataclass(slots=True)
class Board:
    """All flights of the day, and the generated ones that passengers go on with."""

    entries: dict[str, Entry] = field(default_factory=dict[str, Entry])

    def alternatives(self, flight: str, at: datetime, most: int = 3) -> list[Departure]:
        """The next flights to the same place that really left and can still be reached.

        From any airport of New York, soonest first.
        """
        wanted = self.entries[flight].departure
        found = [
            entry.departure
            for entry in self.entries.values()
            if entry.departure.dest == wanted.dest
            and not entry.departure.cancelled
            and not entry.departure.generated
            and min(entry.boards_by, entry.said(at)[0]) >= at + TIME_TO_CHANGE
        ]
        return sorted(found, key=lambda departure: (departure.left, departure.flight))[:most]


def board_of(flights: Iterable[Departure], opens: datetime, chance: Chance) -> Board:
    """The board of these flights; nothing is announced before it opens."""
    return Board({flight.flight: _entry(flight, opens, chance) for flight in flights})


def _entry(departure: Departure, opens: datetime, chance: Chance) -> Entry:
    if departure.cancelled:
        # In a storm some are taken off the board hours ahead, some at the gate.
        ahead = timedelta(minutes=20 + 280 * chance.share("cancelled", departure.flight) ** 2)
        return Entry(departure=departure, cancelled_at=max(opens, departure.departs - ahead))
    carousel = str(chance.whole(1, 12, "carousel", departure.flight))
    after = chance.minutes(6, 18, "carousel at", departure.flight)
    return Entry(
        departure=departure,
        notices=tuple(_notices(departure, opens, chance)),
        carousel=carousel,
        carousel_at=departure.landed + after,
    )


def _notices(departure: Departure, opens: datetime, chance: Chance) -> list[Notice]:
    delay = departure.dep_delay or 0
    said = departure.departs
    found: list[Notice] = []
    if delay >= WORTH_TELLING:
        if 20 <= delay <= 75 and chance.happens(0.4, "taxiway", departure.flight):
            return [_notice(departure, said + timedelta(minutes=18), delay)]
        if delay >= 60:
            first = delay * chance.whole(35, 60, "first told", departure.flight) // 500 * 5
            ahead = chance.minutes(60, 150, "told ahead", departure.flight)
            found.append(_notice(departure, max(opens, said - ahead), first))
            said = found[-1].departs
        ahead = chance.minutes(35, 60, "told", departure.flight)
        found.append(_notice(departure, max(opens, said - ahead), delay))
    arrives = found[-1].arrives if found else departure.arrives
    if departure.landed - arrives >= timedelta(minutes=20):
        in_air = departure.left + departure.takes * 0.6
        minutes = int((departure.landed - departure.arrives) / timedelta(minutes=1))
        found.append(
            Notice(at=in_air, departs=departure.left, arrives=departure.landed, minutes=minutes)
        )
    return found


def _notice(departure: Departure, at: datetime, minutes: int) -> Notice:
    later = timedelta(minutes=minutes)
    return Notice(
        at=at, departs=departure.departs + later, arrives=departure.arrives + later, minutes=minutes
    )
