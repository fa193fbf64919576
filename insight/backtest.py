"""A backtest: a journey over recorded touchpoints, and what would have happened. No server, no clock.

Customers are independent of each other unless they share something: subjects that runs listen to,
or a cap on entries. Where they share nothing they are played one by one, part by part of the
recording, and memory holds one part. Where they do, all are played together in the order of time.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from insight.backtest_customers import Bounds, Played, RecordTaker
from insight.backtest_figures import Count, Figures
from insight.backtest_world import RecordedWorld
from insight.sorted_recording import Part, SortedRecording, read_part
from journey.program import Program

ROOM = 10_000_000
"""Numbers of entry that a part may use where entries do not come from touchpoints that can be counted before."""

SLICE = timedelta(days=1)
SLICES = 100
"""All customers are played together a hundredth of the time at once, a day at least; then ended runs are let go."""


Opened = AbstractContextManager[RecordTaker]
OpenTaker = Callable[[], Opened]


@dataclass(slots=True, frozen=True)
class PartTask:
    """One part to be played. `entries`: how many numbers of entry go to the parts before it."""

    part: Part
    entries: int


def shares(program: Program) -> str | None:
    """What customers of this journey share, in words; None where they are independent."""
    if program.definition.listen:
        return "runs listen to subjects"
    if program.definition.enter.cap is not None:
        return "entries are capped"
    return None


def tasks_of(program: Program, recording: SortedRecording, entries: int = 0) -> list[PartTask]:
    """The parts in their order, each with numbers of entry of its own, from `entries` on."""
    tasks: list[PartTask] = []
    for part in recording.parts():
        tasks.append(PartTask(part, entries))
        entries += part.entering if program.definition.enter.on is not None else ROOM
    return tasks


def last_entry(program: Program, recording: SortedRecording, entries: int = 0) -> int:
    """The highest number of entry that `tasks_of` may lead to."""
    for part in recording.parts():
        entries += part.entering if program.definition.enter.on is not None else ROOM
    return entries


class PartBacktest:
    """Plays parts of a recording, customer by customer."""

    def __init__(
        self,
        program: Program,
        bounds: Bounds,
        world: Callable[[], RecordedWorld],
        taker: OpenTaker | None = None,
    ) -> None:
        self._program, self._bounds, self._world, self._taker = program, bounds, world, taker

    def play(self, task: PartTask) -> Figures:
        """What would have happened to the customers of a part."""
        if self._taker is None:
            return self._play(task, None)
        with self._taker() as taker:
            return self._play(task, taker)

    def _play(self, task: PartTask, taker: RecordTaker | None) -> Figures:
        count = Count(self._program, self._bounds.examples)
        entries = task.entries
        for recording in read_part(task.part.path, self._bounds.highest_lot):
            world = self._world()
            played = Played(self._program, self._bounds, world, count, taker, entries)
            played.add(recording)
            played.go_on(self._bounds.ends)
            played.close()
            entries = played.entries
        return count.figures


def play_together(
    program: Program,
    recording: SortedRecording,
    bounds: Bounds,
    world: RecordedWorld,
    *,
    entries: int = 0,
    taker: RecordTaker | None = None,
    done: Callable[[datetime], None] = lambda _: None,
) -> Figures:
    """All customers together, in the order of time: as the journey needs where they share something.

    `done` is told how far it has come.
    """
    count = Count(program, bounds.examples)
    played = Played(program, bounds, world, count, taker, entries)
    for part in recording.parts():
        for each in read_part(part.path, bounds.highest_lot):
            played.add(each)
    subjects = recording.subjects()
    if subjects is not None:
        for each in read_part(subjects.path):
            played.add_subjects(each)
    now, ahead = bounds.begins, max(SLICE, (bounds.ends - bounds.begins) / SLICES)
    while now < bounds.ends:
        now = min(now + ahead, bounds.ends)
        played.go_on(now)
        played.let_go()
        done(now)
    played.close()
    return count.figures
