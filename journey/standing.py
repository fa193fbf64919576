"""How a run stands: when it wakes, what it waits for, whether people must look at it."""

from datetime import datetime

from journey.program import Program
from journey.reactions import reaction_alarms
from journey.state import State
from journey.turn import Turn


def next_alarm(state: State) -> datetime | None:
    """The earliest instant at which the run wants to be woken."""
    times = [t.waiting.deadline for t in state.threads if t.waiting and t.waiting.deadline]
    if state.outcome is None and state.reactions:
        times += reaction_alarms(state)
    return min(times, default=None)


def waits_for(program: Program, state: State, now: datetime) -> tuple[str, ...]:
    """What the run waits for, as a person would say it."""
    return awaited(Turn(program, state, now))


def awaited(turn: Turn) -> tuple[str, ...]:
    """What the run of a turn waits for, as a person would say it."""
    nodes = turn.program.nodes
    return tuple(
        [
            f"people to look at it: {thread.waiting.why}"
            if thread.waiting.kind == "stopped"
            else nodes[thread.at].step.words(turn, thread)
            for thread in turn.state.threads
            if thread.waiting and thread.waiting.kind != "threads" and thread.at in nodes
        ]
    )


def needs_attention(state: State) -> str | None:
    """Why the run cannot go on by itself, if so."""
    return next(
        (t.waiting.why for t in state.threads if t.waiting and t.waiting.kind == "stopped"), None
    )
