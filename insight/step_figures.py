"""What is counted of a journey, put together by step."""

from collections.abc import Iterable

from contracts.journey_figures import Counted
from insight.friction import StepFigures
from journey.program import Program

FAILED = frozenset({"failed", "not_sent", "no_offer", "condition_error"})
"""Kinds of decisions that tell that something could not be done."""

DONE = frozenset({"sent", "called", "offer", "run", "set", "decided", "answered"})
"""Kinds of decisions that tell that it was."""


def step_figures(counted: Iterable[Counted], program: Program) -> dict[str, StepFigures]:
    """By address: steps, stages under their names, reactions as `whenever/0`; '' is the journey as a whole.

    Who leaves with the goal has not left.
    """
    goal = program.definition.goal
    found: dict[str, StepFigures] = {}
    for each in counted:
        step = found.get(each.address)
        if step is None:
            step = found[each.address] = StepFigures()
        _add(step, each, aim=goal.outcome if goal else None)
    return found


def _add(step: StepFigures, counted: Counted, aim: str | None) -> None:
    match counted.kind:
        case "came":
            step.came += counted.n
        case "went":
            step.went += counted.n
        case "left":
            step.left += 0 if counted.way == aim else counted.n
        case "stay":
            step.stays[int(counted.way)] += counted.n
            step.milliseconds += counted.milliseconds
        case "stage":
            step.returned += counted.n if counted.way == "again" else 0
        case "reacted":
            step.reacted += counted.n
        case "ignored":
            step.repeated += counted.n
        case kind if kind in FAILED:
            step.passed += counted.n
            step.failed += counted.n
        case kind if kind in DONE:
            step.passed += counted.n
        case _:
            pass
