"""docs/security/asvs.csv: every requirement of levels 1 and 2 is judged once, and what is met names its proof."""

import ast
import csv
from functools import cache
from pathlib import Path

from tests.scorecard import keep
from tests.security.asvs_levels import requirements

CLONE = Path(__file__).resolve().parents[2]
FILE = CLONE / "docs" / "security" / "asvs.csv"
Row = dict[str, str]


def rows() -> list[Row]:
    with FILE.open(newline="") as file:
        return list(csv.DictReader(file))


@cache
def names_in(file: Path) -> frozenset[str]:
    found = ast.walk(ast.parse(file.read_text()))
    return frozenset(
        each.name for each in found if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def proved(proof: str) -> bool:
    """Whether what is named is there: a test, or a page of ours."""
    path, _, test = proof.partition("::")
    there = CLONE / path
    if not test:
        return (path.endswith((".md", ".json")) and there.is_file()) or (
            path == "docs/language" and there.is_dir()
        )
    return test.startswith("test_") and there.is_file() and test in names_in(there)


def share(level: int) -> tuple[int, int]:
    applying = [each for each in rows() if each["applies"] == "yes" and int(each["level"]) == level]
    return sum(each["met"] == "yes" for each in applying), len(applying)


def test_every_requirement_of_the_first_two_levels_is_judged_once() -> None:
    asked = requirements(1, 2)
    assert len(asked) == 253
    assert {level: list(asked.values()).count(level) for level in (1, 2)} == {1: 70, 2: 183}
    assert [(each["id"], int(each["level"])) for each in rows() if int(each["level"]) < 3] == list(
        asked.items()
    )


def test_each_judgement_gives_its_reason_and_what_is_met_its_proof() -> None:
    for each in rows():
        judged = (each["applies"], each["met"])
        assert judged in {("yes", "yes"), ("yes", "no"), ("no", "")}, each["id"]
        assert each["how"], each["id"]
        assert bool(each["proof"]) == (each["met"] == "yes"), each["id"]


def test_every_proof_is_there() -> None:
    named = {(each["id"], proof) for each in rows() for proof in each["proof"].split(";") if proof}
    assert [one for one in sorted(named) if not proved(one[1])] == []


def test_a_proof_that_is_not_there_is_noticed() -> None:
    assert not proved("tests/security/test_asvs.py::test_of_nothing")
    assert not proved("tests/security/test_nothing.py::test_a_proof_that_is_not_there_is_noticed")
    assert not proved("docs/security/nothing.md")
    assert proved("tests/security/test_asvs.py::test_a_proof_that_is_not_there_is_noticed")


def test_how_much_is_met() -> None:
    (one, of_one), (two, of_two) = share(1), share(2)
    open_ones = [each["id"] for each in rows() if each["met"] == "no"]
    met = one == of_one and two >= 0.95 * of_two
    keep(
        "R16",
        {
            "level_1": f"{one} of {of_one}",
            "level_2": f"{two} of {of_two}",
            "do_not_apply": 253 - of_one - of_two,
        },
        met=met,
        why="" if met else f"not met or not shown: {', '.join(open_ones)}",
    )
    assert of_one + of_two > 150
    assert of_one + of_two + sum(each["applies"] == "no" for each in rows()) == len(rows())
