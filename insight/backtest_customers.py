"""Customers of a backtest in one rehearsal: played, counted, and handed to who keeps the records."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from contracts.made_records import Made
from insight.backtest_figures import Count
from insight.backtest_records import (
    made_case,
    made_customer,
    made_deliveries,
    made_run,
    made_touchpoints,
)
from insight.backtest_world import RecordedWorld
from insight.rehearsal import MAX_HAPPENINGS, EndlessRehearsalError, Rehearsal
from insight.rehearsal_world import Customer, Incoming, Outside
from insight.rehearsed import RehearsedDelivery, RehearsedRun
from insight.sorted_recording import CustomerRecording
from journey.program import Program
from journey.state import State
from journey.touchpoint import TRAITS_CHANGED


class BacktestStoppedError(RuntimeError):
    """It cannot go on; the message says with whom, and why."""


class RecordTaker(Protocol):
    """Takes what was made, some customers at a time."""

    def take(self, made: Made) -> None:
        """Keep these records."""
        ...


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
        self._rehearsal = Rehearsal(
            program, world, entries=entries, most=bounds.most, outside=Outside(policy=world.policy)
        )
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


def _run_of(delivery: RehearsedDelivery) -> str:
    return delivery.key.rpartition(":")[0]
