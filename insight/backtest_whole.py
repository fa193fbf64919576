"""A whole recording through a journey: apart where customers are independent, together where they share something."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from insight.backtest import OpenTaker, PartTask, play_together, shares, tasks_of
from insight.backtest_customers import Bounds
from insight.backtest_figures import Figures
from insight.backtest_processes import Order, play_apart
from insight.backtest_world import House, NamedWorld, RecordedWorld, StaffRules, channels_of
from insight.rehearsal_world import World
from insight.sorted_recording import SortedRecording
from journey.publication import Publishable


class Progress(Protocol):
    """Is told how far it came."""

    def goes_to(self, total: float) -> None:
        """How far it will go."""
        ...

    def came_to(self, far: float) -> None:
        """How far it came."""
        ...


@dataclass(slots=True, frozen=True, kw_only=True)
class Circumstances:
    """What a recording is played among.

    `staff`: how they decide. `house`: of which it is, where it is one of ours. `known`: who knows its
    customers by name. `taker`: who keeps the records, with numbers of entry behind `entries`. `each`: is told
    the figures of each part of the customers, where they are played apart.
    """

    staff: StaffRules
    house: House | None = None
    known: World | None = None
    taker: OpenTaker | None = None
    entries: int = 0
    processes: int = 1
    each: Callable[[Figures], None] = lambda _part: None


def play_recording(
    journey: Publishable,
    recording: SortedRecording,
    bounds: Bounds,
    among: Circumstances,
    progress: Progress,
) -> Figures:
    """What would have happened. Raises: `BacktestStoppedError`, and what the taker of records raises."""
    program = journey.program
    if shares(program) is None and among.known is None:
        order = Order(
            canonical=journey.canonical,
            bounds=bounds,
            staff=among.staff,
            taker=among.taker,
            house=among.house,
        )
        tasks, far = tasks_of(program, recording, among.entries), 0
        progress.goes_to(sum(each.part.touchpoints for each in tasks))

        def done(task: PartTask, part: Figures) -> None:
            nonlocal far
            far += task.part.touchpoints
            progress.came_to(far)
            among.each(part)

        return play_apart(order, tasks, among.processes, done)
    return _together(journey, recording, bounds, among, progress)


def _together(
    journey: Publishable,
    recording: SortedRecording,
    bounds: Bounds,
    among: Circumstances,
    progress: Progress,
) -> Figures:
    program = journey.program
    world = RecordedWorld(channels_of(program), among.staff, among.house)
    if among.known is not None:
        world = NamedWorld(channels_of(program), among.staff, among.known)
    progress.goes_to((bounds.ends - bounds.begins).total_seconds() or 1)

    def tell(now: datetime) -> None:
        progress.came_to((now - bounds.begins).total_seconds())

    if among.taker is None:
        return play_together(program, recording, bounds, world, done=tell)
    with among.taker() as runs:
        return play_together(
            program, recording, bounds, world, entries=among.entries, taker=runs, done=tell
        )
