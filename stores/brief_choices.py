"""What may be decided at a case: what each decision does, in words, and whether this member may."""

from collections.abc import Iterator, Mapping

from contracts.case_brief import Choice
from journey.effects import OfferedDecision
from journey.language import WrittenStep
from journey.program import Program
from journey.steps.handoff import Handoff
from stores.members import Member

NOTHING_MORE = "the journey goes on"
_DEEP = 3


def does(
    program: Program | None, decisions: Mapping[str, OfferedDecision], queues: tuple[str, ...]
) -> dict[str, str]:
    """What each decision does, where the journey says so; `queues`: those the case was in."""
    if program is None:
        return {}
    offers = [
        node.step
        for node in program.nodes.values()
        if isinstance(node.step, Handoff) and node.step.decisions.keys() == decisions.keys()
    ]
    fits = next((each for each in offers if each.queue in queues), next(iter(offers), None))
    if fits is None:
        return {}
    return {
        name: "; ".join(_in_words(each.do)) or NOTHING_MORE for name, each in fits.decisions.items()
    }


def choices(
    decisions: Mapping[str, OfferedDecision],
    done: Mapping[str, str],
    member: Member | None,
    authority: float | None,
    *,
    over: bool,
) -> tuple[Choice, ...]:
    """Every decision on offer."""
    return tuple(
        Choice(
            decision=name,
            title=offered.title or name.replace("-", " "),
            fields=dict(offered.fields),
            does=done.get(name, ""),
            allowed=_allowed(offered, member, authority, over=over),
        )
        for name, offered in decisions.items()
    )


def _allowed(
    offered: OfferedDecision, member: Member | None, authority: float | None, *, over: bool
) -> str:
    if over or (member is not None and not member.works):
        return "no"
    if offered.authority is None or authority is None:
        return "yes"
    return f"up to {authority:g}" if authority > 0 else "no"


def _in_words(steps: list[WrittenStep], deep: int = _DEEP) -> Iterator[str]:
    for written in steps:
        yield next(iter(written.step.in_words()))
        if deep:
            for name, _, block in written.step.blocks():
                inside = list(_in_words(block, deep - 1))
                if inside:
                    yield f"{written.step.way_in_words(name)}: {', '.join(inside)}"
