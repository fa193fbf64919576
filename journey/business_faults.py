"""What the gate asks of business time: that no deadline lies beyond ten years."""

from collections.abc import Iterator

from journey.business_time import read_business_span
from journey.language import MomentText
from journey.moments import read_moment
from journey.program import Path, Program
from journey.steps.handoff import AnswerWithin


def business_faults(program: Program) -> Iterator[tuple[Path, str, str]]:
    """Faults of what is counted on the journey's business calendar: path, message, remedy."""
    for node in program.nodes.values():
        for name, field in type(node.step).model_fields.items():
            value = getattr(node.step, name)
            if isinstance(value, AnswerWithin):
                wanted = read_business_span(value)
            elif isinstance(value, MomentText):
                wanted = read_moment(value).business
            else:
                continue
            if wanted is not None and not program.business.reaches(wanted):
                remedy = "write fewer, or open the business longer under business:"
                yield (*node.path, field.alias or name), f"{value} take more than ten years", remedy
