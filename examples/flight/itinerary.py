"""What one passenger does: books, checks in, checks bags, parks, boards. One list of occurrences."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from examples.flight.board import Entry
from examples.flight.chance import Chance
from examples.flight.departures import Departure
from examples.flight.passengers import Bag, Passenger


@dataclass(slots=True, frozen=True, kw_only=True)
class Occurrence:
    """One touchpoint of the day, at its run time, about a passenger or about a subject.

    Exactly one of `user_id` and `subject` is given; `subject` is `("flight", id)`.
    """

    at: datetime
    event: str
    message_id: str
    user_id: str | None = None
    subject: tuple[str, str] | None = None
    properties: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])

    @property
    def context(self) -> dict[str, JsonValue]:
        """The touchpoint's `context`: it names the subject, if it is about one."""
        if self.subject is None:
            return {}
        return {"subject": {"kind": self.subject[0], "id": self.subject[1]}}


def booking(passenger: Passenger, at: datetime) -> Occurrence:
    """The passenger books: what the run begins with."""
    legs: list[JsonValue] = [leg_of(leg) for leg in passenger.legs]
    onward: list[JsonValue] = [choice_of(flight) for flight in passenger.onward]
    properties: dict[str, JsonValue] = {
        "legs": legs,
        "onward": onward,
        "parking": passenger.parking,
    }
    return _does(passenger, at, "Flight Booked", "booked", properties)


def passage(
    passenger: Passenger, entry: Entry, chance: Chance, begins: datetime
) -> list[Occurrence]:
    """All that a passenger does for the first flight of theirs, had nothing come in between.

    Nothing is done before `begins`. Whoever cannot make it any more does not go.
    """
    flight = entry.departure.flight
    aboard = entry.boards_by
    if passenger.checks_in == "never":
        return []
    early, late = (190, 420) if passenger.checks_in == "early" else (55, 150)
    checks_in = max(
        begins, aboard - chance.minutes(early, late, "checks in at", passenger.pnr, flight)
    )
    if checks_in > aboard - timedelta(minutes=20):
        return []
    at_airport = max(
        checks_in + timedelta(minutes=2),
        aboard - chance.minutes(50, 110, "at the airport", passenger.pnr, flight),
    )
    done = [_does(passenger, checks_in, "Checked In", f"{flight}/checked-in", {"flight": flight})]
    if passenger.parks:
        parked = max(begins, at_airport - timedelta(minutes=9))
        done.append(
            _does(passenger, parked, "Car Parked", f"{flight}/parked", {"place": passenger.parks})
        )
    if passenger.bags:
        tags: list[JsonValue] = [{"tag": bag.tag} for bag in passenger.bags]
        checked = _does(passenger, at_airport, "Bag Checked", f"{flight}/bags", {"bags": tags})
        done += [checked, *_loading(passenger, entry, at_airport, chance)]
    if passenger.boards:
        boards = aboard - chance.minutes(12, 19, "boards", passenger.pnr, flight)
        done.append(
            _does(
                passenger, boards, "Boarding Pass Scanned", f"{flight}/boards", {"flight": flight}
            )
        )
    return [one for one in done if entry.cancelled_at is None or one.at < entry.cancelled_at]


def _loading(
    passenger: Passenger, entry: Entry, checked: datetime, chance: Chance
) -> Iterator[Occurrence]:
    flight = entry.departure.flight
    for bag in passenger.bags:
        at = _scanned(bag, entry, checked, chance)
        if at is not None:
            properties: dict[str, JsonValue] = {"tag": bag.tag, "flight": flight}
            yield _does(passenger, at, "Bag Loaded", f"{flight}/loaded/{bag.tag}", properties)


def _scanned(bag: Bag, entry: Entry, checked: datetime, chance: Chance) -> datetime | None:
    if bag.fate == "lost":
        return None
    if bag.fate == "scanned_late":
        # The loader's scanner found its network again only at the destination.
        return entry.departure.landed + chance.minutes(2, 5, "scanned", bag.tag)
    before = chance.minutes(14, 40, "loaded", bag.tag, entry.departure.flight)
    return max(checked + timedelta(minutes=5), entry.boards_by - before)


def _does(
    passenger: Passenger, at: datetime, event: str, what: str, properties: dict[str, JsonValue]
) -> Occurrence:
    return Occurrence(
        at=at,
        event=event,
        message_id=f"{passenger.pnr}/{what}",
        user_id=passenger.user_id,
        properties={"pnr": passenger.pnr, **properties},
    )


def leg_of(flight: Departure) -> dict[str, JsonValue]:
    """A flight as a leg of a booking, by its schedule."""
    return {**choice_of(flight), "from": flight.origin, "to": flight.dest}


def choice_of(
    flight: Departure, said: tuple[datetime, datetime] | None = None
) -> dict[str, JsonValue]:
    """A flight as something to choose, leaving and arriving as it is said to."""
    departs, arrives = said or (flight.departs, flight.arrives)
    return {
        "flight": flight.flight,
        "number": flight.number,
        "departs": instant(departs),
        "arrives": instant(arrives),
    }


def instant(at: datetime) -> str:
    """An instant as it travels: RFC 3339, in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
