"""Files of the house are read with the place of each fault, and survive being published."""

from pathlib import Path
from typing import Any

import pytest

from journey.document import InvalidDocumentError
from journey.house_files import HouseKind, house_of, read_house_file
from journey.personas import personas_of
from journey.problem_rules import ProblemRule, name_of, sign_of
from journey.touchpoint import Touchpoint
from tests.unit.journey.test_feelings import NOON

EXAMPLES = Path(__file__).parents[3] / "examples"

_RULE = "problem: p, title: T, words: W, on: X"

WRONG: list[tuple[HouseKind, str, str]] = [
    ("feelings", "{feeling: glad, for: 3d}", "none of the feelings"),
    ("feelings", "{feeling: upset, on: X, count: 2, for: 3d}", "within"),
    ("feelings", "{feeling: upset, when: 'run.x', for: 3d}", "customer, event, now"),
    ("problems", f"{{{_RULE}, customers: 1, within: 1h}}", "greater than or equal to 2"),
    ("problems", f"{{{_RULE}, same: 'a b', customers: 2, within: 1h}}", "it is CEL over"),
    ("personas", "{when: 'counts.x > 1', because: b}", "not counted"),
    ("personas", "{when: \"'p' in customer.personas\", because: b}", "who fits would depend"),
]
AROUND: dict[HouseKind, str] = {
    "feelings": "feelings: [{feeling: upset}]\nrules: [%s]",
    "problems": "problems: [%s]",
    "personas": "personas: [{persona: p, title: T, match: [%s]}]",
}


@pytest.mark.parametrize(("kind", "source", "words"), WRONG)
def test_what_is_wrong_is_told_with_its_place(kind: HouseKind, source: str, words: str) -> None:
    with pytest.raises(InvalidDocumentError) as told:
        read_house_file(kind, AROUND[kind] % source, f"{kind}.yaml")
    assert words in str(told.value)
    assert str(told.value).startswith(f"{kind}.yaml:")


@pytest.mark.parametrize("kind", ["feelings", "problems", "personas", "queues"])
def test_the_files_of_the_examples_say_the_same_after_they_were_published(kind: HouseKind) -> None:
    text = (EXAMPLES / f"{kind}.yaml").read_text(encoding="utf-8")
    read = read_house_file(kind, text, kind)
    again: Any = getattr(house_of({kind: read.model_dump(mode="json", by_alias=True)}), kind)
    assert again == read


def test_evidence_adds_up_and_what_cannot_be_told_says_nothing() -> None:
    source = """
personas:
  - persona: prefers-people
    title: T
    match:
      - {when: customer.calls >= 2.0, weight: 0.6, because: calls}
      - {when: customer.unknown == 1, weight: 5, because: unknown}
      - {when: customer.visits >= 1.0, weight: 0.6, because: comes by}
      - {when: customer.alone, weight: -0.5, because: did it alone}
"""
    house = house_of(
        {
            "personas": read_house_file("personas", source, "p").model_dump(
                mode="json", by_alias=True
            )
        }
    )
    assert house.personas is not None
    people = house.personas.personas

    [fit] = personas_of(people, {"calls": 3.0, "visits": 1.0, "alone": False}, {}, NOON)

    assert (fit.weight, fit.because) == (1.2, ("calls", "comes by"))
    assert personas_of(people, {"calls": 3.0, "visits": 1.0, "alone": True}, {}, NOON) == []
    assert personas_of(people, {"calls": 3.0}, {}, NOON) == []


def test_two_values_that_look_alike_are_two_problems() -> None:
    rule = ProblemRule.model_validate(
        {
            "problem": "fails",
            "title": "T",
            "words": "W",
            "on": "Failed",
            "same": "event.properties.bank",
            "customers": 2,
            "within": "1h",
        }
    )
    failed = Touchpoint(message_id="m", event="Failed", timestamp=NOON, properties={"bank": "A/B"})
    assert sign_of(rule, failed, {}) == "A/B"
    assert name_of(rule, "A/B", "2026-03-02").startswith("fails-a-b-2026-03-02-")
    assert name_of(rule, "A/B", "d") != name_of(rule, "A B", "d")
    nothing = Touchpoint(message_id="m", event="Failed", timestamp=NOON)
    assert sign_of(rule, nothing, {}) is None
