"""The machine: the whole meaning of a journey in one function without side effects.

`advance(program, state, happening, now)` gives the new state, the effects it asks for, and a record
of what was decided. The same happenings give the same run, always: time is an argument, chance is a hash.
"""

from collections import Counter
from datetime import datetime
from typing import NamedTuple

from journey.arrivals import Came, arrive, arrive_late, enter, exit_when, take_in
from journey.effects import (
    CloseCase,
    Deliver,
    Effect,
    OpenCase,
    RunRecord,
    SettleOffer,
    TraceEntry,
)
from journey.happenings import (
    AlarmFired,
    Arrived,
    CaseAnswer,
    DeliveryAnswer,
    EffectFailed,
    EffectFinished,
    Entered,
    Happening,
    Moved,
    OfferAnswer,
    Resumed,
    ToldToLeave,
    TraitsAnswer,
)
from journey.moving import move
from journey.program import Program
from journey.reactions import look_at_reactions, settle_due
from journey.standing import needs_attention, next_alarm, waits_for
from journey.state import Mail, State, Thread, copy_state
from journey.steps.for_each import ForEach
from journey.steps.send import said
from journey.touchpoint import Touchpoint
from journey.turn import Turn

ENGINE = 1
"""The engine this code is. `admit` assigns one to each run, raised only when every worker knows it."""

KNOWN_ENGINES = frozenset({1})

MAIL_PER_NAME = 32
"""How many touchpoints of one name that nothing has looked at a run keeps for look-back, between turns."""

STEPS_PER_TURN = 2_000
"""A turn that takes more steps is going in circles: it stops there and says so."""


class Advanced(NamedTuple):
    """What came of one happening.

    `late`: touchpoints that came after what ended the run. They are for whoever comes after it.
    """

    state: State
    effects: list[Effect]
    record: RunRecord
    refused: list[str]
    late: list[Touchpoint]


def advance(program: Program, state: State, happening: Happening, now: datetime) -> Advanced:
    """Let one thing happen to a run.

    Pure: `state` is left as it was. Never raises for what a customer, a sender or an effect did.
    Effects already asked for and no longer in `state.outstanding` are not wanted any more.
    """
    turn = Turn(program, copy_state(state), now)
    refused: list[str] = []
    late: list[Touchpoint] = []
    # What is done at the end goes on when the run has its outcome: it waits for answers and for time only.
    if state.outcome is None or isinstance(happening, EffectFinished | EffectFailed | AlarmFired):
        came = _happen(turn, happening, refused)
        _run(turn)
        for place, touchpoint in enumerate(came.now):
            if turn.state.outcome is not None:
                late = came.now[place:]
                break
            # One at a time: what comes together is lived through as if it had come one by one.
            take_in(turn, touchpoint)
            turn.steps = 0
            _run(turn)
            _forget(turn)
        if turn.state.outcome is not None:
            late = [*late, *came.behind]
        # Deadlines come last: what is here already wins over them, and may move them.
        turn.steps = 0
        while _due(turn):
            _run(turn)
    elif isinstance(happening, Arrived):
        late = arrive_late(turn, (*happening.touchpoints, *happening.behind), refused)
    else:
        refused.append("the journey has ended")
    listens = _listens(turn)
    _forget(turn)
    return Advanced(turn.state, turn.effects, _record(turn, listens), refused, late)


def _happen(turn: Turn, happening: Happening, refused: list[str]) -> Came:
    """Let it happen; the touchpoints that came with it and count are still to be let in."""
    came = Came([], [])
    match happening:
        case Entered():
            enter(turn, happening)
            came = arrive(turn, happening.others, refused)
        case Arrived():
            came = arrive(turn, happening.touchpoints, refused, happening.behind)
        case AlarmFired():
            turn.now = max(turn.now, happening.at)
        case EffectFinished() | EffectFailed():
            _answer(turn, happening)
        case Moved():
            move(turn, happening)
        case ToldToLeave():
            turn.finish(turn.state.stage or "", "left", happening.reason, leaves=True)
        case Resumed():
            _resume(turn)
    return came


