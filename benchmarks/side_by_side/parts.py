"""What is measured, in this order: what adds many open runs comes late, and kills come last."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.side_by_side import answering, costs, standing
from benchmarks.side_by_side.contender import Contender
from benchmarks.side_by_side.postgres_meter import Meter
from benchmarks.side_by_side.scenario import NOISE
from benchmarks.side_by_side.sizes import Figures, Names, Sizes

START_SECONDS = 40.0
"""An empty folder to a first run: servers, tables, processes."""
RATE = 8.0
"""Runs a second that a plan reckons with: what a busy machine of two cores does."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One contender while it runs, and those who are its customers."""

    contender: Contender
    meter: Meter | None
    names: Names
    sizes: Sizes


Measure = Callable[[Turn], Awaitable[Figures]]


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that is measured.

    `size`: how much was done, in words. `seconds`: what it is reckoned to take. `again`: whether it is worth
    measuring in every round; a count is not. `of`: the one contender that it means something for.
    """

    metrics: str
    measure: Measure
    size: Callable[[Sizes], str]
    seconds: Callable[[Sizes], float]
    again: bool = False
    of: str | None = None


PARTS: dict[str, Part] = {
    "carts": Part(
        "P1-P4, P6, P8",
        lambda t: costs.carts(t.contender, t.meter, t.names, t.sizes),
        lambda s: f"{s.runs} carts, {s.at_once} under way, waits of {s.scenario.wait_seconds} s",
        lambda s: (s.runs + s.at_once) / (RATE / 2) + s.idle_seconds + 6 * s.scenario.wait_seconds,
        again=True,
    ),
    "bought": Part(
        "`cart-bought`",
        lambda t: costs.bought(t.contender, t.names, t.sizes),
        lambda s: f"{min(10, s.runs)} carts",
        lambda _: 10,
    ),
    "noise": Part(
        "P5",
        lambda t: costs.noise(t.contender, t.names),
        lambda _: f"{NOISE} touchpoints",
        lambda _: 10,
    ),
    "answers": Part(
        "P7",
        lambda t: answering.answers(t.contender, t.names, t.sizes),
        lambda s: f"{s.asks} asks",
        lambda s: 3 * s.asks / RATE + s.asks / s.asks_a_second + 20,
        again=True,
    ),
    "ingest": Part(
        "P9",
        lambda t: answering.ingest(t.contender, t.names, t.sizes),
        lambda s: f"{s.posts} touchpoints",
        lambda s: s.posts / 30 + 8,
        again=True,
    ),
    "wave": Part(
        "P14",
        lambda t: answering.wave(t.contender, t.names, t.sizes),
        lambda s: f"{s.wave} timers",
        lambda s: 12 + s.wave / RATE,
        again=True,
    ),
    "long": Part(
        "`long`",
        lambda t: costs.long(t.contender, t.names, t.sizes),
        lambda s: f"{s.long} walks",
        lambda s: 15 + 2.5 * s.long,
    ),
    "cold": Part(
        "P15",
        lambda t: standing.cold(t.contender, t.names, t.sizes),
        lambda s: f"{max(10, s.asks // 2)} runs",
        lambda s: 35 + max(10, s.asks // 2) / 2,
    ),
    "eta": Part(
        "what a far time costs",
        lambda t: standing.far_times(t.contender, t.names, t.sizes),
        lambda s: f"{s.far} tasks {s.far_seconds} s away, two workers, visibility of 4 s",
        lambda s: s.far_seconds + 30,
        of="celery",
    ),
    "open": Part(
        "P10-P12",
        lambda t: standing.open_runs(t.contender, t.meter, t.names, t.sizes),
        lambda s: " and ".join(f"{n:,}" for n in s.open_runs) + " open runs",
        lambda s: s.open_runs[-1] / 25 + len(s.open_runs) * (s.idle_seconds + 3),
    ),
    "recovery": Part(
        "P13",
        lambda t: standing.recovery(t.contender, t.names, t.sizes),
        lambda s: f"{len(s.kills)} kills",
        lambda s: 30.0 * len(s.kills),
    ),
}


def turn_seconds(sizes: Sizes, parts: list[str]) -> float:
    """What a turn of these parts is reckoned to take."""
    return START_SECONDS + sum(PARTS[part].seconds(sizes) for part in parts)
