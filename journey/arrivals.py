"""What comes in: the entering touchpoint, those that follow, and what they end or change."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from pydantic import JsonValue

from journey.happenings import Entered
from journey.program import Program
from journey.spans import is_zone
from journey.state import ENTRY, Mail, ReactionState, Thread
from journey.steps.offer import Offer
from journey.steps.send import may_be_lifted
from journey.touchpoint import (
    AUDIENCE_LEFT,
    ENTER,
    HOLD_LIFTED,
    MERGED,
    MERGED_OUTCOME,
    TRAITS_CHANGED,
    Touchpoint,
)
from journey.turn import Turn

SEEN = 512
"""How many message ids of senders outside the router a run remembers, 13 bytes each.

A client that is refused for a moment sends again seconds later, behind what others sent meanwhile.
What the router sends is numbered, and costs one number.
"""


class Came(NamedTuple):
    """Touchpoints that count, in order: those to be let in `now`, and those that come behind them.

    `not_ours`: those that ask for an entry into this journey, which is not this run's to answer.
    """

    now: list[Touchpoint]
    behind: list[Touchpoint]
    not_ours: list[Touchpoint]


NOTHING_CAME = Came([], [], [])


def enter(turn: Turn, entered: Entered) -> None:
    """The run was admitted: keep what it keeps, and come to the first stage."""
    state, program = turn.state, turn.program
    state.entry, state.customer, state.key = entered.entry, entered.customer, entered.key
    state.zone = program.zone
    _in_zone(turn, entered.zone)
    state.held_out, state.entered_at = entered.held_out, turn.now
    state.traits = dict(entered.traits)
    profile = {**state.traits, "id": state.customer, "zone": state.zone}
    first = entered.entering
    if first is not None:
        _is_new(turn, first)
    state.arrivals = ENTRY
    state.values = program.entry_values(first, profile)
    turn.note("", "entered", f"entered by {first.event}" if first else "entered")
    state.exits_held = conditions_held(program)
    turn.changed = True
    main = Thread(thread=turn.count(), at="", home="main", mark=state.arrivals)
    main.event = first.named() if first else None
    state.threads.append(main)
    for index in range(len(program.reactions)):
        state.reactions.setdefault(index, ReactionState(mark=state.arrivals))
    turn.enter_stage(main, program.definition.stages[0].stage)


def arrive(
    turn: Turn,
    touchpoints: Iterable[Touchpoint],
    refused: list[str],
    behind: tuple[Touchpoint, ...] = (),
) -> Came:
    """Touchpoints came: those that count. Where one of them ends the run, what came after that one is behind.

    An exit wins over everything else that came with it, also over what it came `behind`.
    """
    new: list[Touchpoint] = []
    not_ours: list[Touchpoint] = []
    for touchpoint in touchpoints:
        if not _is_new(turn, touchpoint):
            refused.append(f"{touchpoint.event} {touchpoint.message_id}: counted before")
        elif touchpoint.event in turn.program.listens:
            new.append(touchpoint)
        elif touchpoint.event == ENTER:
            not_ours.append(touchpoint)
        else:
            named = f"{touchpoint.event} {touchpoint.message_id}"
            refused.append(f"{named}: this version does not listen to it")
    others = [each for each in behind if not _was_counted(turn, each)] if behind else []
    if any(touchpoint.event == MERGED for touchpoint in [*new, *others]):
        return _give_way(turn, [*new, *others], not_ours)
    ending = _exit_on(turn, [*new, *others]) if turn.program.touchpoint_exits else None
    if ending is None:
        return Came(new, others, not_ours)
    return Came([], [*new, *others][ending + 1 :], not_ours)


def arrive_late(
    turn: Turn, touchpoints: Iterable[Touchpoint], refused: list[str]
) -> list[Touchpoint]:
    """Touchpoints came to a run that has ended: those that it had not counted before.

    They are not counted: one that is handed back may come once more before the run has closed.
    """
    late = [touchpoint for touchpoint in touchpoints if not _was_counted(turn, touchpoint)]
    refused += [f"{each.event} {each.message_id}: the journey has ended" for each in late]
    return late


def take_in(turn: Turn, touchpoint: Touchpoint) -> None:
    """Let one touchpoint in: into the mailbox, or into what the run knows of the customer."""
    state = turn.state
    if touchpoint.event == TRAITS_CHANGED:
        _traits_changed(turn, touchpoint)
        return
    if touchpoint.event == HOLD_LIFTED:
        _hold_lifted(turn)
        return
    state.arrivals += 1
    state.mailbox.append(Mail(state.arrivals, touchpoint))


def _was_counted(turn: Turn, touchpoint: Touchpoint) -> bool:
    state, number = turn.state, touchpoint.number
    return (number is not None and number <= state.watermark) or _was_seen(turn, touchpoint)


def _is_new(turn: Turn, touchpoint: Touchpoint) -> bool:
    state = turn.state
    if touchpoint.number is not None:
        if touchpoint.number <= state.watermark:
            return False
        state.watermark = touchpoint.number
        return not state.seen or not _was_seen(turn, touchpoint)
    mark = _mark_of(touchpoint)
    if mark in state.seen:
        return False
    state.seen = [*state.seen[1 - SEEN :], mark]
    return True


def _was_seen(turn: Turn, touchpoint: Touchpoint) -> bool:
    seen = turn.state.seen
    return bool(seen) and _mark_of(touchpoint) in seen


def _mark_of(touchpoint: Touchpoint) -> str:
    return hashlib.sha256(touchpoint.message_id.encode()).hexdigest()[:10]


def _traits_changed(turn: Turn, touchpoint: Touchpoint) -> None:
    state = turn.state
    for name, value in touchpoint.properties.items():
        if name == "zone":
            _in_zone(turn, value)
        elif name in turn.program.traits and state.traits.get(name) != value:
            state.traits[name] = value
            turn.changed = True
            turn.note(state.stage or "", "trait", f"{name} changed")


def _hold_lifted(turn: Turn) -> None:
    """What another journey or a stop held may be tried again now, also where its answer is still on its way."""
    for thread in turn.state.threads:
        waiting = thread.waiting
        if waiting and waiting.kind == "deferred" and may_be_lifted(waiting.why):
            waiting.deadline = turn.now
        elif waiting and waiting.kind == "effect" and waiting.n in turn.state.outstanding:
            waiting.late = True


def _give_way(turn: Turn, came: list[Touchpoint], not_ours: list[Touchpoint]) -> Came:
    """Another run of the same customer goes on: it gets what nothing here has looked at, in order.

    Like an exit, it wins over all that came with it. `on_exit` is not done: the customer has not
    left. Coupons are void and cases are closed, as the other run has its own.
    """
    merged = next(touchpoint for touchpoint in came if touchpoint.event == MERGED)
    into = str(merged.properties.get("into", "another run"))
    unread = [mail.touchpoint for mail in turn.state.mailbox if not _was_read(turn, mail)]
    turn.give_way(MERGED_OUTCOME, f"two customers became one: {into} goes on")
    behind = [each for each in came if each.event not in (MERGED, TRAITS_CHANGED, HOLD_LIFTED)]
    return Came([], [*unread, *behind], not_ours)


def _was_read(turn: Turn, mail: Mail) -> bool:
    """Whether a thread was met by it or has gone past it, or a reaction has taken it."""
    state = turn.state
    for thread in state.threads:
        if (thread.home == "main" and mail.arrival <= thread.mark) or mail.arrival in thread.met:
            return True
    return any(
        turn.program.reactions[index].on == mail.touchpoint.event and mail.arrival <= reaction.mark
        for index, reaction in state.reactions.items()
    )


def _redeem(turn: Turn, touchpoint: Touchpoint) -> None:
    """A coupon that the ending touchpoint redeems is not void."""
    for thread in [each for each in turn.state.threads if each.home == "offer"]:
        step = turn.node(thread).step
        if isinstance(step, Offer):
            step.redeemed_at_the_end(turn, thread, touchpoint)


def _leaves_other_audience(turn: Turn, touchpoint: Touchpoint) -> bool:
    left = touchpoint.properties.get("journey")
    return touchpoint.event == AUDIENCE_LEFT and left != turn.program.journey


def _exit_on(turn: Turn, new: list[Touchpoint]) -> int | None:
    """End the run where a touchpoint is an exit; which of them it was."""
    for place, touchpoint in enumerate(new):
        for index, rule, on in turn.program.touchpoint_exits:
            if on.on != touchpoint.event or _leaves_other_audience(turn, touchpoint):
                continue
            address = f"exit/{index}"
            if turn.is_about(on, touchpoint, None, address):
                _redeem(turn, touchpoint)
                why = "left the audience" if rule.leaves_audience else f"{touchpoint.event} came"
                turn.finish(address, rule.outcome, why, leaves=True)
                return place
    return None


def _in_zone(turn: Turn, zone: JsonValue) -> None:
    """The customer is in this zone; one that does not exist is noted, and the old one stays."""
    state = turn.state
    if zone is None or zone == state.zone:
        return
    if isinstance(zone, str) and is_zone(zone):
        state.zone = zone
        turn.changed = True
    else:
        turn.note(
            state.stage or "", "trait", f"{str(zone)[:60]!r} is no time zone: {state.zone} stays"
        )


def conditions_held(program: Program) -> dict[int, bool]:
    """The exits that are conditions, before any of them was looked at."""
    rules = enumerate(program.exits)
    return {index: False for index, rule in rules if rule.touchpoint is None}


def exit_when(turn: Turn) -> None:
    """End the run where the condition of an exit has become true."""
    for index, rule, condition in turn.program.condition_exits:
        held = turn.holds(condition, turn.names(None), f"exit/{index}")
        if held and not turn.state.exits_held.get(index, False):
            turn.finish(f"exit/{index}", rule.outcome, f"{condition} became true", leaves=True)
            return
        turn.state.exits_held[index] = held
