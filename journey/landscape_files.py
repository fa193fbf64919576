"""The files beside journeys: `touchpoints.yaml`, `personas.yaml`, `goals.yaml`, each fault with its place."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import ValidationError

from journey.document import InvalidDocumentError, Path, read_document
from journey.document_faults import fault_of
from journey.house_files import evidence_faults
from journey.landscape import (
    GoalsFile,
    Kind,
    Landscape,
    PersonasFile,
    TouchpointDescription,
    TouchpointsFile,
)
from journey.language import Model

KINDS: tuple[Kind, ...] = get_args(Kind)

_FILES: dict[Kind, type[Model]] = {
    "touchpoints": TouchpointsFile,
    "personas": PersonasFile,
    "goals": GoalsFile,
}
_NAMED = {"touchpoints": "touchpoint", "personas": "persona", "goals": "goal"}


def read_landscape(kind: Kind, text: str, name: str) -> Landscape:
    """What one file describes. Raises: `InvalidDocumentError` with every problem found."""
    document = read_document(text, name, begins=f"{kind}:")
    if not isinstance(document.data, dict):
        message = f"{kind} are a list under {kind}:"
        raise InvalidDocumentError([document.problem((), message, f"begin with {kind}:")])
    try:
        read = _FILES[kind].model_validate(document.data)
    except ValidationError as error:
        raise InvalidDocumentError([fault_of(document, told) for told in error.errors()]) from None
    listed: list[Any] = getattr(read, kind)
    problems = [document.problem(*fault) for fault in _faults(kind, listed)]
    if isinstance(read, PersonasFile):
        problems += [document.problem(*fault) for fault in evidence_faults(read)]
    if problems:
        raise InvalidDocumentError(problems)
    described = {getattr(each, _NAMED[kind]): each for each in listed}
    return Landscape(**{kind: described, "files": {kind: name}})  # pyright: ignore[reportArgumentType] -- by kind


def landscape_schema(kind: Kind) -> dict[str, Any]:
    """The JSON Schema of such a file, for editors."""
    return _FILES[kind].model_json_schema(by_alias=True)


def _faults(kind: Kind, listed: list[Any]) -> Iterator[tuple[Path, str, str]]:
    seen: set[str] = set()
    for index, each in enumerate(listed):
        name: str = getattr(each, _NAMED[kind])
        if name in seen:
            message = f"{_NAMED[kind]} {name!r} is described twice"
            yield (kind, index, _NAMED[kind]), message, "keep one of them"
        seen.add(name)
        if isinstance(each, TouchpointDescription) and each.subject is None and not each.intent:
            message = f"{name} does not say why the customer does it"
            yield (kind, index), message, "add intent:, or subject: where it is about a thing"
