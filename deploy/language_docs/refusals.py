"""What the gate refuses, by the page that tells of it: made by letting it refuse each of the wrong journeys."""

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from channels.liquid_text import LiquidText
from deploy.language_docs.fields import cell
from journey.document import InvalidDocumentError, Problem
from journey.publication import read_definition
from journey.steps import KINDS

MESSAGES = {"hello": object()}
"""The messages that there are beside the wrong journeys."""

MOST_SAID = 120
"""Characters of a message or a remedy that a page shows."""

_BY_NAME = (
    (("cel-", "unquoted-cel"), "conditions"),
    (
        (
            *("span-", "moment-", "next-", "settle-is", "good-for", "time-for-span", "business-"),
            *("wait-until-a-date", "wait-in-base", "wait-for-seconds"),
        ),
        "moments-and-lengths",
    ),
    (("unreachable-", "stage-", "id-twice", "unknown-s", "two-steps", "step-is"), "README"),
)
_BY_PLACE = (
    (("enter",), "entries"),
    (("exit", "on_exit", "whenever", "while_running", "priority", "goal"), "exits-and-reactions"),
)
_STEP = re.compile(rf"\]\.({'|'.join(KINDS)})(?=[.\[]|$)")


@dataclass(slots=True, frozen=True)
class Refusal:
    """One way to be wrong: what it is, what is said about it, and what to do."""

    what: str
    problem: Problem


def refusals(folder: Path) -> dict[str, list[Refusal]]:
    """The first thing that the gate says of each wrong journey in a folder: page → refusals."""
    found: dict[str, list[Refusal]] = defaultdict(list)
    for path in sorted(folder.glob("*.yaml")):
        try:
            source = path.read_text(encoding="utf-8")
            read_definition(source, path.name, MESSAGES, templates=LiquidText())
        except InvalidDocumentError as error:
            refusal = Refusal(path.stem.replace("-", " "), error.problems[0])
            found[_page(path.stem, error.problems[0].path)].append(refusal)
    return found


def table(found: list[Refusal]) -> str:
    """Refusals as a Markdown table."""
    lines = ["| what is wrong | what is said | what to do |", "| --- | --- | --- |"]
    for refusal in found:
        said, remedy = refusal.problem.message.split("\n", 1)[0], refusal.problem.remedy
        lines.append(f"| {refusal.what} | {cell(_short(said))} | {cell(_short(remedy))} |")
    return "\n".join(lines)


def _short(said: str) -> str:
    return said if len(said) <= MOST_SAID else f"{said[:MOST_SAID]}…"


def _page(name: str, place: str) -> str:
    for beginnings, page in _BY_NAME:
        if name.startswith(beginnings):
            return page
    first = re.split(r"[.\[]", place, maxsplit=1)[0]
    for places, page in _BY_PLACE:
        if first in places:
            return page
    kinds = _STEP.findall(place)
    return f"steps/{kinds[-1]}" if kinds else "README"
