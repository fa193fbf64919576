"""How fast a day can be played here: what the touchpoints cost against what the machine carries."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

TRANSITIONS_PER_CORE = 170.0
"""State transitions a second that one core carried, server, database and workers together."""

REFERENCE_SECONDS = 0.0090
"""What `_work` takes on such a core."""

COST = {
    "Flight Booked": 26.0,
    "Checked In": 10.0,
    "Bag Checked": 16.0,
    "Bag Loaded": 9.0,
    "Car Parked": 6.0,
    "Boarding Pass Scanned": 8.0,
    "Carousel Assigned": 10.0,
}
"""Transitions that a touchpoint of one passenger brings with all that follows from it."""

COST_OTHERWISE = 9.0
LONGEST_BACKLOG_SECONDS = 4.0
FASTEST = 450.0
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
    """Transitions a second that this machine carries, by a short measurement of one core."""
    best = min(_work() for _ in range(20))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return TRANSITIONS_PER_CORE * (cores or 1) * REFERENCE_SECONDS / best


def pace_for(
    costs: Sequence[tuple[datetime, float]],
    lasting: timedelta,
    carries: float,
    wanted: float | None,
) -> Pace:
    """The speed for a day with these costs, in order of time, that lasts so long.

    The fastest at which the machine is never behind by more than a few seconds, up to `FASTEST`;
    `wanted` overrules it.
    """
    total = sum(cost for _, cost in costs)
    able = _fastest(costs, carries)
    factor = wanted or min(able, FASTEST)
    takes = lasting.total_seconds() / factor
    words = (
        f"{total:,.0f} state transitions in {_duration(takes)}: × {factor:,.0f}. This machine "
        f"carries about {carries:,.0f} a second (one core measured, times the cores), so it keeps "
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
    slow, fast = 1.0, 5_000.0
    while fast / slow > 1.01:
        middle = (slow * fast) ** 0.5
        if _backlog(costs, carries, middle) <= LONGEST_BACKLOG_SECONDS:
            slow = middle
        else:
            fast = middle
    return slow


def _backlog(costs: Sequence[tuple[datetime, float]], carries: float, factor: float) -> float:
    """By how many seconds the machine would be behind at worst."""
    waiting = worst = 0.0
    before = costs[0][0] if costs else None
    for at, cost in costs:
        assert before is not None
        waiting = max(0.0, waiting - (at - before).total_seconds() / factor * carries) + cost
        worst, before = max(worst, waiting), at
    return worst / carries


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def _work() -> float:
    begun = time.perf_counter()
    table: dict[str, int] = {}
    for number in range(30_000):
        name = f"{number % 997:x}"
        table[name] = table.get(name, 0) + number
    return time.perf_counter() - begun
