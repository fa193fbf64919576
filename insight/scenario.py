"""Scenarios: what is given, what happens, and what must have come of it, written beside a journey in YAML.

```yaml
scenarios:
  - scenario: Who comes back alone is left alone
    given: {at: 2026-03-02 10:00, customer: {first_name: Anna}}
    when:
      - {does: Product Added, with: {cart_value: 80}}
      - after: 30m
      - does: Order Completed
    then: {outcome: recovered, sent: []}
```
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, JsonValue, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from journey.document import Document, InvalidDocumentError, Path, read_document
from journey.document_faults import fault_of
from journey.language import EventName, Identifier, Model, Slug, SpanText, Words
from journey.spans import is_zone
from journey.steps.run import RunOutcome


class Local(Words):
    """A time on the clock of the customer's zone."""

    __slots__ = ()
    pattern_words = "a local time such as 2026-03-02 10:00"

    @classmethod
    def checked(cls, text: str) -> str:
        try:
            naive = datetime.fromisoformat(text).tzinfo is None
        except ValueError:
            naive = False
        if not naive:
            raise PydanticCustomError("text", "expected {what}", {"what": cls.pattern_words})
        return text


Properties = dict[str, JsonValue]


class Given(Model):
    """Who the customer is, and when it begins."""

    at: Local = Local("2026-03-02 10:00")
    """When it begins, by the customer's clock; a Monday unless said otherwise."""
    zone: str | None = None
    """The customer's time zone; the journey's unless said otherwise."""
    customer: Properties = {}
    """Traits."""
    addresses: dict[Slug, str] | None = None
    """Addresses by channel; one for each channel that the journey uses unless said otherwise."""
    arms: dict[Identifier, Slug] = {}
    """The customer is one who draws these arms: split → arm."""
    held_out: bool = False
    """The customer is one of the hold-out."""
    calls: dict[str, Properties] = {}
    """What calls give back, by the activity's name or the host of the address; others fail."""
    sold_out: list[Slug] = []
    """Offers of which there is none."""


class Expected(Model):
    """What must hold; what is not named is not asked."""

    outcome: Slug | None = None
    """How the run ended; `null`: it goes on."""
    goal: bool = False
    """Whether it ended in the goal."""
    stage: Slug | None = None
    """The stage where the run is."""
    entries: int = 1
    """How often the customer has entered; 0: never."""
    sent: list[Slug] = []
    """Messages that went out, all of them, in order."""
    not_sent: dict[Slug, str] = {}
    """Messages that did not go out: message → reason."""
    cases: list[Slug] = []
    """Queues of all cases, in the order in which they were opened."""
    open_cases: list[Slug] = []
    """Queues of the cases that staff have before them."""
    briefs: list[str] = []
    """Words in what staff read in each of the open cases, in the same order."""
    promises: dict[Identifier, str] = {}
    """How promises stand: name → open, kept, late, kept_late, broken or dropped."""
    waits_for: list[str] = []
    """Words in what the run waits for."""
    because: list[str] = []
    """Words in its decisions: `kind: reason`."""
    wakes_at: Local | None = None
    """When the run wakes next, on the customer's clock."""
    values: Properties = {}
    """Values that the run keeps."""
    traits: Properties = {}
    """Traits of the customer."""
    arms: dict[Identifier, Slug] = {}
    """The arms that were drawn: split → arm."""
    offers: dict[Identifier, str] = {}
    """How coupons stand: result → open, redeemed, expired, voided or refused."""
    says: dict[Slug, list[str]] = {}
    """What is to be said now: place → words in each of them, the most important first."""
    started: list[Slug] = []
    """Other journeys that it began, in order."""
    results: dict[Identifier, Properties] = {}
    """Parts of named results: of decisions, answers, calls and runs."""
    stopped: str | None = None
    """Words in why people must look at it; `null`: it is not stopped."""


