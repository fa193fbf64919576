"""Moving a run to another version of its journey."""

from journey.arrivals import conditions_held
from journey.effects import (
    CallActivity,
    CallOut,
    Deliver,
    GrantOffer,
    OpenCase,
    ReadTraits,
    SetTraits,
    StartRun,
)
from journey.happenings import Moved
from journey.language import Step
from journey.program import Node, Program
from journey.state import ReactionState, Thread, Waiting
from journey.steps.run import Run
from journey.turn import Turn

_WAITS_AT = {
    "touchpoint": "wait",
    "deferred": "send",
    "case": "handoff",
    "promise": "promise",
    "survey": "ask",
    "offer": "offer",
    "show": "show",
    "run": "run",
}
_NO_SUCH_STEP = "the new version has no such step"
_JOINS = frozenset({"for_each", "parallel"})
_ASKED_BY: dict[type, str] = {
    Deliver: "send",
    OpenCase: "handoff",
    SetTraits: "set",
    GrantOffer: "offer",
    CallOut: "call",
    CallActivity: "call",
    StartRun: "run",
}


def move(turn: Turn, moved: Moved) -> None:
    """Go on under the program that the turn has: where it stood, or at the step it was told.

    A thread stays where the new version has a step of the same kind at the same address. Where the
    main one cannot stay, its stage begins anew, or the journey where the stage is gone too. Where the
    new version does not wait for what a thread waits for, it goes on behind the step.
    """
    state, program = turn.state, turn.program
    turn.note(
        state.stage or "", "moved", f"moved to version {program.version[:12]}: {moved.reason}"
    )
    state.reactions = {
        index: state.reactions.get(index, ReactionState(mark=state.arrivals))
        for index in range(len(program.reactions))
    }
    state.exits_held = conditions_held(program)
    missing = tuple(sorted(program.traits - set(state.traits)))
    if missing:
        turn.ask(ReadTraits(n=turn.count(), names=missing), None)
    main = next((t for t in state.threads if t.home == "main" and t.parent is None), None)
    for thread in [thread for thread in state.threads if not _may_stay(turn, thread)]:
        turn.drop_thread(thread, _NO_SUCH_STEP)
    _void_unwatched(turn)
    for thread in [thread for thread in state.threads if _waits_for_nobody(turn, thread)]:
        turn.proceed(thread)
    for thread in [thread for thread in state.threads if _waits_no_longer(turn, thread)]:
        if thread in state.threads:  # another way of the same `parallel` may have ended it
            turn.note(thread.at, "run", "the new version does not wait for how it ends")
            turn.proceed(thread)
    if moved.address is not None or main not in state.threads:
        _set_down(turn, main, moved.address)
    turn.changed = True


def _void_unwatched(turn: Turn) -> None:
    """A coupon whose step the new version lacks: nobody would see it used or run out."""
    state = turn.state
    watched = {
        thread.waiting.n
        for thread in state.threads
        if thread.waiting is not None and thread.waiting.kind == "offer"
    }
    turn.void_offers(_NO_SUCH_STEP, [each for each in state.offers if each.n not in watched])
    state.offers = [each for each in state.offers if each.n in watched]


def stays_at(program: Program, node: Node) -> bool:
    """Whether who waits at this step of another version stays there under this program."""
    here = program.nodes.get(node.address)
    if here is None or not here.scope <= node.scope:
        return False
    kinds = here.step.kind, node.step.kind
    return kinds[0] == kinds[1] or _JOINS.issuperset(kinds)


def only_begins(step: Step) -> bool:
    """Whether this step begins another journey and does not wait for how it ends."""
    return isinstance(step, Run) and not step.wait


def _set_down(turn: Turn, main: Thread | None, address: str | None) -> None:
    state, program = turn.state, turn.program
    new = Thread(
        thread=turn.count(), at="", home="main", mark=main.mark if main else state.arrivals
    )
    if main is not None:
        new.event, new.met = main.event, list(main.met)
        turn.drop_thread(main, "moved")
    state.threads.insert(0, new)
    if address is not None and may_stand(program, address):
        new.at, state.stage = address, program.nodes[address].stage
        turn.runnable.append(new)
        return
    known = [name for name in (address, state.stage) if name in program.stages]
    turn.enter_stage(new, known[0] or "" if known else program.definition.stages[0].stage)


def may_stand(program: Program, address: str) -> bool:
    """Whether the main thread can be at this step: in a stage, and not in steps that have a thread of their own."""
    node = program.nodes.get(address)
    if node is None or node.stage is None or node.scope:
        return False
    return not any(
        address.startswith(f"{other.address}/{block}/")
        for other in program.nodes.values()
        for block in other.blocks
        if other.step.ends(block) == "nothing"
    )


def _may_stay(turn: Turn, thread: Thread) -> bool:
    node = turn.program.nodes.get(thread.at)
    if node is None or not node.scope <= thread.items.keys():
        return False
    return thread.waiting is None or node.step.kind == _waits_at(
        turn, thread.waiting, node.step.kind
    )


def _waits_at(turn: Turn, waiting: Waiting, here: str) -> str | None:
    """The kind of step at which one waits like this."""
    if waiting.kind == "threads":
        return here if here in _JOINS else None
    asked = turn.state.outstanding.get(waiting.n) if waiting.n is not None else None
    invites = asked is not None and isinstance(asked.effect, Deliver) and asked.effect.asks
    if invites:
        return "ask"
    if waiting.kind not in ("effect", "stopped"):
        return _WAITS_AT[waiting.kind]
    if waiting.n is None:
        return here
    return _ASKED_BY.get(type(asked.effect)) if asked else None


def _waits_for_nobody(turn: Turn, thread: Thread) -> bool:
    return (
        thread.waiting is not None
        and thread.waiting.kind == "threads"
        and not any(other.parent == thread.thread for other in turn.state.threads)
    )


def _waits_no_longer(turn: Turn, thread: Thread) -> bool:
    """Whether it waits for another journey that the new version only begins: it would never hear how that ended."""
    waits = thread.waiting is not None and thread.waiting.kind == "run"
    return waits and only_begins(turn.node(thread).step)
