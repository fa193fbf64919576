"""The machine: the whole meaning of a journey in one function without side effects.

`advance(program, state, happening, now)` gives the new state, the effects it asks for, and a record
of what was decided. The same happenings give the same run, always: time is an argument, chance is a hash.
"""

from collections import Counter
from datetime import datetime

from journey.arrivals import NOTHING_CAME, Came, arrive, arrive_late, enter, exit_when, take_in
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
    Nudged,
    OfferAnswer,
    Resumed,
    ToldToLeave,
    TraitsAnswer,
)
from journey.moving import move
from journey.nudging import nudge, try_again
from journey.program import Program
from journey.reactions import look_at_reactions, settle_due
from journey.standing import awaited, needs_attention, next_alarm, stands
from journey.state import Mail, State, Thread, copy_state
from journey.steps.for_each import ForEach
from journey.steps.send import said
from journey.touchpoint import Touchpoint
from journey.turn import Turn

ENGINE = 4
"""The engine this code is. `admit` assigns one to each run, raised only when every worker knows it.

2: the first record is written by admission, the end within the task where nobody waits for it, and
what the workflow id or the question says already is not sent again.
3: cases keep their own deadlines, in business time of their queue; the run hears what came of them.
4: runs can be nudged.
"""

KNOWN_ENGINES = frozenset({1, 2, 3, 4})

LEAN_ENGINE = 2
"""The first engine of runs that leave out of their histories what another place holds."""

CASE_CLOCK_ENGINE = 3
"""The first engine of runs whose cases keep their own deadlines."""

NUDGE_ENGINE = 4
"""The first engine of runs that can be nudged: builds before it cannot read that order in a history."""

MAIL_PER_NAME = 32
"""How many touchpoints of one name that nothing has looked at a run keeps for look-back, between turns."""

STEPS_PER_TURN = 2_000
"""A turn that takes more steps is going in circles: it stops there and says so."""


class Advanced:
    """What came of one happening.

    `late`: touchpoints that came after what ended the run, or ask for an entry while it is under way.
    They are for whoever comes after it.
    """

    __slots__ = ("_listens", "_record", "_turn", "effects", "late", "refused", "state")

    def __init__(
        self,
        turn: Turn,
        refused: list[str],
        late: list[Touchpoint],
        listens: dict[str, tuple[str, ...]] | None,
    ) -> None:
        self.state: State = turn.state
        self.effects: list[Effect] = turn.effects
        self.refused = refused
        self.late = late
        self._turn = turn
        self._listens = listens
        self._record: RunRecord | None = None

    @property
    def record(self) -> RunRecord:
        """How the run stands now, and what was decided: put in words when it is first asked for.

        It is the same whenever that is, as a state that was given back is never changed.
        """
        if self._record is None:
            self._record = _record(self._turn, self._listens)
        return self._record


def advance(program: Program, state: State, happening: Happening, now: datetime) -> Advanced:
    """Let one thing happen to a run.

    Pure: `state` is left as it was. Never raises for what a customer, a sender or an effect did.
    Effects already asked for and no longer in `state.outstanding` are not wanted any more.
    """
    turn = Turn(program, copy_state(state), now)
    refused: list[str] = []
    late: list[Touchpoint] = []
    forgotten = False
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
            forgotten = True
        if turn.state.outcome is not None:
            late = [*late, *came.behind]
        if came.not_ours:
            late = [*late, *came.not_ours]
        # Deadlines come last: what is here already wins over them, and may move them.
        turn.steps = 0
        while _due(turn):
            _run(turn)
            forgotten = False
    elif isinstance(happening, Arrived):
        late = arrive_late(turn, (*happening.touchpoints, *happening.behind), refused)
    else:
        refused.append("the journey has ended")
    listens = _listens(turn) if program.follows_subjects else None
    if not forgotten:
        _forget(turn)
    return Advanced(turn, refused, late, listens)


def _happen(turn: Turn, happening: Happening, refused: list[str]) -> Came:
    """Let it happen; the touchpoints that came with it and count are still to be let in."""
    match happening:
        case Arrived():
            return arrive(turn, happening.touchpoints, refused, happening.behind)
        case EffectFinished() | EffectFailed():
            _answer(turn, happening)
        case AlarmFired():
            turn.now = max(turn.now, happening.at)
        case Entered():
            enter(turn, happening)
            return arrive(turn, happening.others, refused)
        case Moved():
            move(turn, happening)
        case ToldToLeave():
            turn.finish(turn.state.stage or "", "left", happening.reason, leaves=True)
        case Resumed():
            for thread in turn.state.threads:
                try_again(turn, thread)
        case Nudged():
            words = nudge(turn, happening)
            if words is not None:
                refused.append(words)
    return NOTHING_CAME


# -- effects


def _answer(turn: Turn, happening: EffectFinished | EffectFailed) -> None:
    state = turn.state
    asked = state.outstanding.get(happening.n)
    if asked is None or asked.held:
        return
    thread = None if asked.thread is None else state.thread(asked.thread)
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


# -- one turn


