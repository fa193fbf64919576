"""How a run stands: when it wakes, what it waits for, whether people must look at it."""

from collections.abc import Mapping
from datetime import datetime

from journey.program import Program
from journey.reactions import reaction_alarms
from journey.state import State
from journey.turn import Turn

BESIDE = frozenset({"threads", "promise", "offer", "show"})
"""Kinds of waiting that hold nobody up."""


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


def stands(state: State) -> dict[str, datetime]:
    """The steps at which the run waits, and since when; of several threads at one step, the earliest.

    A promise, a coupon or words that are watched while the customer goes on hold nobody up.
    """
    found: dict[str, datetime] = {}
    for thread in state.threads:
        waiting = thread.waiting
        if waiting is not None and waiting.kind not in BESIDE:
            found[thread.at] = min(waiting.began, found.get(thread.at, waiting.began))
    return found


def standing(state: State, before: Mapping[str, datetime], now: datetime) -> dict[str, datetime]:
    """As `stands`, with the stage under its name; `before`: what was said of it last."""
    stage = state.stage
    return ({stage: before.get(stage, now)} if stage is not None else {}) | stands(state)


def needs_attention(state: State) -> str | None:
    """Why the run cannot go on by itself, if so."""
    return next(
        (t.waiting.why for t in state.threads if t.waiting and t.waiting.kind == "stopped"), None
    )
