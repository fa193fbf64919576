"""What may be tried of a journey before it is published, and what comes of it: as told from process to process."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, JsonValue, TypeAdapter

from journey.document import Problem
from journey.program import compile_program
from journey.publication import Publishable

Part = Literal["enters", "sent", "held", "ends", "cases", "kept_out", "fails"]


class MonthOrder(BaseModel):
    """Play what happened here from `begins` until `ends` (run time) through the edited definition and the live one.

    Both are canonical JSON. `url`: the database. `received_since`: wall time.
    """

    kind: Literal["month"] = "month"
    url: str
    edited: str
    live: str | None
    begins: datetime
    ends: datetime
    received_since: datetime


class LiveMessage(BaseModel):
    """A message that is live, as its author wrote it."""

    name: str
    revision: str
    source: str
    shared: dict[str, JsonValue] = {}


class StoriesOrder(BaseModel):
    """Play these scenarios on the edited definition; `messages` are those that it may send."""

    kind: Literal["stories"] = "stories"
    edited: str
    stories: str
    messages: list[LiveMessage] = []


class Measure(BaseModel):
    """A figure; `margin` is what it may be off by because it is counted on a sample, 19 times in 20."""

    n: int = 0
    margin: int = 0


class Row(BaseModel):
    """One figure, of the edited version and of the live one. `differs`: more than the sample explains."""

    part: Part
    name: str
    detail: str = ""
    edited: Measure
    live: Measure | None = None
    differs: bool = False


class MonthTried(BaseModel):
    """What would have happened.

    `customers` and `touchpoints` are all that there are, `played` those customers that were. `share` below 1:
    figures are of so large a share, and `scaled` up. `together`: what customers share, so that they are not.
    """

    kind: Literal["month"] = "month"
    begins: datetime
    ends: datetime
    customers: int
    touchpoints: int
    played: int
    share: float = 1.0
    scaled: bool = False
    together: str | None = None
    rows: list[Row]
    seconds: float = 0.0


class Fault(BaseModel):
    """Something that is not as it should be, with its place in the scenarios."""

    line: int
    column: int
    path: str
    message: str
    remedy: str = ""


class Story(BaseModel):
    """What came of one scenario: its faults, and where it failed what happened instead."""

    scenario: str
    faults: list[Fault]
    decisions: list[str] = []
    left_out: int = 0


class StoriesTried(BaseModel):
    """What came of the scenarios. `faults`: why the file cannot be read."""

    kind: Literal["stories"] = "stories"
    faults: list[Fault] = []
    stories: list[Story] = []
    seconds: float = 0.0


class NotTried(BaseModel):
    """It could not be tried; `why` is for whoever wanted it."""

    kind: Literal["not"] = "not"
    why: str


Order = Annotated[MonthOrder | StoriesOrder, Field(discriminator="kind")]
Tried = Annotated[MonthTried | StoriesTried | NotTried, Field(discriminator="kind")]
ORDER: TypeAdapter[MonthOrder | StoriesOrder] = TypeAdapter(Order)
TRIED: TypeAdapter[MonthTried | StoriesTried | NotTried] = TypeAdapter(Tried)


def fault_of(problem: Problem) -> Fault:
    """A problem as it is told."""
    return Fault(
        line=problem.line,
        column=problem.column,
        path=problem.path,
        message=problem.message,
        remedy=problem.remedy,
    )


def definition_of(canonical: str) -> Publishable:
    """A definition that passed the gate before it was sent here."""
    program = compile_program(canonical.encode())
    return Publishable(
        journey=program.journey,
        version=program.version,
        canonical=canonical.encode(),
        source=canonical,
        source_name="as tried",
        program=program,
    )
