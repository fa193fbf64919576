"""What comes in: the entering touchpoint, those that follow, and what they end or change."""

import hashlib
from collections.abc import Iterable

from journey.happenings import Entered
from journey.state import Mail, ReactionState, Thread
from journey.touchpoint import TRAITS_CHANGED, Touchpoint
from journey.turn import Turn

MAIL_PER_NAME = 32
"""How many touchpoints of one name a run keeps for look-back."""

SEEN = 64
"""How many message ids of senders outside the router a run remembers."""


def enter(turn: Turn, entered: Entered, refused: list[str]) -> None:
    """The run was admitted: keep what it keeps, and come to the first stage."""
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
    state.exits_held = {
        index: False for index, rule in enumerate(program.definition.exit) if rule.on is None
    }
    turn.changed = True
    main = Thread(thread=turn.count(), at="", home="main", mark=state.arrivals)
    main.event = first.named() if first else None
    state.threads.append(main)
    for index in range(len(program.reactions)):
        state.reactions.setdefault(index, ReactionState(mark=state.arrivals))
    turn.enter_stage(main, program.definition.stages[0].stage)
    if entered.others:
        arrive(turn, entered.others, refused)


def arrive(turn: Turn, touchpoints: Iterable[Touchpoint], refused: list[str]) -> None:
    """Touchpoints came: count each once, end the run where an exit says so, keep the others."""
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
            refused.append(
                f"{touchpoint.event} {touchpoint.message_id}: this version does not listen to it"
            )
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
        turn.note(
            state.stage or "",
            "mailbox_full",
            f"only the last {MAIL_PER_NAME} of {mail.touchpoint.event} are kept",
        )


def _exit_on(turn: Turn, new: list[Mail]) -> bool:
    for mail in new:
        for index, rule in enumerate(turn.program.definition.exit):
            if rule.touchpoint and turn.is_about(
                rule.touchpoint, mail.touchpoint, None, f"exit/{index}"
            ):
                turn.finish(f"exit/{index}", rule.outcome, f"{mail.touchpoint.event} came")
                return True
    return False


def exit_when(turn: Turn) -> None:
    """End the run where the condition of an exit has become true."""
    for index, rule in enumerate(turn.program.definition.exit):
        if rule.on is not None or rule.when is None:
            continue
        held = turn.holds(rule.when, turn.names(None), f"exit/{index}")
        if held and not turn.state.exits_held.get(index, False):
            turn.finish(f"exit/{index}", rule.outcome, f"{rule.when} became true")
            return
        turn.state.exits_held[index] = held
