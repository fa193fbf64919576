"""A journey that could fail by its own shape is refused, with the place of the fault and what to do about it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.liquid_text import LiquidText
from journey.document import InvalidDocumentError, read_document
from journey.publication import json_schema, read_definition
from tests.unit.bomb_limits import outcomes
from tests.unit.journey.any_journey import journeys
from tests.unit.journey.hostile_files import HOSTILE
from tests.unit.journey.json_shape import shape_faults
from tests.unit.journey.story import HEAD

CLONE = Path(__file__).resolve().parents[3]
WRONG = sorted((Path(__file__).parent / "wrong_definitions").glob("*.yaml"))
RIGHT = [*CLONE.glob("examples/*/journey.yaml"), *CLONE.glob("tests/journeys/*.yaml")]
MESSAGES = {"hello": object()}
SCHEMA = json_schema()


def refused(text: str) -> InvalidDocumentError:
    with pytest.raises(InvalidDocumentError) as caught:
        read_definition(text, "wrong.yaml", MESSAGES, templates=LiquidText())
    return caught.value


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_a_wrong_journey_is_refused_at_the_place_of_the_fault_with_a_remedy(path: Path) -> None:
    text = path.read_text()
    place, _, told = text.partition("\n")[0].removeprefix("# ").partition(" ")
    piece, _, remedy = told.partition(" → ")

    problems = refused(text).problems

    assert f"{problems[0].line}:{problems[0].column}" == place
    assert piece in problems[0].message
    assert remedy in problems[0].remedy
    assert all(problem.remedy for problem in problems)


def test_there_are_many_ways_to_be_wrong() -> None:
    assert len(WRONG) >= 230


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.parent.name)
def test_what_we_show_passes_the_gate_in_yaml_and_in_json(path: Path) -> None:
    written = read_definition(path.read_text(), str(path))
    data = json.loads(written.canonical)

    layouts: list[dict[str, Any]] = [{"indent": "\t"}, {"separators": (",", ":")}, {"indent": 2}]
    for layout in layouts:
        assert read_definition(json.dumps(data, **layout), "it.json").version == written.version


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.parent.name)
def test_what_we_show_has_the_shape_that_editors_are_told(path: Path) -> None:
    data = json.loads(read_definition(path.read_text(), str(path)).canonical)

    assert shape_faults(SCHEMA, data) == []


@settings(max_examples=25)
@given(journeys())
def test_what_an_author_might_write_has_the_shape_that_editors_are_told(
    journey: dict[str, Any],
) -> None:
    assert shape_faults(SCHEMA, journey) == []


SHAPELESS = [path for path in WRONG if path.stem.startswith(("unknown-word", "no-", "two-steps"))]


@pytest.mark.parametrize("path", SHAPELESS, ids=lambda path: path.stem)
def test_editors_see_what_has_the_wrong_shape(path: Path) -> None:
    assert shape_faults(SCHEMA, read_document(path.read_text(), path.name).data)


def minimal(**parts: Any) -> str:
    data = {
        "language": 1,
        "journey": "small",
        "title": "Small",
        "owner": "tests",
        "enter": {"on": "Began"},
        "stages": [{"stage": "only", "steps": [{"finish": "done"}]}],
    }
    return json.dumps(data | parts)


def test_the_words_of_yaml_1_1_are_words() -> None:
    text = (
        HEAD
        + """
journey: words
enter: {on: yes}
keep: {a: '1'}
exit: [{on: no, outcome: off}, {on: y, outcome: n}]
stages: [{stage: only, steps: [{wait: {any: [{on: on}], until: 1h}}, {finish: null-island}]}]
"""
    )
    program = read_definition(text, "words.yaml").program

    assert program.entry_event == "yes"
    assert program.waited_for == {"no", "y", "on"}


@pytest.mark.parametrize(
    "event", ["👩\u200d👩\u200d👧 booked", "می\u200cخواهم", "Žluťoučký kůň", "予約"]
)
def test_an_event_is_named_in_any_script(event: str) -> None:
    assert read_definition(minimal(enter={"on": event}), "small.json").program.entry_event == event


def test_a_version_is_the_same_however_the_journey_is_laid_out() -> None:
    loose = (
        HEAD
        + "journey: small\nenter:\n  on: 'Began'\nstages:\n- stage: only\n  steps:\n  - finish: done\n"
    )
    tight = (
        HEAD
        + 'journey: "small"\nenter: {"on": Began} # by this\nstages: [{steps: [{finish: done}], stage: only}]'
    )

    assert read_definition(loose, "a").version == read_definition(tight, "b").version


def test_characters_are_whole_however_they_are_escaped() -> None:
    assert '"title":"😀/č"' in read_definition(minimal(title="😀/č"), "a").canonical.decode()
    assert (
        '"title":"😀/č"'
        in read_definition(minimal(title="😀/č").replace("/", "\\/"), "a").canonical.decode()
    )


def test_every_fault_is_told_at_once_in_the_order_of_the_file() -> None:
    wrong = minimal(
        goal={"outcome": "won"},
        exit=[{"when": "nobody.knows", "outcome": "x"}],
        keep={"stage": "1"},
    )

    places = [(problem.line, problem.column) for problem in refused(wrong).problems]

    assert len(places) == 3
    assert places == sorted(places)


def test_a_problem_reads_as_a_line_that_editors_understand() -> None:
    told = str(refused(minimal(goal={"outcome": "won"})).problems[0])

    assert told.startswith("wrong.yaml:1:")
    assert "goal.outcome: no path ends in 'won' → name the outcome" in told


@pytest.fixture(scope="module")
def ended() -> dict[str, str]:
    """How each hostile file ended, in a process of its own that is ended at 30 seconds of CPU and 200 MB."""
    return outcomes("tests.unit.journey.hostile_files")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_soon(name: str, ended: dict[str, str]) -> None:
    assert ended[name] == "refused"


SLIPS = [
    "",
    " ",
    ":",
    "'",
    '"',
    "{",
    "}",
    "[",
    "]",
    "-",
    "\t",
    "&a ",
    "*a ",
    "!x ",
    "#",
    "\n",
    "1e999",
    "é",
]


@settings(max_examples=25)
@given(
    st.sampled_from([path.read_text() for path in RIGHT]),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from(SLIPS),
    st.integers(0, 12),
)
def test_a_file_with_a_slip_of_the_pen_is_refused_or_read_and_never_crashes(
    text: str, where: float, slip: str, gone: int
) -> None:
    at = int(where * len(text))

    try:
        problems = []
        read_definition(text[:at] + slip + text[at + gone :], "slip.yaml")
    except InvalidDocumentError as error:
        problems = error.problems

    assert all(problem.line >= 1 and problem.column >= 1 for problem in problems)


def test_a_journey_as_large_as_may_be_is_read() -> None:
    steps = [{"wait": {"any": [{"on": f"E{n}"}], "until": "1h"}} for n in range(400)]
    text = minimal(stages=[{"stage": "only", "steps": [*steps, {"finish": "done"}]}])

    assert len(read_definition(text, "large.json").program.nodes) == 401
