"""How a run stands right after it was admitted, told before it begins."""

from datetime import datetime

from journey.effects import RunRecord
from journey.happenings import Entered
from journey.machine import advance
from journey.program import Program
from journey.state import State


def first_record(program: Program, entered: Entered, now: datetime) -> RunRecord | None:
    """The record of a run that only waits at first; None where it asks for something, or is over at once.

    Pure, as the machine is: admission and the run itself come to the same.
    """
    advanced = advance(program, State(), entered, now)
    if advanced.effects:
        return None
    record = advanced.record
    if not record.trace or record.outcome is not None or record.listens is not None:
        return None
    return record
