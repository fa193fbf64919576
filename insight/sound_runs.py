"""What must hold of one run by its own state, between two happenings; pure, so that it can be asked after each.

`insight.invariants.check` asks it of every state that it is given. A state is known where a run is lived
in memory, and where one continued as new; elsewhere the record says the same in fewer words (`standing_faults`).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from journey.effects import Deliver, Effect, SettleOffer
from journey.machine import Advanced
from journey.program import Program
from journey.standing import needs_attention, next_alarm, waits_for
from journey.state import State, Thread
from journey.steps.wait import Wait

ENDLESS = ("survey", "run", "offer")
"""Kinds of waiting that must have an end of their own."""


def state_faults(program: Program, state: State, now: datetime) -> Iterator[str]:
    """What is wrong with a state at rest. It is at rest when all that came was looked at."""
    if state.entered_at is None:
        return
    yield from _effects(state)
    for thread in state.threads:
        yield from _thread(program, state, thread)
    if state.outcome is not None:
        yield from _after_the_end(state)
        return
    yield from _coupons_and_shows(state)
    if not any(thread.home == "main" and thread.parent is None for thread in state.threads):
        yield "the customer is on no step"
    if not any(_will_go_on(program, each) for each in state.threads if each.home == "main"):
        yield "nothing that its main thread waits for will come"
    told, stopped = waits_for(program, state, now), needs_attention(state)
    yield from standing_faults(next_alarm(state), told or ("threads",), stopped, now)


def standing_faults(
    wakes_at: datetime | None,
    waits_for: Iterable[str],
    needs_attention: str | None,
    overdue: datetime,
    *,
    with_staff: bool = False,
) -> Iterator[str]:
    """What is wrong with how an open run stands, as its record and its state both tell."""
    if wakes_at is None and not tuple(waits_for) and not with_staff and not needs_attention:
        yield "waits for nothing"
    if wakes_at is not None and wakes_at < overdue:
        yield f"was to wake at {wakes_at:%Y-%m-%d %H:%M:%S}"


def advance_faults(before: State, advanced: Advanced, asked: dict[int, Effect]) -> Iterator[str]:
    """What is wrong with one advance; `asked`: all that the run asked for before, by number."""
    state = advanced.state
    for effect in advanced.effects:
        was = before.outstanding.get(effect.n)
        if effect.n in asked and was is None:
            yield f"{effect.kind} {effect.n} is asked for anew"
        if effect.n > state.counter:
            yield f"{effect.kind} {effect.n} has a number that was not counted"
        over = before.outcome is not None or state.outcome is not None
        if isinstance(effect, Deliver) and over and not effect.last_act:
            yield f"{effect.message} is sent by a run that has ended"
    if state.sequence < before.sequence or state.watermark < before.watermark:
        yield "it counts backwards"
    if before.outcome is not None and state.outcome != before.outcome:
        yield f"it ended as {before.outcome}, and then as {state.outcome}"
    settled = [each.grant for each in asked.values() if isinstance(each, SettleOffer)]
    if len(set(settled)) != len(settled):
        yield "a coupon ended twice"
    yield from _backwards(before, state)


def _backwards(before: State, state: State) -> Iterator[str]:
    marks = {thread.thread: thread.mark for thread in before.threads}
    for thread in state.threads:
        if thread.mark < marks.get(thread.thread, 0):
            yield f"{thread.at} looks back twice"


def _effects(state: State) -> Iterator[str]:
    for n, asked in state.outstanding.items():
        if n != asked.effect.n or not 0 < n <= state.counter:
            yield f"effect {n} is kept under a number that is not its own"
        waited = [each for each in state.threads if each.waiting and each.waiting.n == n]
        if asked.held and not waited:
            yield f"effect {n} is put off, and nothing will ask for it again"


def _after_the_end(state: State) -> Iterator[str]:
    """Only what is done at the end goes on, and it waits for answers and for time alone."""
    if state.mailbox or state.offers or state.shows or state.promises:
        yield "it has ended, and left something open"
    for thread in state.threads:
        kind = thread.waiting.kind if thread.waiting else "nothing"
        if thread.home != "exit" or kind not in ("effect", "deferred"):
            yield f"it has ended, and {thread.at} waits for {kind}"
    for asked in state.outstanding.values():
        if isinstance(asked.effect, Deliver) and not asked.effect.last_act:
            yield f"it has ended, and {asked.effect.message} is still to be sent"


def _coupons_and_shows(state: State) -> Iterator[str]:
    for kind, known in (("offer", state.offers), ("show", state.shows)):
        watched = [t.waiting.n for t in state.threads if t.waiting and t.waiting.kind == kind]
        if sorted(n or 0 for n in watched) != sorted(each.n for each in known):
            yield f"of what it keeps as {kind}, not each is watched once"


def _thread(program: Program, state: State, thread: Thread) -> Iterator[str]:
    waiting, here = thread.waiting, thread.at
    if here not in program.nodes:
        yield f"{here} is no step of its version"
        return
    if waiting is None:
        yield f"{here} neither runs nor waits"
        return
    if len(set(thread.met)) != len(thread.met):
        yield f"{here}: one touchpoint met it twice"
    if waiting.kind in ("effect", "deferred"):
        asked = state.outstanding.get(waiting.n or 0)
        if asked is None or asked.held != (waiting.kind == "deferred"):
            yield f"{here} waits for an effect that nobody carries out"
    if waiting.kind == "threads" and not any(t.parent == thread.thread for t in state.threads):
        yield f"{here} waits for threads that are gone"
    if waiting.kind == "stopped" and not waiting.why:
        yield f"{here} stopped, and does not say why"
    if waiting.kind in ENDLESS and waiting.deadline is None:
        yield f"{here} waits for ever"
    if waiting.kind == "promise" and not any(each.n == waiting.n for each in state.promises):
        yield f"{here} watches a promise that was not made"


def _will_go_on(program: Program, thread: Thread) -> bool:
    waiting = thread.waiting
    if waiting is None or thread.at not in program.nodes:
        return False
    if waiting.kind == "touchpoint":
        step = program.nodes[thread.at].step
        return waiting.deadline is not None or (isinstance(step, Wait) and bool(step.forever))
    return waiting.kind != "deferred" or waiting.deadline is not None
