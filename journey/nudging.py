"""Nudging a run: what it waits for at a step goes on now, as if the time for it were over."""

from journey.happenings import Nudged
from journey.standing import BESIDE
from journey.state import Thread
from journey.turn import Turn


def nudge(turn: Turn, nudged: Nudged) -> str | None:
    """Let who stands at the step go on now; in words why nobody could.

    What the alarm of its wait would do is done, and what stopped there is tried again. A message that was put
    off is asked for again: consent, caps and quiet hours decide anew. What has no deadline stays.
    """
    address = nudged.address
    here = [thread for thread in turn.state.threads if thread.at == address and _stands(thread)]
    if not here:
        return nobody_at(address)
    ready = [thread for thread in here if _is_timed(thread) or _is_stopped(thread)]
    if not ready:
        words = " and ".join(dict.fromkeys(_waits_for(turn, thread) for thread in here))
        return f"it waits for {words} without a deadline: move it instead"
    turn.note(address, "nudged", nudged.reason)
    for thread in ready:
        if thread not in turn.state.threads:
            continue  # one before it ended it, as the answer to a question ends its reminder
        if _is_stopped(thread):
            try_again(turn, thread)
        else:
            _end_its_time(turn, thread)
    return None


def nobody_at(address: str) -> str:
    """What a run answers that does not stand at the step."""
    return f"nobody stands at {address}"


def try_again(turn: Turn, thread: Thread) -> None:
    """What made the thread stop was mended: what failed is tried again."""
    waiting = thread.waiting
    if waiting is None or waiting.kind != "stopped":
        return
    if waiting.n is None:
        thread.waiting = None
        turn.runnable.append(thread)
    elif waiting.n in turn.state.outstanding:
        asked = turn.state.outstanding[waiting.n]
        asked.held = False
        waiting.kind, waiting.why = "effect", ""
        turn.effects.append(asked.effect)
        turn.note(thread.at, "resumed", "tried again")


def _end_its_time(turn: Turn, thread: Thread) -> None:
    waiting = thread.waiting
    assert waiting is not None
    assert waiting.deadline is not None
    turn.brought_forward = waiting.deadline
    waiting.deadline = min(waiting.deadline, turn.now)
    turn.node(thread).step.alarm(turn, thread)
    turn.brought_forward = None


def _stands(thread: Thread) -> bool:
    return thread.waiting is not None and thread.waiting.kind not in BESIDE


def _is_timed(thread: Thread) -> bool:
    return thread.waiting is not None and thread.waiting.deadline is not None


def _is_stopped(thread: Thread) -> bool:
    return thread.waiting is not None and thread.waiting.kind == "stopped"


def _waits_for(turn: Turn, thread: Thread) -> str:
    return turn.node(thread).step.words(turn, thread)
