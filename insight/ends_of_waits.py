"""Where the end of a wait leads, as a person would say it: what becomes of who is nudged."""

from insight.journey_graph import journey_graph
from journey.program import Program
from journey.steps.ask import Ask
from journey.steps.handoff import Handoff
from journey.steps.run import Run
from journey.steps.send import Send
from journey.steps.wait import Wait


def where_time_leads(program: Program, address: str) -> str:
    """What those do who stand at a step when the time that they wait for is over."""
    step = program.nodes[address].step
    match step:
        case Send():
            return (
                "ask at once whether the message may go: consent, caps and quiet hours decide anew"
            )
        case Handoff():
            return "stay where they are while staff have their case: it keeps its own time"
        case Wait() | Run() if step.until is None:
            return "stay where they are: what they wait for has no end"
        case Wait() | Run():
            return f"go on at: {_behind(program, address)}"
        case Ask() if step.remind is not None:
            late = _behind(program, address)
            return f"are asked once more; those who were already, go on at: {late}"
        case Ask():
            return f"go on at: {_behind(program, address)}"
        case _:
            return "go on as if their time were over"


def _behind(program: Program, address: str) -> str:
    node = program.nodes[address]
    following = node.blocks.get("late") or node.next
    if following is None:
        return "the end of these steps"
    shown = journey_graph(program).nodes.get(following)
    return shown.words[0] if shown else following
