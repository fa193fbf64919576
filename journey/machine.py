"""The machine: the whole meaning of a journey in one function without side effects.

`advance(program, state, happening, now)` gives the new state, the effects it asks for, and a record
of what was decided. The same happenings give the same run, always: time is an argument, chance is a hash.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from journey.effects import CloseCase, Deliver, Effect, OpenCase, RunRecord, TraceEntry
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
    Resumed,
    ToldToLeave,
    TraitsAnswer,
)
from journey.program import Program
from journey.reactions import look_at_reactions, reaction_alarms, settle_due
from journey.state import Mail, State, Thread, copy_state
from journey.steps.for_each import ForEach
from journey.steps.send import said
from journey.touchpoint import TRAITS_CHANGED, Touchpoint
from journey.turn import Turn

ENGINE = 1
"""The engine this code is. `admit` assigns one to each run, raised only when every worker knows it."""

KNOWN_ENGINES = frozenset({1})

MAIL_PER_NAME = 32
"""How many touchpoints of one name a run keeps for look-back."""

SEEN = 64
"""How many message ids of senders outside the router a run remembers."""

STEPS_PER_TURN = 2_000
"""A turn that takes more steps is going in circles: it stops there and says so."""


class Advanced(NamedTuple):
    """What came of one happening."""

    state: State
    effects: list[Effect]
    record: RunRecord
    refused: list[str]


def advance(program: Program, state: State, happening: Happening, now: datetime) -> Advanced:
    """Let one thing happen to a run.

    Pure: `state` is left as it was. Never raises for what a customer, a sender or an effect did.
    Effects already asked for and no longer in `state.outstanding` are not wanted any more.
    """
    turn = Turn(program, copy_state(state), now)
    refused: list[str] = []
    if state.outcome is None or isinstance(happening, EffectFinished | EffectFailed):
        _happen(turn, happening, refused)
        _run(turn)
    else:
        refused.append("the journey has ended")
    listens = _listens(turn)
    _forget(turn)
    return Advanced(turn.state, turn.effects, _record(turn, listens), refused)


def _happen(turn: Turn, happening: Happening, refused: list[str]) -> None:
    match happening:
        case Entered():
            _enter(turn, happening, refused)
        case Arrived():
            _arrive(turn, happening.touchpoints, refused)
        case AlarmFired():
            turn.now = max(turn.now, happening.at)
        case EffectFinished() | EffectFailed():
            _answer(turn, happening)
        case Moved():
            _move(turn, happening)
        case ToldToLeave():
            turn.finish(turn.state.stage or "", "left", happening.reason)
        case Resumed():
            _resume(turn)
    _due(turn)


# -- entering and arriving


def _enter(turn: Turn, entered: Entered, refused: list[str]) -> None:
    state, program = turn.state, turn.program
    state.entry, state.customer, state.key = entered.entry, entered.customer, entered.key
    state.zone = entered.zone or program.zone
    state.held_out, state.entered_at = entered.held_out, turn.now
    state.traits = dict(entered.traits)
    profile = {**state.traits, "id": state.customer, "zone": state.zone}
    first = entered.entering
    if first is not None:
        _is_new(turn, first)
        state.arrivals = 1
    state.values = program.entry_values(first, profile)
    turn.note("", "entered", f"entered by {first.event}" if first else "entered")
    state.exits_held = {index: False for index, rule in enumerate(program.definition.exit) if rule.on is None}
    turn.changed = True
    main = Thread(thread=turn.count(), at="", home="main", mark=state.arrivals)
    main.event = first.named() if first else None
    state.threads.append(main)
    for index in range(len(program.reactions)):
        state.reactions.setdefault(index, _fresh_reaction(state.arrivals))
    turn.enter_stage(main, program.definition.stages[0].stage)
    if entered.others:
        _arrive(turn, entered.others, refused)


def _fresh_reaction(mark: int):  # noqa: ANN202 -- its type is ReactionState
    from journey.state import ReactionState  # noqa: PLC0415

    return ReactionState(mark=mark)


def _arrive(turn: Turn, touchpoints: Iterable[Touchpoint], refused: list[str]) -> None:
    new: list[Mail] = []
    for touchpoint in touchpoints:
        if not _is_new(turn, touchpoint):
            refused.append(f"{touchpoint.event} {touchpoint.message_id}: counted before")
        elif touchpoint.event == TRAITS_CHANGED:
            _traits_changed(turn, touchpoint)
        elif touchpoint.event in turn.program.waited_for:
            turn.state.arrivals += 1
            new.append(Mail(turn.state.arrivals, touchpoint))
        else:
            refused.append(f"{touchpoint.event} {touchpoint.message_id}: this version does not listen to it")
    # An exit wins over everything else that came with it.
    if not _exit_on(turn, new):
        for mail in new:
            _keep(turn, mail)


def _is_new(turn: Turn, touchpoint: Touchpoint) -> bool:
    state = turn.state
    if touchpoint.number is not None:
        if touchpoint.number <= state.watermark:
            return False
        state.watermark = touchpoint.number
        mark = _mark_of(touchpoint)
        return mark not in state.seen
    mark = _mark_of(touchpoint)
    if mark in state.seen:
        return False
    state.seen = [*state.seen[1 - SEEN :], mark]
    return True


def _mark_of(touchpoint: Touchpoint) -> str:
    return hashlib.sha256(touchpoint.message_id.encode()).hexdigest()[:12]


def _traits_changed(turn: Turn, touchpoint: Touchpoint) -> None:
    state = turn.state
    for name, value in touchpoint.properties.items():
        if name == "zone" and isinstance(value, str):
            state.zone = value
            turn.changed = True
        elif name in turn.program.traits and state.traits.get(name) != value:
            state.traits[name] = value
            turn.changed = True
            turn.note(state.stage or "", "trait", f"{name} changed")


def _keep(turn: Turn, mail: Mail) -> None:
    state = turn.state
    state.mailbox.append(mail)
    same = [other for other in state.mailbox if other.touchpoint.event == mail.touchpoint.event]
    if len(same) > MAIL_PER_NAME:
        state.mailbox.remove(same[0])
        turn.note(state.stage or "", "mailbox_full", f"only the last {MAIL_PER_NAME} of {mail.touchpoint.event} are kept")


def _exit_on(turn: Turn, new: list[Mail]) -> bool:
    for mail in new:
        for index, rule in enumerate(turn.program.definition.exit):
            if rule.touchpoint and turn.is_about(rule.touchpoint, mail.touchpoint, None, f"exit/{index}"):
                turn.finish(f"exit/{index}", rule.outcome, f"{mail.touchpoint.event} came")
                return True
    return False


def _exit_when(turn: Turn) -> None:
    for index, rule in enumerate(turn.program.definition.exit):
        if rule.on is not None or rule.when is None:
            continue
        held = turn.holds(rule.when, turn.names(None), f"exit/{index}")
        if held and not turn.state.exits_held.get(index, False):
            turn.finish(f"exit/{index}", rule.outcome, f"{rule.when} became true")
            return
        turn.state.exits_held[index] = held


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
    if isinstance(answer, DeliveryAnswer) and answer.state == "deferred" and thread is not None:
        asked.held = True
    else:
        del state.outstanding[happening.n]
    if isinstance(answer, TraitsAnswer):
        state.traits.update({name: v for name, v in answer.traits.items() if name in turn.program.traits})
        turn.changed = True
    if thread is not None:
        turn.node(thread).step.answered(turn, thread, happening.n, answer)
    elif isinstance(answer, DeliveryAnswer) and isinstance(asked.effect, Deliver):
        turn.note(state.stage or "", *said(asked.effect.message, answer))
    elif isinstance(answer, CaseAnswer) and isinstance(asked.effect, OpenCase):
        turn.ask(CloseCase(n=turn.count(), case=happening.n, reason="the journey went on without it"), None)


def _resume(turn: Turn) -> None:
    for thread in turn.state.threads:
        waiting = thread.waiting
        if waiting and waiting.kind == "stopped" and waiting.n in turn.state.outstanding:
            asked = turn.state.outstanding[waiting.n]
            asked.held = False
            waiting.kind, waiting.why = "effect", ""
            turn.effects.append(asked.effect)
            turn.note(thread.at, "resumed", "tried again")


# -- moving to another version


def _move(turn: Turn, moved: Moved) -> None:
    from journey.effects import ReadTraits  # noqa: PLC0415

    state, program = turn.state, turn.program
    turn.note(state.stage or "", "moved", f"moved to version {program.version[:12]}: {moved.reason}")
    state.reactions = {
        index: state.reactions.get(index, _fresh_reaction(state.arrivals)) for index in range(len(program.reactions))
    }
    state.exits_held = {index: False for index, rule in enumerate(program.definition.exit) if rule.on is None}
    missing = tuple(sorted(program.traits - set(state.traits)))
    if missing:
        turn.ask(ReadTraits(n=turn.count(), names=missing), None)
    kept = [thread for thread in state.threads if thread.at in program.nodes]
    for thread in [thread for thread in state.threads if thread.at not in program.nodes]:
        turn.drop_thread(thread, "the new version has no such step")
    main = next((thread for thread in kept if thread.home == "main" and thread.parent is None), None)
    target = moved.address
    if target is None and main is not None:
        turn.changed = True
        return
    if target is None or (target not in program.nodes and target not in program.stages):
        target = program.definition.stages[0].stage if state.stage not in program.stages else state.stage
    new = Thread(thread=turn.count(), at="", home="main", mark=main.mark if main else state.arrivals)
    new.event = main.event if main else None
    if main is not None:
        turn.drop_thread(main, "moved")
    state.threads.insert(0, new)
    if target in program.stages:
        turn.enter_stage(new, target)
    else:
        new.at = target
        state.stage = program.nodes[target].stage
        turn.runnable.append(new)
    turn.changed = True


# -- one turn


def _run(turn: Turn) -> None:
    """Let threads run until all of them wait, and look again whenever something changed."""
    steps = 0
    while turn.state.outcome is None:
        while turn.runnable and turn.state.outcome is None:
            thread = turn.runnable.popleft()
            if thread not in turn.state.threads:
                continue
            steps += 1
            if steps > STEPS_PER_TURN:
                turn.finish(thread.at, "stuck-in-a-circle", f"more than {STEPS_PER_TURN:,} steps without a wait")
                return
            turn.node(thread).step.begin(turn, thread)
        if turn.state.outcome is not None:
            return
        if turn.changed:
            turn.changed = False
            _look_again(turn)
        elif not _read_mail(turn) and not look_at_reactions(turn) and not turn.changed:
            return


def _look_again(turn: Turn) -> None:
    """Values or traits changed: items, deadlines, edges of conditions."""
    for thread in list(turn.state.threads):
        for name, (address, index) in list(thread.links.items()):
            node = turn.program.nodes.get(address)
            if node is not None and isinstance(node.step, ForEach) and node.step.name == name:
                node.step.read_again(turn, thread, index)
    _exit_when(turn)
    if turn.state.outcome is None:
        for thread in list(turn.state.threads):
            if thread.waiting and thread in turn.state.threads:
                turn.node(thread).step.refresh(turn, thread)
        look_at_reactions(turn, conditions_too=True)
        _due(turn)


def _read_mail(turn: Turn) -> bool:
    for thread in list(turn.state.threads):
        if turn.state.outcome is None and thread.waiting and thread in turn.state.threads:
            turn.node(thread).step.mail(turn, thread)
    return bool(turn.runnable)


def _due(turn: Turn) -> None:
    """Deadlines that have passed. What has come is looked at first: a touchpoint in the mailbox wins over its deadline."""
    if turn.state.outcome is not None:
        return
    if any(_is_due(thread, turn.now) for thread in turn.state.threads):
        _read_mail(turn)
    for thread in list(turn.state.threads):
        if turn.state.outcome is None and thread in turn.state.threads and _is_due(thread, turn.now):
            thread_step = turn.node(thread).step
            thread_step.alarm(turn, thread)
    settle_due(turn)


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
    if not state.mailbox:
        return
    busy = {
        index: reaction.mark
        for index, reaction in state.reactions.items()
        if any(thread.home == f"reaction/{index}" for thread in state.threads)
    }
    rules = turn.program.reactions

    def wanted(mail: Mail) -> bool:
        name = mail.touchpoint.event
        if any(thread.mark < mail.arrival and name in ahead.get(thread.at, ()) for thread in state.threads):
            return True
        return any(mark < mail.arrival and rules[index].on == name for index, mark in busy.items())

    state.mailbox = [mail for mail in state.mailbox if wanted(mail)]


def next_alarm(state: State) -> datetime | None:
    """The earliest instant at which the run wants to be woken."""
    if state.outcome is not None:
        return None
    times = [t.waiting.deadline for t in state.threads if t.waiting and t.waiting.deadline]
    times += reaction_alarms(state)
    return min(times, default=None)


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
    )


def waits_for(program: Program, state: State, now: datetime) -> tuple[str, ...]:
    """What the run waits for, as a person would say it."""
    turn = Turn(program, state, now)
    return tuple(
        program.nodes[thread.at].step.words(turn, thread)
        for thread in state.threads
        if thread.waiting and thread.waiting.kind != "threads" and thread.at in program.nodes
    )


def needs_attention(state: State) -> str | None:
    """Why the run cannot go on by itself, if so."""
    return next((t.waiting.why for t in state.threads if t.waiting and t.waiting.kind == "stopped"), None)
