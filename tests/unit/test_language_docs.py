"""The pages of the language say what the language does: they are made from it, and their examples are run."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import JsonValue

from channels.liquid_text import LiquidText
from cli.journey_files import check_files, find_files
from deploy.language_docs.example import Example
from deploy.language_docs.pages import CLONE, EXAMPLES, FOLDER, pages
from insight.scenario import read_scenarios
from insight.scenario_play import play
from journey.steps import KINDS

MADE = pages()
SCENARIOS = sorted(EXAMPLES.glob("*.scenarios.yaml"))
JOURNEYS = sorted(EXAMPLES.glob("*.journey.yaml"))


def words(template: str, values: Mapping[str, JsonValue]) -> str:
    return LiquidText().render(template, values, datetime(2026, 3, 2, tzinfo=UTC))


@pytest.mark.parametrize("page", MADE, ids=str)
def test_a_page_is_what_the_models_say(page: Path) -> None:
    written = (CLONE / page).read_text() if (CLONE / page).exists() else "it is not there"

    assert written == MADE[page], f"{page} is not what it would be: run make docs"


def test_there_is_a_page_for_each_kind_of_step_and_none_besides() -> None:
    there = {path.stem for path in (CLONE / FOLDER / "steps").glob("*.md")}

    assert there == set(KINDS)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name)
def test_an_example_does_what_its_scenarios_say(path: Path) -> None:
    example = Example(path.with_name(path.name.removesuffix(".scenarios.yaml")))

    played = list(play(example.program, read_scenarios(path.read_text(), path.name), words))

    assert played
    assert [problem for each in played for problem in each.problems] == []


def test_the_gate_finds_nothing_wrong_with_the_examples_nor_with_what_is_described_beside_them() -> (
    None
):
    checked = check_files(find_files([EXAMPLES]), None)

    assert len(checked.journeys) == len(JOURNEYS)
    assert (checked.problems, checked.warnings) == ([], [])


def test_each_example_has_its_scenarios() -> None:
    named = [path.name.removesuffix(".journey.yaml") for path in JOURNEYS]

    assert named == [path.name.removesuffix(".scenarios.yaml") for path in SCENARIOS]
    assert set(KINDS) <= set(named)


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_of_a_step_has_that_step_in_it(kind: str) -> None:
    nodes = Example(EXAMPLES / kind).program.nodes.values()

    assert kind in {node.step.kind for node in nodes}


@pytest.mark.parametrize("page", [page for page in MADE if page.suffix == ".md"], ids=str)
def test_no_field_of_a_page_is_left_without_words(page: Path) -> None:
    rows = [line for line in MADE[page].splitlines() if line.startswith("| ")]

    assert [row for row in rows if row.endswith("|  |")] == []


def test_links_lead_somewhere() -> None:
    for page, text in MADE.items():
        for target in (
            re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text) if page.suffix == ".md" else ()
        ):
            if "://" not in target:
                assert (CLONE / page.parent / target).exists(), f"{page}: {target} is not there"
