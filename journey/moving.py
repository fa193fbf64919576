"""Moving a run to another version of its journey."""

from journey.effects import ReadTraits
from journey.happenings import Moved
from journey.state import ReactionState, Thread
from journey.turn import Turn


def move(turn: Turn, moved: Moved) -> None:
    """Go on under the program that the turn has: where it stood, or at the step it was told."""
    state, program = turn.state, turn.program
    turn.note(
        state.stage or "", "moved", f"moved to version {program.version[:12]}: {moved.reason}"
    )
    state.reactions = {
        index: state.reactions.get(index, ReactionState(mark=state.arrivals))
        for index in range(len(program.reactions))
    }
    state.exits_held = {
        index: False for index, rule in enumerate(program.definition.exit) if rule.on is None
    }
    missing = tuple(sorted(program.traits - set(state.traits)))
    if missing:
        turn.ask(ReadTraits(n=turn.count(), names=missing), None)
    kept = [thread for thread in state.threads if thread.at in program.nodes]
    for thread in [thread for thread in state.threads if thread.at not in program.nodes]:
        turn.drop_thread(thread, "the new version has no such step")
    main = next(
        (thread for thread in kept if thread.home == "main" and thread.parent is None), None
    )
    target = moved.address
    if target is None and main is not None:
        turn.changed = True
        return
    if target is None or (target not in program.nodes and target not in program.stages):
        target = (
            program.definition.stages[0].stage if state.stage not in program.stages else state.stage
        )
    new = Thread(
        thread=turn.count(), at="", home="main", mark=main.mark if main else state.arrivals
    )
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
