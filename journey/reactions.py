"""`whenever`: reactions that run whatever the stage is doing, one at a time each."""

from datetime import datetime

from journey.effects import Values
from journey.spans import read_span
from journey.state import Mail, ReactionState, State, Thread
from journey.turn import Turn


def look_at_reactions(turn: Turn, *, conditions_too: bool = False) -> bool:
    """Start reactions whose touchpoint came or whose condition became true; whether one started."""
    started = False
    if not turn.program.reactions:
        return started
    for index, rule in enumerate(turn.program.reactions):
        if turn.state.outcome is not None:
            return started
        reaction = turn.state.reactions.setdefault(index, ReactionState(mark=turn.state.arrivals))
        if rule.touchpoint is not None:
            started |= _touchpoint(turn, index, reaction)
        elif conditions_too and rule.when is not None:
            held = turn.holds(rule.when, turn.names(None), f"whenever/{index}")
            if held and not reaction.held:
                if _busy(turn, index) and not rule.settle and rule.mode == "queue":
                    continue  # it waits its turn: looked at again when the reaction is done
                if not _busy(turn, index) or rule.settle or _begins_anew(turn, index):
                    started |= _begin(turn, index, reaction, None)
            reaction.held = held
            if not held and rule.settle:
                reaction.settles_at = None
    return started


def _touchpoint(turn: Turn, index: int, reaction: ReactionState) -> bool:
    rule = turn.program.reactions[index]
    on = rule.touchpoint
    if on is None or (rule.mode == "queue" and _busy(turn, index)):
        return False
    for mail in turn.state.mailbox:
        if mail.arrival <= reaction.mark:
            continue
        reaction.mark = mail.arrival
        if not turn.is_about(on, mail.touchpoint, None, f"whenever/{index}"):
            continue
        if _busy(turn, index) and not _begins_anew(turn, index):
            turn.note(f"whenever/{index}", "ignored", f"{rule.on} came while it runs")
            continue
        if _begin(turn, index, reaction, mail):
            return True
    reaction.mark = max(reaction.mark, turn.state.arrivals)
    return False


def _begins_anew(turn: Turn, index: int) -> bool:
    """Drop what a reaction is doing where it is to begin anew; False where it goes on as it was."""
    if turn.program.reactions[index].mode != "restart":
        return False
    for thread in [each for each in turn.state.threads if each.home == f"reaction/{index}"]:
        if thread in turn.state.threads and thread.parent is None:
            turn.drop_thread(thread, "the reaction begins anew")
    return True


def _begin(turn: Turn, index: int, reaction: ReactionState, mail: Mail | None) -> bool:
    rule = turn.program.reactions[index]
    if rule.settle:
        reaction.settles_at = read_span(rule.settle).after(turn.now, turn.state.zone)
        reaction.settling = mail
        return False
    _start(turn, index, mail)
    return True


def _start(turn: Turn, index: int, mail: Mail | None) -> None:
    rule = turn.program.reactions[index]
    main = next(
        (
            thread
            for thread in turn.state.threads
            if thread.home == "main" and thread.parent is None
        ),
        None,
    )
    items: Values = {}
    thread = Thread(
        thread=turn.count(),
        at=turn.program.reaction_starts[index],
        home=f"reaction/{index}",
        mark=mail.arrival if mail else turn.state.arrivals,
        items=items,
        event=mail.touchpoint.named() if mail else (main.event if main else None),
    )
    turn.state.threads.append(thread)
    turn.note(
        f"whenever/{index}", "reacted", f"{rule.on} came" if rule.on else f"{rule.when} became true"
    )
    turn.run_thread(thread)


def settle_due(turn: Turn) -> bool:
    """Start reactions that have settled; whether one started."""
    started = False
    for index, reaction in turn.state.reactions.items():
        if (
            reaction.settles_at is not None
            and reaction.settles_at <= turn.now
            and not _busy(turn, index)
        ):
            mail, reaction.settles_at, reaction.settling = reaction.settling, None, None
            _start(turn, index, mail)
            started = True
    return started


def _busy(turn: Turn, index: int) -> bool:
    return any(thread.home == f"reaction/{index}" for thread in turn.state.threads)


def reaction_alarms(state: State) -> list[datetime]:
    """When reactions that are settling want to be looked at; a busy one is looked at when it is done."""
    busy = {thread.home for thread in state.threads}
    return [
        reaction.settles_at
        for index, reaction in state.reactions.items()
        if reaction.settles_at is not None and f"reaction/{index}" not in busy
    ]
