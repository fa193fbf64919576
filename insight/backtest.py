"""A backtest: a journey over recorded touchpoints, and what would have happened. No server, no clock.

Customers are independent of each other unless they share something: subjects that runs listen to,
or a cap on entries. Where they share nothing they are played one by one, part by part of the
recording, and memory holds one part. Where they do, all are played together in the order of time.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from contracts.made_records import Made
from insight.backtest_figures import Count, Figures
from insight.backtest_records import (
    made_case,
    made_customer,
    made_deliveries,
    made_run,
    made_touchpoints,
)
from insight.backtest_world import RecordedWorld
from insight.rehearsal import MAX_HAPPENINGS, EndlessRehearsalError, Rehearsal
from insight.rehearsal_world import Customer, Incoming
from insight.rehearsed import RehearsedDelivery, RehearsedRun
from insight.sorted_recording import CustomerRecording, Part, SortedRecording, read_part
from journey.program import Program
from journey.state import State
from journey.touchpoint import TRAITS_CHANGED

ROOM = 10_000_000
"""Numbers of entry that a part may use where entries do not come from touchpoints that can be counted before."""

SLICE = timedelta(days=1)
SLICES = 100
"""All customers are played together a hundredth of the time at once, a day at least; then ended runs are let go."""


class BacktestStoppedError(RuntimeError):
    """It cannot go on; the message says with whom, and why."""


class RecordTaker(Protocol):
    """Takes what was made, some customers at a time."""

    def take(self, made: Made) -> None:
        """Keep these records."""
        ...


Opened = AbstractContextManager[RecordTaker]
OpenTaker = Callable[[], Opened]


@dataclass(slots=True, frozen=True, kw_only=True)
class Bounds:
    """Between which moments it happens, and how many customers are to be told in full.

    `most`: more happenings than these, of customers who are played together, are going in circles.
    """

    begins: datetime
    ends: datetime
    examples: int = 0
    highest_lot: int | None = None
    most: int = MAX_HAPPENINGS


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


class Played:
    """Customers in one rehearsal: played, counted, and handed to who keeps the records."""

    def __init__(
        self,
        program: Program,
        bounds: Bounds,
        world: RecordedWorld,
        count: Count,
        taker: RecordTaker | None,
        entries: int,
    ) -> None:
        self.entries = entries
        self._program, self._bounds, self._world = program, bounds, world
        self._count, self._taker = count, taker
        self._rehearsal = Rehearsal(program, world, entries=entries, most=bounds.most)
        self._entered = set[str]()
        self._first_heard: dict[str, datetime] = {}

    def add(self, recording: CustomerRecording) -> None:
        """A customer with all that was recorded of them."""
        customer = self._world.meet(recording.customer, recording.known)
        if recording.known is not None:
            self._rehearsal.know(customer, self._bounds.begins)
        self._feed(customer, recording)
        self._count.figures.customers += 1
        heard = [touchpoint.timestamp for touchpoint in recording.touchpoints]
        self._first_heard[customer] = min(heard, default=self._bounds.begins)

    def add_subjects(self, recording: CustomerRecording) -> None:
        """What was recorded about subjects only."""
        self._feed(None, recording)

    def go_on(self, until: datetime) -> None:
        """Let happen what is due. Raises: `BacktestStoppedError`."""
        try:
            self._rehearsal.go_on(until)
        except EndlessRehearsalError as error:
            names = list(self._world.names.values())
            who = f"Customer {names[0]}: " if len(names) == 1 else ""
            raise BacktestStoppedError(f"{who}{error}") from None

    def let_go(self) -> None:
        """Count and keep the runs that have ended, and let go of what they remember."""
        self._settle(self._settled())

    def close(self) -> None:
        """It is over: count and keep all that is left."""
        result = self._rehearsal.result
        self._settle(run for run in result.all_runs() if run.trace)
        for case in result.cases.values():
            self._count.case(self._world.names[case.customer], case)
        for offer in result.offers.values():
            self._count.offer(offer)
        self._count.rest(result, self._world.names)
        self._count.figures.entered += len(self._entered)
        if self._taker is not None:
            cases = [made_case(each, self._known(each.customer)) for each in result.cases.values()]
            customers = [
                made_customer(customer, self._world.names[customer], self._known(customer), since)
                for customer, since in self._first_heard.items()
            ]
            self._taker.take(Made(customers=customers, cases=cases))

    def _feed(self, customer: str | None, recording: CustomerRecording) -> None:
        self._count.figures.touchpoints += len(recording.touchpoints)
        if self._taker is not None:
            self._taker.take(Made(touchpoints=made_touchpoints(customer, recording)))
        for touchpoint in recording.touchpoints:
            at = touchpoint.timestamp
            if touchpoint.event == TRAITS_CHANGED and customer is not None:
                self._rehearsal.change_traits(customer, touchpoint.properties, at)
            else:
                self._rehearsal.feed([Incoming(at=at, touchpoint=touchpoint, customer=customer)])

    def _settled(self) -> Iterator[RehearsedRun]:
        """Runs that have ended, and of whose messages nothing is under way any more."""
        result = self._rehearsal.result
        busy = {_run_of(each) for each in result.deliveries.values() if each.state == "asked"}
        for run in list(result.all_runs()):
            if run.trace and run.state.finished and f"{run.workflow_id}:{run.entry}" not in busy:
                yield run

    def _settle(self, runs: Iterable[RehearsedRun]) -> None:
        """Count these runs, hand them over, and leave only that they were."""
        result = self._rehearsal.result
        of_run: defaultdict[str, list[RehearsedDelivery]] = defaultdict(list)
        for delivery in result.deliveries.values():
            of_run[_run_of(delivery)].append(delivery)
        for run in list(runs):
            deliveries = of_run.get(f"{run.workflow_id}:{run.entry}", [])
            name = self._world.names[run.customer]
            self._entered.add(run.customer)
            self.entries = max(self.entries, run.entry)
            self._count.run(name, run, deliveries)
            if self._taker is not None:
                known = self._known(run.customer)
                self._taker.take(
                    Made(
                        runs=[made_run(self._program, run, self._bounds.ends)],
                        deliveries=made_deliveries(run, deliveries, known),
                    )
                )
            for delivery in deliveries:
                del result.deliveries[delivery.key]
            run.trace, run.promises, run.shows = [], {}, {}
            if run.outcome is not None:
                run.state = State(outcome=run.outcome, goal=run.state.goal)

    def _known(self, customer: str) -> Customer:
        """A customer with the traits that they have now."""
        traits = dict(self._rehearsal.traits(customer))
        return replace(self._world.customer(customer), traits=traits)


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


def _run_of(delivery: RehearsedDelivery) -> str:
    return delivery.key.rpartition(":")[0]
