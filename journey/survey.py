"""Surveys: the words of a question, and what an answer to it is."""

import re
from typing import Annotated, Literal

from pydantic import Field

from journey.language import Model, Slug

SurveyKind = Literal["nps", "csat", "ces", "choice", "text"]

SCORES: dict[str, tuple[int, int]] = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
"""Lowest and highest score: Net Promoter Score (Reichheld 2003), customer satisfaction, Customer Effort Score 2.0."""

MOST_TEXT = 5_000
_CHOICE = re.compile(r"^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$")


class Survey(Model):
    """One question as the customer reads it: a file `surveys/NAME.yaml` beside the journey."""

    survey: Slug
    """Its name, which is that of its file."""
    type: SurveyKind
    """What kind of answer it has."""
    owner: Annotated[str, Field(min_length=1, max_length=100)]
    """Who reads the answers."""
    question: Annotated[str, Field(min_length=1, max_length=300)]
    """What is asked, as the customer reads it."""
    low: str = ""
    """What the lowest score means, such as `not at all likely`."""
    high: str = ""
    """What the highest score means."""
    choices: dict[Slug, str] = Field(default={}, max_length=20)
    """For a choice: what there is to choose from, in words."""
    comment: str = ""
    """The question for words of their own, after a score or a choice; none where empty."""
    thanks: str = "Thank you. Somebody will read this."
    """What is said when they have answered."""


def group_of(kind: str, score: object, said: object) -> str | None:
    """The group of an answer, which picks the way; None where it is no answer of this kind."""
    if kind == "text":
        return "answered" if isinstance(said, str) and said.strip() else None
    if kind == "choice":
        return said if isinstance(said, str) and _CHOICE.match(said) and len(said) <= 64 else None
    lowest, highest = SCORES[kind]
    if isinstance(score, bool) or not isinstance(score, int | float):
        return None
    if not lowest <= score <= highest:
        return None
    if kind == "nps":
        return "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"
    middle = (lowest + highest) / 2
    high, low = ("satisfied", "dissatisfied") if kind == "csat" else ("easy", "hard")
    return high if score > middle else low if score < middle else "neutral"
