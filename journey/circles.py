"""Ways through a journey that could go round for ever without waiting for anything."""

from collections.abc import Iterator

from journey.moments import read_moment
from journey.program import Node, Path, Program
from journey.spans import read_span
from journey.steps.choose import Choose
from journey.steps.finish import Finish
from journey.steps.go import Go
from journey.steps.handoff import Handoff
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
    match step:
        case Finish():
            return
        case Go():
            stage = program.stages.get(step.stage)
            if step.at_most is not None:
                yield from _first(node, "then", following)
            elif stage:
                yield stage
        case Wait():
            if step.until is not None and _may_have_passed(step.until):
                yield from _first(node, "late", following)
        case Handoff():
            if step.on_failure == "continue":
                yield from following
            yield from _first(node, "on_failure", [])
        case Choose():
            for block in node.blocks:
                yield from _first(node, block, following)
            if "otherwise" not in node.blocks:
                yield from following
        case _:
            yield from following
            for block, first in node.blocks.items():
                if first and block != "late":
                    yield first


def _first(node: Node, block: str, following: list[str]) -> list[str]:
    first = node.blocks.get(block)
    return [first] if first else following


def _may_have_passed(until: str) -> bool:
    moment = read_moment(until)
    return moment.moves or (moment.span is not None and not read_span(until).exact())
