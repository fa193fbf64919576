"""Surveys and offers as files beside a journey: read, and held against the steps that name them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from journey.document import Document, InvalidDocumentError, read_document
from journey.document_faults import fault_of
from journey.expressions import Fault
from journey.offer import OfferFile, OfferWords
from journey.program import Program
from journey.steps.ask import Ask
from journey.steps.offer import Offer
from journey.steps.send import Send
from journey.survey import SCORES, Survey

Words = TypeVar("Words", bound=BaseModel)


@dataclass(slots=True, frozen=True, kw_only=True)
class NamedWords:
    """The surveys, offers and topics that exist, by name; None where that is not known.

    A survey may be known by name only.
    """

    surveys: Mapping[str, Survey | None] | None = None
    offers: Mapping[str, object] | None = None
    topics: Mapping[str, object] | None = None


def read_survey(source: str, name: str) -> Survey:
    """Read a survey. Raises: `InvalidDocumentError` with the place of each fault."""
    document = read_document(source, name)
    survey = read_as(document, Survey)
    problems = [document.problem(*fault) for fault in _survey_faults(survey)]
    if problems:
        raise InvalidDocumentError(problems)
    return survey


def read_offers(source: str, name: str) -> list[OfferWords]:
    """Read the offers of a journey. Raises: `InvalidDocumentError` with the place of each fault."""
    document = read_document(source, name)
    offers = read_as(document, OfferFile).offers
    seen: set[str] = set()
    for index, offer in enumerate(offers):
        if offer.offer in seen:
            words = f"offer {offer.offer!r} is there twice"
            fault = document.problem(("offers", index, "offer"), words, "give each its own name")
            raise InvalidDocumentError([fault])
        seen.add(offer.offer)
    return offers


def word_faults(program: Program, words: NamedWords) -> Iterator[Fault]:
    """What steps name and is not there, or is of another kind."""
    for node in program.nodes.values():
        step = node.step
        if isinstance(step, Ask | Send) and words.topics is not None:
            yield from _topic_fault(node.path, step.topic, words.topics)
        if isinstance(step, Ask) and words.surveys is not None:
            if step.survey not in words.surveys:
                yield (
                    (*node.path, "survey"),
                    f"there is no survey {step.survey!r}",
                    _known(words.surveys),
                )
                continue
            survey = words.surveys[step.survey]
            if survey is not None:
                yield from _of_another_kind(node.path, step, survey)
        elif (
            isinstance(step, Offer) and words.offers is not None and step.coupon not in words.offers
        ):
            yield (*node.path, "coupon"), f"there is no offer {step.coupon!r}", _known(words.offers)


def _topic_fault(
    path: tuple[str | int, ...], topic: str | None, topics: Mapping[str, object]
) -> Iterator[Fault]:
    if topic is not None and topic not in topics:
        known = f"name it under topics in policy.yaml; {_known(topics)}"
        yield (*path, "topic"), f"there is no topic {topic!r}", known


def _of_another_kind(path: tuple[str | int, ...], step: Ask, survey: Survey) -> Iterator[Fault]:
    if survey.type != step.type:
        words = f"survey {step.survey!r} is of type {survey.type}"
        yield (*path, "type"), words, f"write type: {survey.type}, or change the survey"
    for group in step.answers:
        if step.type == "choice" and group not in survey.choices:
            known = ", ".join(survey.choices)
            yield (
                (*path, "answers", group),
                f"{group!r} is not among its choices",
                f"they are {known}",
            )


def _known(names: Mapping[str, object]) -> str:
    return f"they are {', '.join(sorted(names)) or 'none so far'}"


def _survey_faults(survey: Survey) -> Iterator[Fault]:
    if survey.type == "choice" and len(survey.choices) < 2:
        yield ("choices",), "there is nothing to choose from", "write at least two choices"
    if survey.type != "choice" and survey.choices:
        yield ("choices",), f"{survey.type} has no choices", "write type: choice, or remove them"
    for name in ("low", "high"):
        if getattr(survey, name) and survey.type not in SCORES:
            yield (name,), f"{survey.type} has no scale", "remove it"


def read_as(document: Document, kind: type[Words]) -> Words:
    """A document as one of our models. Raises: `InvalidDocumentError` with the place of each fault."""
    try:
        return kind.model_validate(document.data)
    except ValidationError as error:
        problems = [fault_of(document, told) for told in error.errors()]
        raise InvalidDocumentError(problems) from None
