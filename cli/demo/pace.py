"""How fast a day can be played here: what the touchpoints cost against what the machine carries."""

import os
import time
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from examples.flight.day import Day
from examples.flight.itinerary import Occurrence

TRANSITIONS_PER_CORE = 60.0
"""State transitions a second that one core carries, with all that goes with them: ingest, router,
workers, Temporal, PostgreSQL and mail. Measured on the core that `REFERENCE_SECONDS` is of: 250
seconds of the processors for the 13,882 transitions of the storm, start and page among them."""

REFERENCE_SECONDS = 0.038
"""What `_work` takes on such a core, with a Python built without optimisation."""

FOR_ONE = {
    "Flight Booked": 6.0,
    "Checked In": 5.0,
    "Bag Checked": 6.0,
    "Bag Loaded": 8.0,
    "Car Parked": 4.0,
    "Boarding Pass Scanned": 4.0,
}
"""Transitions that a touchpoint about one passenger brings, with what follows from it."""

FOR_EACH_ABOARD = {
    "Flight Delayed": 8.0,
    "Flight Cancelled": 24.0,
    "Flight Departed": 4.0,
    "Flight Landed": 4.0,
    "Carousel Assigned": 7.0,
}
"""The same for a touchpoint about a flight, for each passenger booked on it."""

LATE_SECONDS = 6.0
LATE_SHARE = 0.15
BUSY_SHARE = 0.75
IDLE_SECONDS = 0.4
LEAST_SHARE = 0.5
FASTEST = 500.0
"""Faster than this a message takes several minutes of the day: the story would suffer."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Pace:
    """The speed to play at, and why it is that."""

    factor: float
    carries: float
    transitions: int
    chosen: bool
    words: str


def machine_carries() -> float:
    """Transitions a second that this machine carries: one core measured, times those at hand."""
    best = min(_work() for _ in range(20))
    return TRANSITIONS_PER_CORE * _cores() * REFERENCE_SECONDS / best


def costs_of(day: Day) -> list[tuple[datetime, float]]:
    """What each touchpoint of the day costs, in transitions, in the order of time."""
    aboard = Counter(leg.flight for each in day.passengers.values() for leg in each.legs)
    return [(each.at, _cost(each, aboard)) for each in day.stream()]


def _cost(occurrence: Occurrence, aboard: Counter[str]) -> float:
    if occurrence.subject is None:
        return FOR_ONE.get(occurrence.event, 4.0)
    return FOR_EACH_ABOARD.get(occurrence.event, 4.0) * aboard[occurrence.subject[1]]


def _cores() -> float:
    """The cores that nobody else is using now, as Linux counts them; elsewhere all."""
    cores, own = float(os.cpu_count() or 1), time.process_time()
    before = _busy_and_all()
    if before is None:
        return cores
    time.sleep(IDLE_SECONDS)
    after = _busy_and_all()
    if after is None or after[1] == before[1]:
        return cores
    # What this very process does meanwhile, such as serving the page, is not somebody else's.
    own = (time.process_time() - own) * os.sysconf("SC_CLK_TCK")
    others = (after[0] - before[0] - own) / (after[1] - before[1])
    # Whoever else is there shares the rest with us.
    return cores * min(1.0, max(LEAST_SHARE, 1.0 - others))


def _busy_and_all() -> tuple[int, int] | None:
    """Ticks since the machine began in which its cores were busy, and all of them."""
    try:
        with Path("/proc/stat").open(encoding="ascii") as stat:
            ticks = [int(tick) for tick in stat.readline().split()[1:]]
    except (OSError, ValueError):
        return None
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def pace_for(
    costs: Sequence[tuple[datetime, float]],
    lasting: timedelta,
    carries: float,
    wanted: float | None,
) -> Pace:
    """The speed for a day with these costs, in order of time, that lasts so long.

    The fastest at which few touchpoints wait for more than a few seconds, up to
    `FASTEST`; `wanted` overrules it.
    """
    total = sum(cost for _, cost in costs)
    able = _fastest(costs, carries)
    factor = wanted or min(able, FASTEST)
    takes = lasting.total_seconds() / factor
    words = (
        f"About {total:,.0f} state transitions in {_duration(takes)}: × {factor:,.0f}. This machine "
        f"carries about {carries:,.0f} a second (one core measured, times the cores that are idle), so it keeps "
        f"up to × {able:,.0f}."
    )
    if wanted and wanted > able:
        words += (
            " That is slower than you asked for: expect the day to run late, and see by how much."
        )
    return Pace(
        factor=factor,
        carries=carries,
        transitions=round(total),
        chosen=wanted is not None,
        words=words,
    )


def _fastest(costs: Sequence[tuple[datetime, float]], carries: float) -> float:
    """By bisection: where few touchpoints wait long, and the machine has air left."""
    slow, fast = 1.0, 5_000.0
    while fast / slow > 1.01:
        middle = (slow * fast) ** 0.5
        if _keeps_up(costs, carries, middle):
            slow = middle
        else:
            fast = middle
    return slow


def _keeps_up(costs: Sequence[tuple[datetime, float]], carries: float, factor: float) -> bool:
    if not costs:
        return True
    waiting, late, busy = 0.0, 0, 0.0
    before, lasts = costs[0][0], (costs[-1][0] - costs[0][0]).total_seconds() / factor
    for at, cost in costs:
        passed = (at - before).total_seconds() / factor
        waiting = max(0.0, waiting - passed * carries)
        late += waiting > LATE_SECONDS * carries
        waiting, busy, before = waiting + cost, busy + cost / carries, at
    return late <= LATE_SHARE * len(costs) and busy <= BUSY_SHARE * lasts


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def _work() -> float:
    """Seconds of the core itself, whoever else wants it meanwhile.

    Half of it is Python, which builds of it do up to twice as fast, and half is not: as with us.
    """
    begun = time.thread_time()
    table: dict[str, int] = {}
    for number in range(30_000):
        name = f"{number % 997:x}"
        table[name] = table.get(name, 0) + number
    zlib.compress(_WRITTEN)
    return time.thread_time() - begun


_WRITTEN = " ".join(str(number * 7_919) for number in range(20_000)).encode()