# -- effects


def _answer(turn: Turn, happening: EffectFinished | EffectFailed) -> None:
    state = turn.state
    asked = state.outstanding.get(happening.n)
    if asked is None or asked.held:
        return
    thread = next((t for t in state.threads if t.thread == asked.thread), None)
    if thread is not None and (thread.waiting is None or thread.waiting.n != happening.n):
        thread = None
    if isinstance(happening, EffectFailed):
        why = f"{happening.error}: {happening.message}"
        if thread is not None:
            turn.node(thread).step.failed(turn, thread, happening.n, why)
        else:
            del state.outstanding[happening.n]
            turn.note(state.stage or "", "failed", why)
        return
    answer = happening.answer
    if isinstance(answer, DeliveryAnswer) and answer.is_put_off and thread is not None:
        asked.held = True
    else:
        del state.outstanding[happening.n]
    if isinstance(answer, TraitsAnswer):
        state.traits.update(
            {name: v for name, v in answer.traits.items() if name in turn.program.traits}
        )
        turn.changed = True
    if thread is not None:
        turn.node(thread).step.answered(turn, thread, happening.n, answer)
    elif isinstance(answer, DeliveryAnswer) and isinstance(asked.effect, Deliver):
        turn.note(state.stage or "", *said(asked.effect.message, answer))
    elif isinstance(answer, CaseAnswer) and isinstance(asked.effect, OpenCase):
        turn.ask(
            CloseCase(n=turn.count(), case=happening.n, reason="the journey went on without it"),
            None,
        )
    elif isinstance(answer, OfferAnswer) and answer.code is not None:
        why = "the journey went on without it"
        turn.ask(SettleOffer(n=turn.count(), grant=happening.n, state="voided", reason=why), None)


def _resume(turn: Turn) -> None:
    for thread in turn.state.threads:
        waiting = thread.waiting
        if waiting and waiting.kind == "stopped" and waiting.n is None:
            thread.waiting = None
            turn.runnable.append(thread)
        elif waiting and waiting.kind == "stopped" and waiting.n in turn.state.outstanding:
            asked = turn.state.outstanding[waiting.n]
            asked.held = False
            waiting.kind, waiting.why = "effect", ""
            turn.effects.append(asked.effect)
            turn.note(thread.at, "resumed", "tried again")


# -- one turn


def _run(turn: Turn) -> None:
    """Let threads run until all of them wait, and look again whenever something changed."""
    while turn.state.outcome is None or turn.runnable:
        if turn.state.outcome is None and turn.changed:
            exit_when(turn)  # at once: before the step behind the one that changed something
        if turn.runnable:
            _step(turn, turn.runnable.popleft())
        elif turn.state.outcome is not None:
            return
        elif turn.changed:
            turn.changed = False
            _look_again(turn)
        elif not _read_mail(turn) and not look_at_reactions(turn) and not turn.changed:
            return


def _step(turn: Turn, thread: Thread) -> None:
    if thread in turn.state.threads and _may_go_on(turn, thread):
        turn.node(thread).step.begin(turn, thread)


def _may_go_on(turn: Turn, thread: Thread) -> bool:
    turn.steps += 1
    if turn.steps > STEPS_PER_TURN:
        turn.stop(thread, f"more than {STEPS_PER_TURN:,} steps without a wait")
    return turn.steps <= STEPS_PER_TURN


def _look_again(turn: Turn) -> None:
    """Values or traits changed: items, deadlines, edges of conditions."""
    for thread in list(turn.state.threads):
        for name, (address, index) in list(thread.links.items()):
            node = turn.program.nodes.get(address)
            if node is not None and isinstance(node.step, ForEach) and node.step.name == name:
                node.step.read_again(turn, thread, index)
    for thread in list(turn.state.threads):
        if thread.waiting and thread in turn.state.threads:
            turn.node(thread).step.refresh(turn, thread)
    look_at_reactions(turn, conditions_too=True)


