"""Templates in a journey: each is held against an engine that is given, for this room has none."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from journey.document import Document, Problem
from journey.document_faults import place
from journey.program import Program


@dataclass(slots=True, frozen=True, kw_only=True)
class TemplateFault:
    """What is wrong with a template, and where in it; line and column from 1."""

    line: int
    column: int
    message: str
    remedy: str


class Templates(Protocol):
    """An engine that can tell whether it will understand a template."""

    def fault(self, template: str) -> TemplateFault | None:
        """The first fault of a template, or None."""
        ...


def template_problems(
    program: Program, document: Document, templates: Templates
) -> Iterator[Problem]:
    """Templates that could never be filled in, each at its place in the file."""
    for path, template in program.templates():
        fault = templates.fault(template)
        if fault is None:
            continue
        known = place(document, path)
        problem = document.problem(known, fault.message, fault.remedy)
        found = document.inside(known, template, fault.line, fault.column)
        if found is not None:
            line, column = found
            yield replace(problem, line=line, column=column)
        else:
            where = f"line {fault.line}, column {fault.column} of the text"
            yield replace(problem, message=f"{fault.message} ({where})")