class When(Model):
    """One thing that happens."""

    does: EventName | None = None
    """The customer does something."""
    happens: EventName | None = None
    """Something happens to a subject, such as a flight: `about: {flight: UA1}`."""
    properties: Properties = Field(default={}, alias="with")
    """The properties of what came."""
    about: Annotated[dict[str, str], Field(max_length=1)] = {}
    """The subject: kind → id."""
    id: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """The message id; the same one again is a redelivery."""
    becomes: Properties | None = None
    """Traits of the customer change."""
    staff: Slug | None = None
    """What staff decide in the case that was opened last."""
    fields: Properties = {}
    """What staff filled in."""
    authority: float | None = None
    """Up to which amount this member of staff may grant; without limit unless said otherwise."""
    refused: bool = False
    """They may not decide so: it goes beyond their authority, or is not filled in."""
    answers: Properties | None = None
    """The customer answers what they were asked last: `{score: 9, text: Fine}`."""
    enters: Properties | None = None
    """Somebody asks that the customer enter, with these properties."""
    ends: RunOutcome | None = None
    """The journey that the run began last ends with this outcome."""
    held_by: Slug | None = None
    """Another journey of the customer holds marketing back from now on."""
    lifted: Slug | None = None
    """That journey ends."""
    after: SpanText | None = None
    """So much time passes."""
    at: Local | None = None
    """It becomes so late."""
    expect: Expected | None = None
    """What must hold by then."""

    @property
    def kind(self) -> str | None:
        """Which of the things it is; None where it is not exactly one."""
        said = [name for name in KINDS if getattr(self, name) is not None]
        return said[0] if len(said) == 1 else None


KINDS = (
    "does",
    "happens",
    "becomes",
    "staff",
    "answers",
    "enters",
    "ends",
    "held_by",
    "lifted",
    "after",
    "at",
    "expect",
)
_ONLY_WITH = {
    "properties": ("does", "happens"),
    "about": ("does", "happens"),
    "fields": ("staff",),
    "authority": ("staff",),
    "refused": ("staff",),
}


class Scenario(Model):
    """One story of one customer."""

    scenario: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """What it shows, as a sentence."""
    given: Given = Given()
    """Who the customer is, and when it begins."""
    when: list[When] = Field(min_length=1, max_length=200)
    """What happens, in order."""
    then: Expected
    """What must have come of it."""


class ScenarioFile(Model):
    """The scenarios of one journey."""

    scenarios: list[Scenario] = Field(min_length=1, max_length=1_000)
    """The stories."""


@dataclass(slots=True, frozen=True)
class Scenarios:
    """Scenarios with the places of what they say."""

    document: Document
    scenarios: list[Scenario]
    """The stories."""


def read_scenarios(text: str, name: str) -> Scenarios:
    """Read a file of scenarios. Raises: `InvalidDocumentError` with the place of each fault."""
    document = read_document(text, name)
    try:
        whole = ScenarioFile.model_validate(document.data)
    except ValidationError as error:
        problems = [fault_of(document, told) for told in error.errors()]
        raise InvalidDocumentError(problems) from None
    problems = [document.problem(*fault) for fault in _faults(whole)]
    if problems:
        raise InvalidDocumentError(problems)
    return Scenarios(document, whole.scenarios)


def _faults(whole: ScenarioFile) -> Iterator[tuple[Path, str, str]]:
    for number, scenario in enumerate(whole.scenarios):
        zone = scenario.given.zone
        if zone is not None and not is_zone(zone):
            where: Path = ("scenarios", number, "given", "zone")
            yield where, f"there is no time zone {zone!r}", "write one such as Europe/Prague"
        for index, when in enumerate(scenario.when):
            here: Path = ("scenarios", number, "when", index)
            if when.kind is None:
                words = f"expected exactly one of {', '.join(KINDS)}"
                yield here, words, "give each thing that happens its own dash"
                continue
            for name, kinds in _ONLY_WITH.items():
                if getattr(when, name) and when.kind not in kinds:
                    told = "with" if name == "properties" else name
                    words = f"{told} says nothing beside {when.kind}"
                    yield (*here, told), words, f"write it beside {' or '.join(kinds)}"
            if when.kind == "happens" and not when.about:
                yield here, "happens needs a subject", "add about: such as {flight: UA1}"


def subject_of(when: When) -> dict[str, Any]:
    """The context of a touchpoint about a subject."""
    [(kind, one)] = when.about.items()
    return {"subject": {"kind": kind, "id": one}}
