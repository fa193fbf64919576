"""Passengers for a day of real departures. They, their bags and their onward flights are generated.

The same departures, number and seed give the same passengers, to the last bag tag.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from examples.flight.chance import Chance
from examples.flight.departures import NEW_YORK, Departure

ABOUT_PER_FLIGHT = 4
"""So many passengers share a flight, so that one delay is news to several."""

A_LONG_FLIGHT = timedelta(hours=4, minutes=30)

ONWARD = ("ABQ", "BOI", "CHS", "COS", "DAY", "ELP", "FAT", "GEG", "ICT", "JAN", "LIT", "OMA", "TUL")
"""Where the generated onward flights go."""

ONWARD_EVERY = timedelta(minutes=160)
"""How often an onward flight leaves for the same place."""

_NAMES = (
    "Ada", "Alan", "Amara", "Anna", "Boris", "Carmen", "Chidi", "Clara", "Dai", "Diego", "Elif",
    "Emil", "Esther", "Farid", "Femi", "Grace", "Hana", "Hugo", "Ines", "Ivan", "Jakub", "Jana",
    "Joao", "Kofi", "Leila", "Liam", "Lina", "Luca", "Mai", "Marek", "Maria", "Mateo", "Mila",
    "Nadia", "Nils", "Noor", "Olga", "Omar", "Otto", "Pavel", "Priya", "Rahel", "Rosa", "Samir",
    "Sofia", "Sven", "Tara", "Tomas", "Uma", "Vera", "Viktor", "Wanda", "Xin", "Yara", "Yusuf",
    "Zoe",
)  # fmt: skip
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

CheckIn = Literal["early", "late", "never"]
BagFate = Literal["loaded", "scanned_late", "lost"]


@dataclass(slots=True, frozen=True, kw_only=True)
class Bag:
    """A checked bag. `scanned_late`: it flew, but its scan came only after landing."""

    tag: str
    fate: BagFate


@dataclass(slots=True, frozen=True, kw_only=True)
class Passenger:
    """A generated passenger: what they booked, and how they will behave.

    `legs`: the real departure, and perhaps a generated onward flight. `onward`: later flights
    that could stand in for the last leg. `parks`: where their car stands, if they came by car;
    `parking`: whether they want to be told. `featured`: the one the demo follows.
    """

    user_id: str
    first_name: str
    email: str
    pnr: str
    legs: tuple[Departure, ...]
    onward: tuple[Departure, ...] = ()
    bags: tuple[Bag, ...] = ()
    parking: bool = False
    parks: str | None = None
    checks_in: CheckIn = "early"
    boards: bool = True
    featured: bool = False

    @property
    def traits(self) -> dict[str, str]:
        """What is told of them when they are made known (Segment `identify`)."""
        return {"first_name": self.first_name, "email": self.email}


def generate(departures: Sequence[Departure], n: int, seed: int = 1) -> list[Passenger]:
    """Generate `n` passengers for these departures; the first is the featured one."""
    if n < 1 or not departures:
        return []
    chance = Chance(seed)
    chosen = sorted(departures, key=lambda departure: chance.share("flies", departure.flight))
    chosen = chosen[: max(8, n // ABOUT_PER_FLIGHT)]
    passengers = [_featured(departures, chance)]
    pnrs = {passengers[0].pnr}
    for index in range(1, n):
        departure = chance.one_of(chosen, "flight of", index)
        passengers.append(_passenger(index, departure, _pnr(index, pnrs, chance), chance))
    return passengers


def onward_flights(arriving: Departure, chance: Chance) -> tuple[Departure, ...]:
    """Four generated flights onward from where a flight lands, the first one to be reached on time."""
    carrier, hub = arriving.carrier, arriving.dest
    dest = chance.one_of([code for code in ONWARD if code != hub], "onward", carrier, hub)
    begins = datetime(2013, 1, 1, tzinfo=UTC) + chance.minutes(0, 159, "onward at", carrier, hub)
    takes = timedelta(minutes=chance.whole(60, 170, "onward takes", hub, dest))
    passed = (arriving.arrives + timedelta(minutes=40) - begins) // ONWARD_EVERY + 1
    first = 7_000 + chance.whole(0, 199, "onward number", carrier, hub) * 10
    return tuple(
        _onward_flight(carrier, first, hub, dest, begins + ONWARD_EVERY * (passed + ahead), takes)
        for ahead in range(4)
    )


def _onward_flight(
    carrier: str, first: int, hub: str, dest: str, departs: datetime, takes: timedelta
) -> Departure:
    departs = departs.replace(second=0)
    day = departs.astimezone(NEW_YORK).date()
    of_day = (departs - datetime(2013, 1, 1, tzinfo=UTC)) // ONWARD_EVERY % 10
    number = f"{carrier}{first + of_day}"
    return Departure(
        flight=f"{number}-{day}",
        number=number,
        carrier=carrier,
        origin=hub,
        dest=dest,
        departs=departs,
        arrives=departs + takes,
        dep_delay=0,
        arr_delay=0,
        generated=True,
    )


def _passenger(index: int, departure: Departure, pnr: str, chance: Chance) -> Passenger:
    name = chance.one_of(_NAMES, "name", index)
    connects = chance.happens(0.25, "connects", index)
    flights = onward_flights(departure, chance) if connects else ()
    checks_in: CheckIn = "early" if chance.happens(0.6, "checks in", index) else "late"
    return Passenger(
        user_id=f"passenger-{index:05}",
        first_name=name,
        email=f"{name.lower()}.{index:05}@passengers.example",
        pnr=pnr,
        legs=(departure, *flights[:1]),
        onward=flights[1:],
        bags=tuple(_bag(index, number, chance) for number in range(_bags(index, chance))),
        parking=chance.happens(0.3, "parking", index),
        parks=_place(index, chance) if chance.happens(0.45, "parks", index) else None,
        checks_in="never" if chance.happens(0.05, "never comes", index) else checks_in,
        boards=not chance.happens(0.02, "misses it", index),
    )


def _bags(index: int, chance: Chance) -> int:
    return chance.one_of((0, 0, 0, 1, 1, 1, 1, 2, 2, 3), "bags", index)


def _bag(index: int, number: int, chance: Chance) -> Bag:
    share = chance.share("bag", index, number)
    fate: BagFate = "lost" if share < 0.03 else "scanned_late" if share < 0.07 else "loaded"
    return Bag(tag=f"NY{index:05}{number}", fate=fate)


def _place(index: int, chance: Chance) -> str:
    level, row = chance.whole(1, 5, "level", index), chance.one_of("ABCDEFGH", "row", index)
    return f"level {level}, row {row}, place {chance.whole(1, 60, 'place', index)}"


def _pnr(index: int, taken: set[str], chance: Chance) -> str:
    attempt = 0
    while True:
        letters = (chance.one_of(_LETTERS, "pnr", index, attempt, place) for place in range(6))
        pnr = "".join(letters)
        if pnr not in taken:
            taken.add(pnr)
            return pnr
        attempt += 1


def _featured(departures: Sequence[Departure], chance: Chance) -> Passenger:
    """Someone on a delayed flight, long enough that a missing bag is settled in the air."""
    plain = _passenger(0, _delayed(departures), _pnr(0, set(), chance), chance)
    return replace(
        plain,
        first_name="Anna",
        email="anna.00000@passengers.example",
        legs=plain.legs[:1],
        onward=(),
        bags=(Bag(tag="NY000000", fate="loaded"), Bag(tag="NY000001", fate="lost")),
        parking=True,
        parks=plain.parks or "level 2, row C, place 14",
        checks_in="early",
        boards=True,
        featured=True,
    )


def _delayed(departures: Iterable[Departure]) -> Departure:
    """The first flight of the day that suits, a long one if any; else that with the longest delay.

    In the air there is time for whoever watches to decide about a bag.
    """
    flown = [departure for departure in departures if not departure.cancelled] or list(departures)
    suits = [
        departure
        for departure in flown
        if 45 <= (departure.dep_delay or 0) <= 200
        and departure.takes >= timedelta(hours=2, minutes=30)
        and 6 <= departure.departs.astimezone(NEW_YORK).hour <= 13
    ]
    if suits:
        return min(suits, key=lambda one: (one.takes < A_LONG_FLIGHT, one.departs, one.flight))
    return max(flown, key=lambda departure: (departure.dep_delay or 0, departure.flight))
