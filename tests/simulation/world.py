"""A whole installation with its customers, lived through by chance from one seed: no server, no database, no clock.

What happens to it: touchpoints out of order, doubled, late and about subjects; routers and workers that die in the
middle; channels that fail; runs that continue as new; deployments; customers who turn out to be one.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from pydantic import JsonValue

from contracts.ids import effect_key
from contracts.routing import Fate, PendingBatch
from journey.conditions import ConditionError
from journey.effects import Effect, SetTraits
from journey.happenings import EffectFailed, EffectFinished, Entered
from journey.program import Program
from journey.touchpoint import (
    ENTER,
    HOLD_LIFTED,
    MERGED,
    TRAITS_CHANGED,
    Touchpoint,
    read_touchpoint,
)
from routing.customer_batch import CustomerBatch
from routing.signals import RunClosedError, RunStart, RunsUnreachableError, Told
from routing.told_run import ToldRun
from tests.simulation.outside import TRY_AGAIN, OutsideWorld
from tests.simulation.people import BEGINS, Chances, SimulatedCustomer, born
from tests.simulation.post import Post, Stored, Subject, done_at_once, never_wanted
from tests.simulation.simulated_run import SimulatedRun

Happen = Callable[[], None]
SOON = timedelta(milliseconds=20)
MOST_HAPPENINGS = 60_000


class World:
    """One seed's installation. `programs`: versions of journeys in the order in which they are published."""

    def __init__(
        self, seed: int, programs: Sequence[Program], chances: Chances | None = None
    ) -> None:
        self.random = Random(seed)
        self.chances = chances or Chances()
        self.began = self.now = self.random.choice(BEGINS)
        self.live: dict[str, Program] = {}
        self.versions: dict[str, Program] = {program.version: program for program in programs}
        for program in programs:
            self.live.setdefault(program.journey, program)
        self.customers = [
            born(self.random, f"c{n}", self.began) for n in range(self.random.randint(1, 4))
        ]
        self.of_id = {each.customer: each for each in self.customers}
        self.post = Post()
        self.outside = OutsideWorld(self.random, self.held_by, self._traits_set)
        self.runs: list[SimulatedRun] = []
        self.listening: dict[str, set[Subject]] = {}
        self.counted: Counter[str] = Counter()
        self.entries = 0
        self._queue: list[tuple[datetime, int, Happen]] = []
        self._pushed = 0
        self._routing: set[str] = set()
        self._starting: set[str] = set()
        """Runs that the next batch must know of although they are not admitted, by the server's id."""
        self.joined: dict[str, datetime] = {}
        self.goes_on: dict[str, str] = {}
        """A run that gives way → the run that goes on in its place."""

    # -- time

    def at(self, moment: datetime, happen: Happen) -> None:
        """Let something happen at an instant, or now where that has passed."""
        self._pushed += 1
        heapq.heappush(self._queue, (max(moment, self.now), self._pushed, happen))

    def later(self, happen: Happen, most: timedelta) -> None:
        """Let something happen within so long."""
        self.at(self.now + most * self.random.random(), happen)

    def until(self, moment: datetime | None) -> None:
        """Let everything happen that is due by then; None: until nothing is left to happen."""
        happened = 0
        while self._queue and (moment is None or self._queue[0][0] <= moment):
            at, _, happen = heapq.heappop(self._queue)
            self.now = max(self.now, at)
            happen()
            happened += 1
            if happened > MOST_HAPPENINGS:
                raise AssertionError(
                    f"more than {MOST_HAPPENINGS:,} happenings: it goes in circles"
                )
        if moment is not None:
            self.now = max(self.now, moment)

    # -- what comes in

    def tell(
        self,
        event: str,
        said: dict[str, JsonValue],
        *,
        customer: SimulatedCustomer | None = None,
        subject: Subject | None = None,
        message_id: str | None = None,
        occurred_at: datetime | None = None,
        aimed: str | None = None,
    ) -> str:
        """A touchpoint is sent to the installation, and taken in once."""
        whose = customer.canonical if customer else None
        name = message_id or f"m{len(self.post.acknowledged)}"
        new = Stored(
            touchpoint=0,
            message_id=name,
            event=event,
            occurred_at=occurred_at or self.now,
            received_at=self.now,
            customer=whose.customer if whose else None,
            subject=subject,
            properties=said,
        )
        if not self.post.take_in(new):
            self.counted["told again"] += 1
            return name
        if whose is not None:
            self.post.put(whose.customer, new.touchpoint, aimed)
            self.route(whose.customer)
        if subject is not None:
            for run in self.open_runs():
                if subject in self.listening.get(run.workflow_id, ()) and run.customer != (
                    whose.customer if whose else None
                ):
                    self.post.put(run.customer, new.touchpoint)
                    self.route(run.customer)
        return name

    # -- routing

    def route(self, customer: str) -> None:
        """A router will work on this customer."""
        if customer not in self._routing:
            self._routing.add(customer)
            self.later(lambda: self._route(customer), timedelta(seconds=1))

    def _route(self, customer: str) -> None:
        self._routing.discard(customer)
        whose = self.of_id[customer].canonical
        for row in self.post.rows:
            if row.unit == customer != whose.customer and row.number is None:
                row.unit = whose.customer
        limit = self.random.choice((1, 3, 500))
        begun = self.post.number(whose.customer, limit)
        pending = self.post.pending(whose.customer, self._ids(whose), limit, begun)
        if not pending:
            return
        batch = CustomerBatch(
            whose.customer,
            runs=[
                self._told_run(run)
                for run in self.open_runs(whose.customer)
                if run.entry or run.first_run_id in self._starting
            ],
            live=list(self.live.values()),
            profile=lambda: _at_once(whose.profile),
            signals=self,
        )
        try:
            routed = done_at_once(batch.route(PendingBatch(touchpoints=tuple(pending))))
        except RunsUnreachableError:
            self.counted["runs unreachable"] += 1
            self.route(whose.customer)
            return
        if self.random.random() < self.chances.router_dies:
            self.counted["router died"] += 1  # all was told, and nobody wrote that down
            self.route(whose.customer)
            return
        self.post.finish(whose.customer, routed.rows, routed.fates)
        self._starting |= {run.first_run_id for run in routed.starting}
        for key, reason in routed.not_started.items():
            self.ended_other(key, "not_admitted", reason)
        if any(row.unit == whose.customer for row in self.post.rows):
            self.route(whose.customer)

    def _ids(self, whose: SimulatedCustomer) -> set[str]:
        """All that they were known under."""
        return {each.customer for each in self.customers if each.canonical is whose}

    def _told_run(self, run: SimulatedRun) -> ToldRun:
        entering = run.entering if run.entry else None
        return ToldRun(
            run.workflow_id,
            run.program.journey,
            run.program.version,
            run.key,
            run.program,
            entry=run.entry or None,
            first_run_id=run.first_run_id,
            subjects=set(self.listening.get(run.workflow_id, ())),
            gives_way=run.gives_way,
            entering=None if entering is None else self.post.stored[entering].message_id,
            moved=run.moved,
            put_back=self.post.put_back(run.customer, run.workflow_id, entering),
        )

    def open_runs(self, customer: str | None = None) -> list[SimulatedRun]:
        """Runs under way, also those that are not admitted yet."""
        return [run for run in self.runs if not run.is_closed and customer in (None, run.customer)]

    async def signal(self, workflow_id: str, touchpoints: Sequence[Told]) -> None:
        """The router tells a run."""
        if self.random.random() < self.chances.unreachable:
            raise RunsUnreachableError("not now")
        run = next((run for run in self.open_runs() if run.workflow_id == workflow_id), None)
        if run is None:
            self.counted["signal to a closed run"] += 1
            raise RunClosedError(workflow_id)
        run.signal([read_touchpoint(dict(each), self.now, "unused") for each in touchpoints])
        if self.random.random() < self.chances.unreachable:
            self.counted["signal taken, answer lost"] += 1
            raise RunsUnreachableError("it may have been taken")

    async def start(self, start: RunStart) -> str:
        """The router starts a run with a touchpoint, or tells it to the one under way."""
        first = read_touchpoint(dict(start.touchpoint), self.now, "unused")
        run = next((r for r in self.open_runs() if r.workflow_id == start.workflow_id), None)
        if run is None:
            run = SimulatedRun(
                self,
                self.versions[start.version],
                start.workflow_id,
                start.customer,
                start.key,
                f"r{len(self.runs)}",
                self.now,
            )
            self.runs.append(run)
            self.later(lambda: self._admit(run), timedelta(seconds=2))
        run.signal([first])
        return run.first_run_id

    # -- entering

    def _admit(self, run: SimulatedRun) -> None:
        """As `admit` does: once, in one step; what the run listens to from now on is routed again."""
        whose = self.of_id[run.customer].canonical
        run.customer = whose.customer
        entering = self._entering(run, whose)
        if entering is None:
            self._turn_away(run)
            return
        self.entries += 1
        heard = tuple(run.inbox)
        run.inbox.remove(entering)
        run.entering = self.post.known[entering.message_id]
        run.since = min(run.since, self.post.stored[run.entering].received_at)
        program = run.program
        run.enter(
            Entered(
                entry=self.entries,
                customer=whose.customer,
                key=run.key,
                zone=whose.zone,
                held_out=program.held_out(whose.customer),
                traits={
                    name: whose.traits[name] for name in program.traits if name in whose.traits
                },
                entering=entering,
            )
        )
        self.counted["entered"] += 1
        self._again(run, self.post.never_heard(run.customer, heard))
        self.wake(run)

    def _entering(self, run: SimulatedRun, whose: SimulatedCustomer) -> Touchpoint | None:
        program = run.program
        same = [
            other
            for other in self.runs
            if (other.program.journey, other.customer, other.key)
            == (program.journey, whose.customer, run.key)
            and other.entry
            and other is not run
        ]
        if any(not other.is_closed for other in same):
            return None
        came = max((other.since for other in same), default=None)
        if not program.again.allows(came, self.now, whose.zone):
            return None
        used = {self.post.stored[other.entering].message_id for other in same}
        for touchpoint in run.inbox:
            if touchpoint.message_id in used or not program.enters_on(touchpoint):
                continue
            try:
                wanted = program.entry_wanted(touchpoint, whose.profile)
                key = program.entry_key(touchpoint, whose.profile) if wanted else None
            except ConditionError:
                continue
            if wanted and key == run.key:
                return touchpoint
        return None

    def _turn_away(self, run: SimulatedRun) -> None:
        self.counted["not admitted"] += 1
        run.is_closed, run.not_admitted = True, "not admitted"
        for touchpoint in {each.message_id: each for each in run.inbox}.values():
            asked = touchpoint.properties.get("asked_by")
            if touchpoint.event == ENTER and isinstance(asked, str):
                self.ended_other(asked, "not_admitted", "not admitted")
            serial = self.post.known[touchpoint.message_id]
            self._fate(serial, run.customer, {"fate": "handed_back", "run": run.workflow_id})
        run.inbox = []

    def _again(self, run: SimulatedRun, never: Callable[[Stored], bool]) -> None:
        """What its customer had since it began and it had not is put back; `never`: certainly never told of it."""
        ids = self._ids(self.of_id[run.customer])
        for touchpoint in self.post.had_since(ids, run.since, run.workflow_id, run.entry):
            whose = (run.customer, touchpoint, run.workflow_id)
            if never(self.post.stored[touchpoint]):
                self.post.put_anew(*whose, run.entry)
            elif not self.post.is_aimed(*whose):
                self.post.put(*whose)
        self.route(run.customer)

    # -- what runs need of their home

    def wake(self, run: SimulatedRun, at: datetime | None = None) -> None:
        """Let a task of the run come; several signals are in one where it comes slowly."""
        if at is not None:
            self.at(at, run.task)
        elif self.random.random() < self.chances.slow_task:
            self.later(run.task, timedelta(seconds=5))
        else:
            self.at(self.now + SOON, run.task)

    def carry_out(self, run: SimulatedRun, effect: Effect) -> None:
        """A worker will carry it out; and again, where it died before it said what came of it."""
        attempt = run.under_way[effect.n]
        key = effect_key(run.workflow_id, run.entry, effect.n)

        def attempted() -> None:
            row = self.outside.ledger.get(key)
            begun = row is not None and row.state == "intended"
            if run.under_way.get(effect.n) != attempt and not begun:
                return
            whose = self.of_id[run.customer].canonical
            said = self.outside.carry_out(run, effect, key, whose, self.now)
            if said is None:
                self.counted["attempt lost"] += 1
                self.at(self.now + TRY_AGAIN, attempted)
                return
            self.counted[_became(effect, said)] += 1
            self.later(lambda: run.answer(attempt, said), timedelta(seconds=1))
            if effect.kind == "start_run" and isinstance(said, EffectFinished):
                self._begin_other(key, effect, whose)

        slow = self.random.choice((SOON, SOON, timedelta(seconds=3), timedelta(hours=2)))
        self.later(attempted, slow)

    def _begin_other(self, key: str, effect: Any, whose: SimulatedCustomer) -> None:
        said = {**effect.properties, "journey": effect.journey, "asked_by": key}
        self.tell(ENTER, said, customer=whose, message_id=f"start/{key}")

    def ended_other(self, key: str, outcome: str, reason: str = "") -> None:
        """A run that a run began has ended, or did not begin."""
        run = next((r for r in self.runs if key.startswith(f"{r.workflow_id}:{r.entry}:")), None)
        if run is not None:
            said: dict[str, JsonValue] = {"run": key, "outcome": outcome, "reason": reason}
            whose = self.of_id[run.customer]
            self.tell("Run Ended", said, customer=whose, message_id=f"ended/{key}")

    def hand_back(self, run: SimulatedRun, late: list[Touchpoint]) -> None:
        """What is not this run's is for the run that may follow it."""
        self.counted["handed back"] += len(late)
        for touchpoint in late:
            serial = self.post.known.get(touchpoint.message_id)
            if serial is None:
                self.counted["foreign handed back"] += 1
                continue
            self._fate(serial, run.customer, {"fate": "handed_back", "run": run.workflow_id})
            self.post.put(run.customer, serial, self.goes_on.get(run.workflow_id, run.workflow_id))
        self.route(run.customer)

    def _fate(self, touchpoint: int, customer: str, fate: Fate) -> None:
        for (whose, serial), arrival in self.post.arrivals.items():
            if serial == touchpoint and whose == customer:
                arrival.fates.append(fate)
                return

    def listens(self, run: SimulatedRun, subjects: dict[str, tuple[str, ...]]) -> None:
        """What it listens to now; what was told of that before reaches it too."""
        now = {(kind, one) for kind, ids in subjects.items() for one in ids}
        new = now - self.listening.get(run.workflow_id, set())
        self.listening[run.workflow_id] = now
        for touchpoint in self.post.about(new, run.customer, run.since):
            self.post.put_anew(run.customer, touchpoint, run.workflow_id, run.entry)
            self.route(run.customer)

    def moved(self, run: SimulatedRun, before: Program) -> None:
        """It goes on under another version: what that listens to is routed again."""
        self.counted["moved"] += 1
        followed = self.listening.get(run.workflow_id, set[Subject]())
        self._again(run, never_wanted(before, followed))

    def closed(self, run: SimulatedRun) -> None:
        """It is over: what it held may go, and whoever asked for it is told."""
        self.counted[f"outcome {run.state.outcome}"] += 1
        self.listening.pop(run.workflow_id, None)
        key = self.asked_by.get(run.workflow_id)
        if key is not None:
            self.ended_other(key, run.state.outcome or "")
        for other in self.open_runs(run.customer):
            if other is not run and other.entry:
                whose = self.of_id[run.customer]
                self.tell(HOLD_LIFTED, {}, customer=whose, aimed=other.workflow_id)

    @property
    def asked_by(self) -> dict[str, str]:
        """The workflow id of a run → the key under which another run asked for it."""
        found: dict[str, str] = {}
        for run in self.runs:
            for happening, _, _ in run.happened[:1]:
                first = happening.entering if isinstance(happening, Entered) else None
                asked = first.properties.get("asked_by") if first else None
                if isinstance(asked, str):
                    found[run.workflow_id] = asked
        return found

    def held_by(self, run: SimulatedRun, whose: SimulatedCustomer) -> str | None:
        """The journey for whose end marketing of this run waits."""
        own = run.program.definition.priority
        for other in self.open_runs(whose.customer):
            if other is run or not other.entry or other.program.journey == run.program.journey:
                continue
            theirs = other.program.definition.priority
            if other.program.holds or (theirs is not None and theirs > (own or 0)):
                return other.program.journey
        return None

    def _traits_set(self, run: SimulatedRun, effect: SetTraits, key: str) -> None:
        whose = self.of_id[run.customer].canonical
        whose.traits.update(effect.traits)
        traits = dict(effect.traits)
        self.tell(TRAITS_CHANGED, traits, customer=whose, message_id=f"traits/{key}")

    # -- what becomes of customers

    def become_one(self, goes: SimulatedCustomer, stays: SimulatedCustomer) -> bool:
        """They turn out to be one, once nothing numbered is on the way to either."""
        both = {goes.customer, stays.customer}
        if any(row.unit in both and row.number is not None for row in self.post.rows):
            return False
        if any(not run.entry for run in self.open_runs() if run.customer in both):
            return (
                False  # a start is under way: it is forwarded by admission, which is not told here
            )
        goes.became = stays
        self.joined[stays.customer] = self.now
        self.counted["two became one"] += 1
        for row in self.post.rows:
            row.unit = stays.customer if row.unit == goes.customer else row.unit
        numbered = [self.post.numbered.get(each, 0) for each in both]
        self.post.numbered[stays.customer] = max(numbered)
        for key, said in goes.consents.items():
            if not said:
                stays.says(key, self.now, yes=False)
        for row in self.outside.ledger.values():
            row.customer = stays if row.customer is goes else row.customer
        for run in self.runs:
            if run.customer == goes.customer:
                run.customer = stays.customer
                run.joined = self.now
                if not run.is_closed:
                    self._join(run, stays)
        self.route(stays.customer)
        return True

    def _join(self, run: SimulatedRun, stays: SimulatedCustomer) -> None:
        """Where two runs are of one journey and key, one gives way."""
        for other in self.open_runs(stays.customer):
            if other is run or other.gives_way:
                continue
            if (other.program.journey, other.key) == (run.program.journey, run.key):
                run.gives_way = True
                self.goes_on[run.workflow_id] = other.workflow_id
                said: dict[str, JsonValue] = {"into": other.workflow_id}
                self.tell(MERGED, said, customer=stays, aimed=run.workflow_id)
                return


async def _at_once(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return value


def _became(effect: Effect, said: EffectFinished | EffectFailed) -> str:
    return f"{effect.kind} failed" if isinstance(said, EffectFailed) else effect.kind
