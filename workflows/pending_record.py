"""What a run has decided and not yet written down, and the ways to write it without an event of its own."""

from dataclasses import replace
from datetime import datetime, timedelta

from journey.effects import NOT_SENT, Deliver, Effect, RunRecord
from journey.happenings import DeliveryAnswer, EffectFinished, Entered, Happening
from journey.machine import advance
from journey.program import Program
from journey.state import State

MAY_LAG = timedelta(minutes=1)
"""How far the wake-up time in the record may be from the run's own before it is written anew."""


class PendingRecord:
    """The record to be written with the next effect, or else at the end of the task."""

    def __init__(self) -> None:
        self._pending: RunRecord | None = None
        self._hoped: RunRecord | None = None

    @property
    def is_empty(self) -> bool:
        """Whether all that was decided is written or on its way."""
        return self._pending is None

    def add(self, happening: Happening, record: RunRecord) -> None:
        """Add what came of a happening, unless a delivery has written it already."""
        came, self._hoped = self._came_as_hoped(happening, record), None
        told = record.trace or record.promises or record.shows
        if came or not (told or record.listens is not None):
            return
        self._pending = _joined(self._pending, record)

    def take(self) -> RunRecord | None:
        """What is to be written now."""
        pending, self._pending = self._pending, None
        return pending

    def expect(self, record: RunRecord | None) -> None:
        """What comes next is written already, if it comes so."""
        self._hoped = record

    def put_back(self, record: RunRecord) -> None:
        """Write again what may not have been written: it was decided before all that is pending."""
        self._pending = record if self._pending is None else _joined(record, self._pending)

    def hope(
        self, effect: Effect, program: Program, state: State, now: datetime
    ) -> RunRecord | None:
        """How the run will stand once this message was accepted, where that is all that will happen.

        It rides along and is written by the delivery itself, which saves an event (about 360 bytes).
        """
        self._hoped = None
        if not isinstance(effect, Deliver) or len(state.outstanding) != 1:
            return None
        accepted = EffectFinished(n=effect.n, answer=DeliveryAnswer(state="accepted"))
        hoped = advance(program, state, accepted, now)
        record = hoped.record
        told = record.promises or record.shows or record.listens is not None
        if hoped.effects or record.outcome or told:
            return None
        self._hoped = record
        undated = tuple(replace(entry, at=NOT_SENT) for entry in record.trace)
        return replace(record, at=NOT_SENT, trace=undated)

    def _came_as_hoped(self, happening: Happening, record: RunRecord) -> bool:
        hoped = self._hoped
        if hoped is None or not (isinstance(happening, Entered) or _is_accepted(happening)):
            return False
        if (hoped.sequence, hoped.stage) != (record.sequence, record.stage):
            return False
        if [entry.address for entry in hoped.trace] != [entry.address for entry in record.trace]:
            return False
        if hoped.wakes_at is None or record.wakes_at is None:
            return hoped.wakes_at is record.wakes_at
        return abs(record.wakes_at - hoped.wakes_at) < MAY_LAG


def _is_accepted(happening: Happening) -> bool:
    return (
        isinstance(happening, EffectFinished)
        and isinstance(happening.answer, DeliveryAnswer)
        and happening.answer.state == "accepted"
    )


def _joined(earlier: RunRecord | None, later: RunRecord) -> RunRecord:
    if earlier is None:
        return later
    settled = {promise.n: promise for promise in (*earlier.promises, *later.promises)}
    shown = {show.n: show for show in (*earlier.shows, *later.shows)}
    return replace(
        later,
        trace=(*earlier.trace, *later.trace),
        promises=tuple(settled.values()),
        shows=tuple(shown.values()),
        listens=later.listens if later.listens is not None else earlier.listens,
    )
