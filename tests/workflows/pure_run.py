"""A run lived by the machine alone, where all that is asked for is done at once: what the shell must show as well."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from contracts.ids import effect_key, workflow_id
from journey.effects import Effect, TraceEntry
from journey.happenings import AlarmFired, Arrived, EffectFinished, Entered, Happening
from journey.machine import advance
from journey.program import Program
from journey.standing import next_alarm
from journey.state import State
from journey.touchpoint import CASE_DECIDED, RUN_ENDED, SURVEY_ANSWERED, Touchpoint, read_touchpoint
from tests.unit.journey.story import usual_answer

AN_ANSWER_TAKES = timedelta(milliseconds=20)
TOO_CLOSE = timedelta(minutes=2)
"""A server's clock goes on while it works: what is this near to something else may come before or behind it."""

MOST = 200
"""Happenings of one run: one that has more goes round and round."""


class UnclearOrderError(Exception):
    """Two things happen so near to each other that either may come first: nothing to compare."""


@dataclass
class PureRun:
    """A run without a server. `behind`: where several effects are asked for, which is answered before each."""

    program: Program
    customer: str
    entry: int
    now: datetime
    state: State = field(default_factory=State)
    trace: list[TraceEntry] = field(default_factory=list[TraceEntry])
    behind: dict[int, int] = field(default_factory=dict[int, int])
    _asked: deque[Effect] = field(default_factory=deque[Effect])
    _happened: int = 0

    @property
    def workflow_id(self) -> str:
        return workflow_id(self.program.definition.journey, self.customer)

    def enter(self, raw: dict[str, Any], traits: dict[str, Any]) -> None:
        """The customer enters by this touchpoint, as it is sent."""
        self._happens(
            Entered(
                entry=self.entry,
                customer=self.customer,
                traits={name: traits[name] for name in self.program.traits if name in traits},
                entering=self._read(raw),
            )
        )
        self._settle()

    def arrives(self, raw: dict[str, Any]) -> None:
        """A touchpoint comes, and all that follows from it at once."""
        self._happens(Arrived(touchpoints=(self._read(raw),)))
        self._settle()

    def passes(self, span: timedelta) -> None:
        """Time passes; the run is woken when it is due. Raises: `UnclearOrderError`."""
        until = self.now + span
        while (alarm := next_alarm(self.state)) is not None and alarm <= until - TOO_CLOSE:
            self.now = max(self.now, alarm)
            self._happens(AlarmFired(at=alarm))
            self._settle()
        if alarm is not None and alarm < until + TOO_CLOSE:
            raise UnclearOrderError
        self.now = until

    def ours(self, kind: str, said: dict[str, Any]) -> dict[str, Any] | None:
        """What staff decide, a customer answers or another run ends as, for whoever waits for it."""
        event, name = OURS[kind]
        waiting = [t.waiting.n for t in self.state.threads if t.waiting and t.waiting.kind == kind]
        if not waiting:
            return None
        key = effect_key(self.workflow_id, self.entry, waiting[0] or 0)
        about = f"case/{key}" if kind == "case" else key
        return {"event": event, "properties": {name: about, **said}}

    def _read(self, raw: dict[str, Any]) -> Touchpoint:
        return read_touchpoint(raw, self.now, "unused")

    def _happens(self, happening: Happening) -> None:
        self._happened += 1
        if self._happened > MOST:
            raise UnclearOrderError
        advanced = advance(self.program, self.state, happening, self.now)
        self.state = advanced.state
        self.trace += advanced.record.trace
        self._asked += advanced.effects

    def _settle(self) -> None:
        """Everything that was asked for is done, one after the other."""
        worked = False
        while self._asked:
            effect = self._asked.popleft()
            if effect.n not in self.state.outstanding:
                continue  # called off
            worked = True
            self.behind |= {other.n: effect.n for other in self._asked}
            self.now += AN_ANSWER_TAKES
            self._happens(EffectFinished(n=effect.n, answer=usual_answer(effect)))
        alarm = next_alarm(self.state)
        if worked and alarm is not None and alarm < self.now + TOO_CLOSE:
            raise UnclearOrderError


OURS = {
    "case": (CASE_DECIDED, "case"),
    "survey": (SURVEY_ANSWERED, "ask"),
    "run": (RUN_ENDED, "run"),
}
"""What a thread waits for → the event that ends it, and the property that names it."""
