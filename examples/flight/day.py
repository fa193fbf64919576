"""The whole day as a stream of touchpoints, and how simulated staff and passengers go on from it.

Real: the flights, their schedules, delays, cancellations and landings. Generated: passengers,
bags, onward flights, carousels, and when a delay or a cancellation was announced.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import Literal

from pydantic import JsonValue

from examples.flight.board import Board, Entry, board_of
from examples.flight.chance import Chance
from examples.flight.departures import NEW_YORK, Departure
from examples.flight.desk import CaseSeen, Desk, StaffDecision
from examples.flight.itinerary import Occurrence, booking, choice_of, instant, passage
from examples.flight.passengers import Passenger

BOOKING_TAKES = timedelta(minutes=80)
"""All bookings come within this time from the day's beginning, before anything else."""


class Day:
    """One day of departures with its passengers.

    `begins` and `ends` bound it in run time: 03:00 to 06:00 the next morning, New York time.
    `flights`: tell of those that some passenger may fly with, or of all that the data has.
    The stream is the same every time. A Day remembers whom staff put on which flight, so one
    serves one run of it.
    """

    def __init__(
        self,
        departures: Sequence[Departure],
        passengers: Sequence[Passenger],
        *,
        seed: int = 1,
        flights: Literal["carrying", "all"] = "carrying",
    ) -> None:
        self.departures = tuple(departures)
        self.passengers = {passenger.user_id: passenger for passenger in passengers}
        self._chance = Chance(seed)
        day = departures[0].departs.astimezone(NEW_YORK).date()
        self.begins = datetime.combine(day, time(3), NEW_YORK).astimezone(
            departures[0].departs.tzinfo
        )
        self.opens = self.begins + BOOKING_TAKES
        self.ends = self.begins + timedelta(hours=27)
        onward = {leg.flight: leg for p in passengers for leg in (*p.legs[1:], *p.onward)}
        self.board: Board = board_of([*departures, *onward.values()], self.opens, self._chance)
        self.desk = Desk(self.board, self._chance)
        self._told_of = set(self.board.entries) if flights == "all" else self._carrying()

    @property
    def featured(self) -> Passenger:
        """The passenger whom the demo follows."""
        return next(passenger for passenger in self.passengers.values() if passenger.featured)

    def stream(self) -> list[Occurrence]:
        """Everything that happens by itself, in the order of time."""
        found = [*self._bookings()]
        for passenger in self.passengers.values():
            entry = self.board.entries[passenger.legs[0].flight]
            found += passage(passenger, entry, self._chance, self.opens)
        for flight in sorted(self._told_of):
            found += self._flight(self.board.entries[flight])
        return in_order(one for one in found if one.at <= self.ends)

    def staff(self, case: CaseSeen) -> StaffDecision:
        """How simulated staff decide a case. Raises: `KeyError` for a customer who is not of this day."""
        return self.desk.decide(case, self.passengers[case.user_id])

    def follow_up(
        self, case: CaseSeen, decision: str, fields: dict[str, JsonValue], at: datetime
    ) -> list[Occurrence]:
        """What comes of a decision taken `at` that moment: who was rebooked checks in again and flies."""
        flight = str(fields.get("flight", ""))
        entry = self.board.entries.get(flight)
        if decision != "rebooked" or entry is None or entry.departure.generated:
            return []
        passenger = self.passengers[case.user_id]
        self.desk.put_on(passenger, entry.departure)
        done = passage(passenger, entry, self._chance, at + timedelta(minutes=6))
        return in_order(one for one in done if one.event != "Car Parked")

    # -- what makes up the stream

    def _bookings(self) -> Iterable[Occurrence]:
        by_departure = sorted(
            self.passengers.values(), key=lambda p: (p.legs[0].departs, p.user_id)
        )
        apart = BOOKING_TAKES / (len(by_departure) + 1)
        for place, passenger in enumerate(by_departure):
            yield booking(passenger, self.begins + apart * place)

    def _carrying(self) -> set[str]:
        """Flights that someone is booked on, or may be put on when theirs is cancelled or missed."""
        booked = {leg.flight for p in self.passengers.values() for leg in (*p.legs, *p.onward)}
        return booked | {other.flight for flight in booked for other in self._stand_ins(flight)}

    def _stand_ins(self, flight: str) -> list[Departure]:
        entry = self.board.entries[flight]
        if entry.cancelled_at is None:
            return []
        dest, at = entry.departure.dest, entry.cancelled_at
        return [d for d in self.departures if d.dest == dest and not d.cancelled and d.left > at]

    def _flight(self, entry: Entry) -> list[Occurrence]:
        departure = entry.departure
        if entry.cancelled_at is not None:
            alternatives: list[JsonValue] = [
                {
                    **choice_of(other, self.board.entries[other.flight].said(entry.cancelled_at)),
                    "from": other.origin,
                }
                for other in self.board.alternatives(departure.flight, entry.cancelled_at)
            ]
            properties: dict[str, JsonValue] = {"reason": "weather", "alternatives": alternatives}
            return [_of(departure, entry.cancelled_at, "Flight Cancelled", properties)]
        found = [
            _of(
                departure,
                notice.at,
                "Flight Delayed",
                {
                    "departs": instant(notice.departs),
                    "arrives": instant(notice.arrives),
                    "minutes": notice.minutes,
                },
                str(place),
            )
            for place, notice in enumerate(entry.notices)
        ]
        found.append(_of(departure, departure.left, "Flight Departed", {}))
        found.append(_of(departure, departure.landed, "Flight Landed", {"at": departure.dest}))
        if entry.carousel_at is not None:
            found.append(
                _of(departure, entry.carousel_at, "Carousel Assigned", {"carousel": entry.carousel})
            )
        return found


def in_order(occurrences: Iterable[Occurrence]) -> list[Occurrence]:
    """By time; at the same time always in the same order."""
    return sorted(occurrences, key=lambda one: (one.at, one.message_id))


def _of(
    departure: Departure,
    at: datetime,
    event: str,
    properties: dict[str, JsonValue],
    which: str = "",
) -> Occurrence:
    return Occurrence(
        at=at,
        event=event,
        message_id="/".join(part for part in (departure.flight, event, which) if part),
        subject=("flight", departure.flight),
        properties={"number": departure.number, **properties},
    )
