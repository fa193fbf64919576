"""Files that a house has one of: policy, identities, feelings, queues and so on; each fault with its place."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from journey import conditions, feelings, personas, problem_rules
from journey.conditions import ConditionError
from journey.document import InvalidDocumentError, Path, read_document
from journey.document_faults import fault_of
from journey.feelings import FeelingsFile
from journey.house_policy import HousePolicy
from journey.identity_rules import IdentityRules, read_identities
from journey.landscape import PersonasFile
from journey.policy_file import read_policy
from journey.problem_rules import ProblemsFile
from journey.queues import QueuesFile, queue_faults

HouseKind = Literal["policy", "identities", "feelings", "problems", "personas", "queues"]
"""What such a file holds, and its name without the ending."""

HOUSE_KINDS: tuple[HouseKind, ...] = get_args(HouseKind)

_FILES: dict[HouseKind, type[BaseModel]] = {
    "policy": HousePolicy,
    "identities": IdentityRules,
    "feelings": FeelingsFile,
    "problems": ProblemsFile,
    "personas": PersonasFile,
    "queues": QueuesFile,
}

_Fault = tuple[Path, str, str]
_File = TypeVar("_File", bound=BaseModel)


@dataclass(slots=True, frozen=True, kw_only=True)
class House:
    """What is live in an installation of all these; empty where a file was never published."""

    feelings: FeelingsFile | None = None
    problems: ProblemsFile | None = None
    personas: PersonasFile | None = None
    queues: QueuesFile | None = None


def house_kind(name: str) -> HouseKind | None:
    """What a file of this name, without its ending, holds."""
    return next((kind for kind in HOUSE_KINDS if name == kind), None)


def read_house_file(kind: HouseKind, text: str, name: str) -> BaseModel:
    """What one file says. Raises: `InvalidDocumentError` with every problem found."""
    if kind == "policy":
        return read_policy(text, name)
    if kind == "identities":
        return read_identities(text, name)
    document = read_document(text, name, begins=f"{kind}:")
    try:
        read = _FILES[kind].model_validate(document.data)
    except ValidationError as error:
        raise InvalidDocumentError([fault_of(document, told) for told in error.errors()]) from None
    problems = [document.problem(*fault) for fault in _faults(read)]
    if problems:
        raise InvalidDocumentError(problems)
    return read


def house_of(sources: Mapping[str, Any]) -> House:
    """The house as it was published, by kind."""

    def of(kind: HouseKind, model: type[_File]) -> _File | None:
        source = sources.get(kind)
        return model.model_validate(source, strict=False) if source is not None else None

    return House(
        feelings=of("feelings", FeelingsFile),
        problems=of("problems", ProblemsFile),
        personas=of("personas", PersonasFile),
        queues=of("queues", QueuesFile),
    )


def house_schema(kind: HouseKind) -> dict[str, Any]:
    """The JSON Schema of such a file, for editors."""
    return _FILES[kind].model_json_schema(by_alias=True)


def _faults(read: BaseModel) -> Iterator[_Fault]:
    match read:
        case FeelingsFile():
            yield from _twice("feelings", [each.feeling for each in read.feelings], "feeling")
            known = {each.feeling for each in read.feelings}
            for index, rule in enumerate(read.rules):
                if rule.feeling not in known:
                    said = f"{rule.feeling!r} is none of the feelings of this house"
                    yield ("rules", index, "feeling"), said, f"they are {', '.join(sorted(known))}"
                yield from _condition(("rules", index, "when"), rule.when, feelings.NAMES)
        case ProblemsFile():
            yield from _twice("problems", [each.problem for each in read.problems], "problem")
            for index, rule in enumerate(read.problems):
                yield from _condition(("problems", index, "when"), rule.when, problem_rules.NAMES)
                yield from _condition(("problems", index, "same"), rule.same, problem_rules.NAMES)
        case PersonasFile():
            yield from _twice("personas", [each.persona for each in read.personas], "persona")
            yield from evidence_faults(read)
        case QueuesFile():
            yield from _twice("queues", [each.queue for each in read.queues], "queue")
            yield from queue_faults(read)
        case _:
            pass


def evidence_faults(read: PersonasFile) -> Iterator[_Fault]:
    """What is wrong with the evidence for personas."""
    for index, persona in enumerate(read.personas):
        for place, evidence in enumerate(persona.match):
            path = ("personas", index, "match", place, "when")
            yield from _condition(path, evidence.when, personas.NAMES)
            try:
                paths = conditions.compiled(str(evidence.when), personas.NAMES).paths
            except ConditionError:
                continue
            for named in sorted(paths):
                if named[:2] == ("customer", "personas"):
                    said = "who fits would depend on who fits"
                    yield path, said, "name other traits than customer.personas"
                if named[0] == "counts" and named[1:2] and named[1] not in persona.counts:
                    said = f"counts.{named[1]} is not counted"
                    yield path, said, f"add {named[1]} under counts: of {persona.persona}"


def _condition(path: Path, source: object, names: frozenset[str]) -> Iterator[_Fault]:
    if source is None:
        return
    try:
        conditions.compiled(f"{source}", names)
    except ConditionError as error:
        known = ", ".join(sorted({*names, "now"}))
        yield path, str(error), f"it is CEL over {known}"


def _twice(part: str, names: Sequence[str], what: str) -> Iterator[_Fault]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield (part, index, what), f"{what} {name!r} is there twice", "keep one of them"
        seen.add(name)