def _run(turn: Turn) -> None:
    """Let threads run until all of them wait, and look again whenever something changed."""
    state, reactions = turn.state, turn.program.reactions
    while state.outcome is None or turn.runnable:
        if turn.changed and state.outcome is None:
            exit_when(turn)  # at once: before the step behind the one that changed something
        if turn.runnable:
            _step(turn, turn.runnable.popleft())
        elif state.outcome is not None:
            return
        elif turn.changed:
            turn.changed, turn.looked_again = False, True
            _look_again(turn)
        elif state.mailbox and _read_mail(turn):
            continue
        elif not (reactions and look_at_reactions(turn)) and not turn.changed:
            return


def _step(turn: Turn, thread: Thread) -> None:
    if thread in turn.state.threads and _may_go_on(turn, thread):
        turn.program.nodes[thread.at].step.begin(turn, thread)


def _may_go_on(turn: Turn, thread: Thread) -> bool:
    turn.steps += 1
    if turn.steps <= STEPS_PER_TURN:
        return True
    turn.stop(thread, f"more than {STEPS_PER_TURN:,} steps without a wait")
    return False


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
    state, nodes = turn.state, turn.program.nodes
    for thread in state.threads.copy():
        if state.outcome is None and thread.waiting is not None and thread in state.threads:
            nodes[thread.at].step.mail(turn, thread)
    return bool(turn.runnable)


def _due(turn: Turn) -> bool:
    """Look at deadlines that have passed; whether there were any."""
    now, due = turn.now, list[Thread]()
    for thread in turn.state.threads:
        waiting = thread.waiting
        if waiting is not None and waiting.deadline is not None and waiting.deadline <= now:
            due.append(thread)
    for thread in due:
        if thread in turn.state.threads and _may_go_on(turn, thread):
            turn.node(thread).step.alarm(turn, thread)
    state = turn.state
    settled = state.outcome is None and bool(state.reactions) and settle_due(turn)
    return settled or bool(due)


def _listens(turn: Turn) -> dict[str, tuple[str, ...]] | None:
    """The subjects it listens to now, if they changed."""
    state, program = turn.state, turn.program
    if state.outcome is not None:
        return None
    if not (turn.looked_again or turn.changed):
        return None  # they follow from values and traits only, and neither changed
    profile = {**state.traits, "id": state.customer, "zone": state.zone}
    now = program.subjects(state.values, state.key, profile)
    if {kind: list(ids) for kind, ids in now.items()} == state.listens:
        return None
    state.listens = {kind: list(ids) for kind, ids in now.items()}
    return now


def _forget(turn: Turn) -> None:
    """Let go of touchpoints that no thread or reaction can look back to any more."""
    state = turn.state
    if state.outcome is not None:
        state.mailbox.clear()
        return
    if state.mailbox:
        busy = _busy_reactions(state) if state.reactions else {}
        state.mailbox = [mail for mail in state.mailbox if _is_wanted(turn, mail, busy)]
    for thread in state.threads:
        if thread.met:
            held = {mail.arrival for mail in state.mailbox}
            thread.met = [arrival for arrival in thread.met if arrival in held]
    if len(state.mailbox) > MAIL_PER_NAME:
        counts = Counter(mail.touchpoint.event for mail in state.mailbox)
        for name, count in counts.items():
            if count > MAIL_PER_NAME:
                _keep_last(turn, name, count - MAIL_PER_NAME)


def _busy_reactions(state: State) -> dict[int, int]:
    """The reactions that are running, each with its mark."""
    homes = {thread.home for thread in state.threads}
    return {
        index: reaction.mark
        for index, reaction in state.reactions.items()
        if f"reaction/{index}" in homes
    }


def _is_wanted(turn: Turn, mail: Mail, busy: dict[int, int]) -> bool:
    """Whether a thread or a busy reaction may still look back to this touchpoint."""
    name, arrival, program = mail.touchpoint.event, mail.arrival, turn.program
    if name in program.since_entry:
        return True
    ahead = program.ahead
    for thread in turn.state.threads:
        if thread.mark < arrival and name in ahead.get(thread.at, ()):
            return True
    rules = program.reactions
    return bool(busy) and any(
        mark < arrival and rules[index].on == name for index, mark in busy.items()
    )


def _keep_last(turn: Turn, name: str, surplus: int) -> None:
    same = [mail for mail in turn.state.mailbox if mail.touchpoint.event == name]
    gone = {mail.arrival for mail in same[:surplus]}
    turn.state.mailbox = [mail for mail in turn.state.mailbox if mail.arrival not in gone]
    turn.note(
        turn.state.stage or "", "mailbox_full", f"only the last {MAIL_PER_NAME} of {name} are kept"
    )


def _record(turn: Turn, listens: dict[str, tuple[str, ...]] | None) -> RunRecord:
    state = turn.state
    return RunRecord(
        sequence=state.sequence,
        at=turn.now,
        stage=state.stage,
        waits_for=awaited(turn),
        wakes_at=next_alarm(state),
        outcome=state.outcome,
        goal=state.goal,
        needs_attention=needs_attention(state),
        trace=tuple([_entry(*noted) for noted in turn.trace]),
        promises=tuple(turn.promises),
        listens=listens,
        shows=tuple(turn.shows),
        stands={
            address: None if since == turn.now else since
            for address, since in stands(state).items()
        },
    )


def _entry(sequence: int, at: datetime, address: str, kind: str, why: str) -> TraceEntry:
    return TraceEntry(sequence=sequence, at=at, address=address, kind=kind, why=why)
