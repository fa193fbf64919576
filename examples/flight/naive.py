"""The same day run naively: a message at each touchpoint and at each time of the timetable.

That is what a campaign tool with triggers and a schedule does: it knows the bookings, sends
what was set up for each event to everyone booked on the flight, and remembers nothing. What it
says is held against what could be known at that moment.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from examples.flight.board import Entry
from examples.flight.day import Day
from examples.flight.departures import NEW_YORK
from examples.flight.itinerary import Occurrence
from examples.flight.passengers import Passenger

CHECK_IN_REMINDER = timedelta(hours=3)
BOARDING_CALL = timedelta(minutes=45)

WRONG = {
    "hurried_to_cancelled": "told to hurry to a flight that was cancelled already",
    "hurried_too_early": "told to hurry to a flight that was said to leave later",
    "check_in_for_cancelled": "asked to check in for a flight that was cancelled already",
    "check_in_again": "asked to check in though they had",
    "delay_after_take_off": "told when to leave while in the air",
    "bag_on_cancelled": "told their bag flies, and never that the flight was cancelled with it",
    "bag_after_landing": "told their bag is on board after they had landed",
    "carousel_for_nothing": "sent to a carousel without a bag, or without having flown",
}
"""What can be wrong with a message, in words."""


@dataclass(slots=True, kw_only=True)
class Naive:
    """What the naive day sent: how many messages, how many wrong, to how many people."""

    sent: int = 0
    wrong: Counter[str] = field(default_factory=Counter[str])
    misled: set[str] = field(default_factory=set[str])
    example: str = ""

    def as_json(self) -> dict[str, Any]:
        """As plain data; `wrong` counts by kind (see `WRONG`)."""
        return {
            "sent": self.sent,
            "wrong": {kind: self.wrong[kind] for kind in WRONG},
            "wrong_in_all": self.wrong.total(),
            "passengers_misled": len(self.misled),
            "example": self.example,
        }


def naive(day: Day) -> Naive:
    """Run the day naively."""
    told = Naive()
    stream = day.stream()
    did: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
    for one in stream:
        if one.user_id is not None:
            did[one.user_id].setdefault(one.event, one.at)
    booked: defaultdict[str, list[Passenger]] = defaultdict(list)
    for passenger in day.passengers.values():
        for leg in passenger.legs:
            booked[leg.flight].append(passenger)
        entry = day.board.entries[passenger.legs[0].flight]
        _by_the_timetable(told, passenger, entry, did[passenger.user_id])
    for one in stream:
        if one.user_id is not None:
            _about_bag(told, one, day)
        elif one.subject is not None:
            entry = day.board.entries[one.subject[1]]
            for passenger in booked[one.subject[1]]:
                _about_flight(told, one, entry, passenger, did[passenger.user_id])
    return told


def _by_the_timetable(
    told: Naive, passenger: Passenger, entry: Entry, did: dict[str, datetime]
) -> None:
    departs = entry.departure.departs
    at = departs - CHECK_IN_REMINDER
    kind = None
    if _cancelled(entry, at):
        kind = "check_in_for_cancelled"
    elif "Checked In" in did and did["Checked In"] <= at:
        kind = "check_in_again"
    _say(told, passenger, kind)
    at = departs - BOARDING_CALL
    kind = None
    if _cancelled(entry, at):
        kind = "hurried_to_cancelled"
        local = at.astimezone(NEW_YORK)
        told.example = told.example or (
            f"{passenger.first_name} would have been told at {local:%H:%M} to hurry to "
            f"{entry.departure.number}, which had been cancelled"
        )
    elif entry.said(at)[0] > departs:
        kind = "hurried_too_early"
    _say(told, passenger, kind)


def _about_bag(told: Naive, one: Occurrence, day: Day) -> None:
    if one.event != "Bag Loaded" or one.user_id is None:
        return
    passenger = day.passengers[one.user_id]
    entry = day.board.entries[passenger.legs[0].flight]
    kind = None
    if entry.cancelled_at is not None:
        kind = "bag_on_cancelled"
    elif one.at >= entry.departure.landed:
        kind = "bag_after_landing"
    _say(told, passenger, kind)


def _about_flight(
    told: Naive, one: Occurrence, entry: Entry, passenger: Passenger, did: dict[str, datetime]
) -> None:
    match one.event:
        case "Flight Cancelled":
            _say(told, passenger, None)
        case "Flight Delayed":
            late = one.at >= entry.departure.left
            _say(told, passenger, "delay_after_take_off" if late else None)
        case "Carousel Assigned":
            last = entry.departure.flight == passenger.legs[-1].flight
            claims = bool(passenger.bags) and last and "Boarding Pass Scanned" in did
            _say(told, passenger, None if claims else "carousel_for_nothing")
        case _:
            return


def _cancelled(entry: Entry, at: datetime) -> bool:
    return entry.cancelled_at is not None and entry.cancelled_at <= at


def _say(told: Naive, passenger: Passenger, wrong: str | None) -> None:
    told.sent += 1
    if wrong is not None:
        told.wrong[wrong] += 1
        told.misled.add(passenger.user_id)
