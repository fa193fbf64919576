"""Two whole days on the pure machine, flown once for all tests."""

from datetime import date
from functools import cache

from examples.flight.day import Day
from examples.flight.departures import departures
from examples.flight.passengers import generate
from examples.flight.rehearsed_day import fly
from insight.rehearsed import Rehearsed

STORM = date(2013, 2, 8)
CALM = date(2013, 4, 21)


@cache
def flown(day: date, passengers: int = 300, seed: int = 1) -> tuple[Day, Rehearsed]:
    real = departures(day)
    planned = Day(real, generate(real, passengers, seed), seed=seed)
    return planned, fly(planned)
