"""Ways through a journey that could go round for ever without waiting for anything."""

from collections.abc import Iterator

from journey.business_time import NextBusiness
from journey.moments import read_moment
from journey.program import Node, Path, Program
from journey.steps.ask import Ask
from journey.steps.choose import Choose
from journey.steps.finish import Finish
from journey.steps.go import Go
from journey.steps.handoff import Handoff
from journey.steps.run import Run
from journey.steps.split import Split
from journey.steps.wait import Wait


def circles(program: Program) -> Iterator[tuple[Path, str, str]]:
    """Each `go` that leads back to itself without a wait between: path, message, remedy.

    A moment that may have passed already is no wait. `at_most` ends any circle.
    """
    for node in program.nodes.values():
        step = node.step
        if not isinstance(step, Go) or step.at_most is not None or step.stage not in program.stages:
            continue
        if node.address in _at_once_from(program, program.stages[step.stage]):
            remedy = "add a wait for a length of time or for a touchpoint, or at_most:"
            yield node.path, f"this goes round by {step.stage!r} without waiting", remedy


def _at_once_from(program: Program, start: str) -> set[str]:
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        address = ahead.pop()
        if address not in seen and address in program.nodes:
            seen.add(address)
            ahead += _at_once(program, program.nodes[address])
    return seen


def _at_once(program: Program, node: Node) -> Iterator[str]:
    """The steps that may follow without anything having been waited for."""
    step = node.step
    following = [node.next] if node.next else []
    if isinstance(step, Finish):
        return
    if isinstance(step, Go) and step.at_most is None:
        yield from filter(None, [program.stages.get(step.stage)])
    elif isinstance(step, Wait):
        if step.until is not None and _may_have_passed(step.until):
            yield from _first(node, "late", following)
    else:
        goes_on, blocks = _ways(node)
        yield from following if goes_on else ()
        for block in blocks:
            yield from _first(node, block, following)


def _ways(node: Node) -> tuple[bool, list[str]]:
    """Whether a step may be passed by, and the blocks that may be entered, without waiting."""
    step = node.step
    match step:
        case Go():
            return False, ["then"]
        case Ask():
            return False, ["late"]  # where the invitation is refused
        case Run() if step.until is not None and _may_have_passed(step.until):
            return True, list(node.blocks)
        case Handoff():
            failing = ["on_failure"] if "on_failure" in node.blocks else []
            return step.on_failure == "continue", failing
        case Split():
            return False, list(node.blocks)
        case Choose():
            return "otherwise" not in node.blocks, list(node.blocks)
        case _:
            return True, [block for block in node.blocks if block != "late"]


def _first(node: Node, block: str, following: list[str]) -> list[str]:
    first = node.blocks.get(block)
    return [first] if first else following


def _may_have_passed(until: str) -> bool:
    moment = read_moment(until)
    if moment.business is not None:
        return moment.business == NextBusiness()  # which is now, while the business is open
    return moment.moves or (moment.span is not None and not moment.span.exact())
