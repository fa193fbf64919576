"""A run in a simulated installation: what workflows/customer_journey.py does around the machine, without a server.

Every advance is held against the rules of `insight.sound_runs`, and lived a second time from the state as JSON.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from contracts.evidence import Told
from insight.sound_runs import advance_faults, state_faults
from journey.effects import Effect
from journey.happenings import (
    AlarmFired,
    Arrived,
    EffectFailed,
    EffectFinished,
    Entered,
    Happening,
    Moved,
    Nudged,
    Resumed,
    ToldToLeave,
)
from journey.machine import Advanced, advance
from journey.program import Program
from journey.standing import next_alarm
from journey.state import State, dump_state, load_state
from journey.touchpoint import Touchpoint


@dataclass(slots=True, frozen=True, kw_only=True)
class MoveOrder:
    """It is to go on under another version, at a step of it."""

    program: Program
    step: str | None = None


Order = ToldToLeave | Resumed | Nudged | MoveOrder
AT_ONCE = 5
"""How many touchpoints a task lets in: few, so that what comes behind them is met often."""

MOST = 20_000
"""Happenings of one run: one that has more goes round and round without waiting."""


READ_AGAIN_EACH = 4
"""Advances between two at which its second life goes on from what was written: writing costs most of a seed."""


class BrokenRunError(AssertionError):
    """A run that is not as it must be; the message names the rule, the run and the moment."""


class Home(Protocol):
    """The installation that a run lives in."""

    now: datetime

    def carry_out(self, run: "SimulatedRun", effect: Effect) -> None: ...
    def wake(self, run: "SimulatedRun", at: datetime | None = None) -> None: ...
    def hand_back(self, run: "SimulatedRun", late: list[Touchpoint]) -> None: ...
    def listens(self, run: "SimulatedRun", subjects: dict[str, tuple[str, ...]]) -> None: ...
    def moved(self, run: "SimulatedRun", before: Program) -> None: ...
    def closed(self, run: "SimulatedRun") -> None: ...


@dataclass(eq=False)
class SimulatedRun:
    """One run, from its start to its end, through every continue-as-new."""

    home: Home
    program: Program
    workflow_id: str
    customer: str
    key: str | None
    first_run_id: str
    since: datetime
    entry: int = 0
    entering: int = 0
    state: State = field(default_factory=State)
    inbox: list[Touchpoint] = field(default_factory=list[Touchpoint])
    orders: list[Order] = field(default_factory=list[Order])
    answers: list[EffectFinished | EffectFailed] = field(
        default_factory=list[EffectFinished | EffectFailed]
    )
    under_way: dict[int, int] = field(default_factory=dict[int, int])
    """Effects being carried out → which attempt of ours it is: an answer of an earlier one is lost."""
    asked: dict[int, Effect] = field(default_factory=dict[int, Effect])
    told: list[Told] = field(default_factory=list[Told])
    late: list[Touchpoint] = field(default_factory=list[Touchpoint])
    happened: list[tuple[Happening, datetime, Program]] = field(
        default_factory=list[tuple[Happening, datetime, Program]]
    )
    ends: list[tuple[datetime, str]] = field(default_factory=list[tuple[datetime, str]])
    continued: int = 0
    is_closed: bool = False
    gives_way: bool = False
    moved: bool = False
    joined: datetime | None = None
    steps: set[str] = field(default_factory=set[str])
    """Kinds of step that it stood at, or that told of themselves."""
    not_admitted: str = ""
    alarm: datetime | None = None
    _second: State = field(default_factory=State)

    # -- what comes in

    def signal(self, touchpoints: list[Touchpoint]) -> None:
        """The server took a signal for it."""
        self.inbox += touchpoints
        self.told += [
            Told(message_id=each.message_id, event=each.event, number=each.number)
            for each in touchpoints
        ]
        self.home.wake(self)

    def order(self, order: Order) -> None:
        """It is told to leave, to move, to try again or to go on."""
        self.orders.append(order)
        self.home.wake(self)

    def answer(self, attempt: int, answer: EffectFinished | EffectFailed) -> None:
        """An effect was carried out; unless it was called off, or is carried out anew since."""
        if not self.is_closed and self.under_way.get(answer.n) == attempt:
            del self.under_way[answer.n]
            self.answers.append(answer)
            self.home.wake(self)

    # -- one task

    def enter(self, entered: Entered) -> None:
        """It was admitted."""
        self.entry = entered.entry
        self._advance(entered)

    def task(self) -> None:
        """Look at all that came, and close where it is over."""
        if self.is_closed or not self.entry:
            return
        self._settle()
        if self.state.finished:
            late = [*self.late, *self.inbox]
            self.late, self.inbox, self.is_closed = [], [], True
            if late:
                self.home.hand_back(self, late)
            self.home.closed(self)

    def _settle(self) -> None:
        while self.inbox or self.orders or self.answers or self._is_due():
            if self.inbox:
                self._arrive()
            orders, self.orders = self.orders, []
            for order in orders:
                if isinstance(order, MoveOrder):
                    if self.state.outcome is None:
                        before, self.program = self.program, order.program
                        self.moved = True
                        self.home.moved(self, before)
                    self._advance(Moved(address=order.step, reason="told to move"))
                else:
                    self._advance(order)
            answers, self.answers = self.answers, []
            for answer in answers:
                self._advance(answer)
            if self.alarm is not None and self.alarm <= self.home.now:
                fired, self.alarm = self.alarm, None
                self._advance(AlarmFired(at=fired))
        alarm = next_alarm(self.state)
        if alarm is not None and alarm != self.alarm:
            self.home.wake(self, alarm)
        self.alarm = alarm

    def _is_due(self) -> bool:
        return self.alarm is not None and self.alarm <= self.home.now

    def _arrive(self) -> None:
        now, behind = tuple(self.inbox[:AT_ONCE]), tuple(self.inbox[AT_ONCE:])
        self._advance(Arrived(touchpoints=now, behind=behind))
        self.inbox = [] if self.state.outcome is not None else list(behind)
        if self.late and self.state.outcome is None:
            late, self.late = self.late, []
            self.home.hand_back(self, late)

    def continue_as_new(self) -> None:
        """Go on from the state as it is written; what is being carried out is asked for once more."""
        if self.is_closed or not self.entry or self.inbox or self.answers or self.orders:
            return
        self.continued += 1
        self.state = load_state(dump_state(self.state))
        self.under_way.clear()
        for n, asked in list(self.state.outstanding.items()):
            if not asked.held:
                self._start(n, asked.effect)
        self.alarm = next_alarm(self.state)
        if self.alarm is not None:
            self.home.wake(self, self.alarm)

    def _start(self, n: int, effect: Effect) -> None:
        self.under_way[n] = len(self.happened) * 1_000 + self.continued
        self.home.carry_out(self, effect)

    # -- one advance

    def _advance(self, happening: Happening) -> None:
        now, before = self.home.now, self.state
        if len(self.happened) > MOST:
            raise BrokenRunError(f"{self.workflow_id}: more than {MOST:,} happenings")
        self.happened.append((happening, now, self.program))
        advanced = self._twice(happening, now)
        self._hold(advance_faults(before, advanced, self.asked), happening)
        self.asked |= {effect.n: effect for effect in advanced.effects}
        self.state = advanced.state
        self.late += advanced.late
        self._note_steps(advanced)
        if advanced.state.outcome is not None and before.outcome is None:
            self.ends.append((now, advanced.state.outcome))
        self._hold(state_faults(self.program, self.state, now), happening)
        for effect in advanced.effects:
            if effect.n in self.state.outstanding:
                self._start(effect.n, effect)
        for n in [n for n in self.under_way if n not in self.state.outstanding]:
            del self.under_way[n]
        listens = advanced.record.listens
        if listens is not None or self.state.outcome is not None:
            self.home.listens(self, listens or {})

    def _note_steps(self, advanced: Advanced) -> None:
        places = [thread.at for thread in advanced.state.threads]
        places += [entry.address for entry in advanced.record.trace]
        nodes = self.program.nodes
        self.steps |= {nodes[place].step.kind for place in places if place in nodes}
        self.steps |= {str(effect.kind) for effect in advanced.effects}

    def _twice(self, happening: Happening, now: datetime) -> Advanced:
        """The same in its second life, now and then read from JSON; the state that was given stays as it was."""
        given, second = self.state, self._second
        advanced = advance(self.program, given, happening, now)
        if second != given:
            self._hold(["the state that it was given is another one now"], happening)
        again = advance(self.program, second, happening, now)
        self._hold(_alike(advanced, again), happening)
        self._second = again.state
        if len(self.happened) % READ_AGAIN_EACH == 0:
            self._second = load_state(dump_state(advanced.state))
            if self._second != advanced.state:
                self._hold(["its state is another one when it is read again"], happening)
        return advanced

    def _hold(self, faults: Iterable[str], happening: Happening) -> None:
        for words in faults:
            raise BrokenRunError(
                f"{self.workflow_id} at {self.home.now:%Y-%m-%d %H:%M:%S}, after {happening}: {words}"
            )

    def lives_again(self) -> None:
        """From its first happening on, the same happenings give the same run."""
        state = State()
        for happening, now, program in self.happened:
            state = advance(program, state, happening, now).state
        if state != self.state:
            raise BrokenRunError(f"{self.workflow_id}: lived again, it is another run")


def _alike(advanced: Advanced, again: Advanced) -> Iterator[str]:
    if advanced.effects != again.effects or advanced.record != again.record:
        yield "the same asks for something else when it is lived again"
    if advanced.state != again.state:
        yield "the same gives another state when it is lived again"