def _read_mail(turn: Turn) -> bool:
    for thread in list(turn.state.threads):
        if turn.state.outcome is None and thread.waiting and thread in turn.state.threads:
            turn.node(thread).step.mail(turn, thread)
    return bool(turn.runnable)


def _due(turn: Turn) -> bool:
    """Look at deadlines that have passed; whether there were any."""
    due = [thread for thread in turn.state.threads if _is_due(thread, turn.now)]
    for thread in due:
        if thread in turn.state.threads and _may_go_on(turn, thread):
            turn.node(thread).step.alarm(turn, thread)
    return (turn.state.outcome is None and settle_due(turn)) or bool(due)


def _is_due(thread: Thread, now: datetime) -> bool:
    waiting = thread.waiting
    return waiting is not None and waiting.deadline is not None and waiting.deadline <= now


def _listens(turn: Turn) -> dict[str, tuple[str, ...]] | None:
    """The subjects it listens to now, if they changed."""
    state, program = turn.state, turn.program
    if not program.definition.listen or state.outcome is not None:
        return None
    profile = {**state.traits, "id": state.customer, "zone": state.zone}
    now = program.subjects(state.values, state.key, profile)
    if {kind: list(ids) for kind, ids in now.items()} == state.listens:
        return None
    state.listens = {kind: list(ids) for kind, ids in now.items()}
    return now


def _forget(turn: Turn) -> None:
    """Let go of touchpoints that no thread or reaction can look back to any more."""
    state, ahead = turn.state, turn.program.ahead
    if state.outcome is not None:
        state.mailbox.clear()
        return
    if not state.mailbox and not any(thread.met for thread in state.threads):
        return
    busy = {
        index: reaction.mark
        for index, reaction in state.reactions.items()
        if any(thread.home == f"reaction/{index}" for thread in state.threads)
    }
    rules = turn.program.reactions

    def wanted(mail: Mail) -> bool:
        name = mail.touchpoint.event
        if name in turn.program.since_entry:
            return True
        if any(
            thread.mark < mail.arrival and name in ahead.get(thread.at, ())
            for thread in state.threads
        ):
            return True
        return any(mark < mail.arrival and rules[index].on == name for index, mark in busy.items())

    state.mailbox = [mail for mail in state.mailbox if wanted(mail)]
    held = {mail.arrival for mail in state.mailbox}
    for thread in state.threads:
        thread.met = [arrival for arrival in thread.met if arrival in held]
    counts = Counter(mail.touchpoint.event for mail in state.mailbox)
    for name, count in counts.items():
        if count > MAIL_PER_NAME:
            _keep_last(turn, name, count - MAIL_PER_NAME)


def _keep_last(turn: Turn, name: str, surplus: int) -> None:
    same = [mail for mail in turn.state.mailbox if mail.touchpoint.event == name]
    gone = {mail.arrival for mail in same[:surplus]}
    turn.state.mailbox = [mail for mail in turn.state.mailbox if mail.arrival not in gone]
    turn.note(
        turn.state.stage or "", "mailbox_full", f"only the last {MAIL_PER_NAME} of {name} are kept"
    )


def _record(turn: Turn, listens: dict[str, tuple[str, ...]] | None) -> RunRecord:
    state = turn.state
    trace: tuple[TraceEntry, ...] = tuple(turn.trace)
    return RunRecord(
        sequence=state.sequence,
        at=turn.now,
        stage=state.stage,
        waits_for=waits_for(turn.program, state, turn.now),
        wakes_at=next_alarm(state),
        outcome=state.outcome,
        goal=state.goal,
        needs_attention=needs_attention(state),
        trace=trace,
        promises=tuple(turn.promises),
        listens=listens,
        shows=tuple(turn.shows),
    )
