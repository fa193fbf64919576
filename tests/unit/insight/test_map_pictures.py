"""A map is a picture and a table that hold whatever an author wrote, and nothing in it covers anything else."""

import re
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from cli.landscape_files import Landscapes
from insight.drawn_text import width_of
from insight.journey_map import journey_map
from insight.map_curve import SMALL, WORD, dots
from insight.map_layout import EDGE, FEELING_HEIGHT, LANE, laid_out
from insight.map_markdown import markdown_of
from insight.map_parts import ROWS, Card, Column, Feeling, JourneyMap, Told
from insight.map_svg import svg_of
from journey.definition import Definition
from journey.feeling_words import level, valence
from journey.landscape import Landscape
from journey.program import Program
from journey.publication import read_definition
from tests.unit.insight.mapped import described, program
from tests.unit.journey.any_journey import journeys

EXAMPLES = sorted(Path("examples").glob("*/journey.yaml"))
HOSTILE = (
    '</text><script>alert(1)</script> & "quoted" | pipes\n# new *line* `code` \\ \x00 😀 '
    + "W" * 300
)
SVG = "{http://www.w3.org/2000/svg}"


def example(path: Path) -> JourneyMap:
    return journey_map(
        read_definition(path.read_text(), str(path)).program,
        Landscapes().around(path) or Landscape(),
    )


def hostile() -> JourneyMap:
    card = Card(
        kind="touchpoint", title=HOSTILE, chips=(HOSTILE, "a"), why=HOSTILE, notes=(HOSTILE,)
    )
    column = Column(kind="stage", title=HOSTILE, feeling=Feeling(HOSTILE, HOSTILE))
    for row in ROWS:
        column.add(row, card)
    told = (Told(HOSTILE, (HOSTILE, HOSTILE)),)
    return JourneyMap(
        journey=HOSTILE,
        title=HOSTILE,
        description=HOSTILE,
        owners=HOSTILE,
        personas=told,
        goals=told,
        columns=(column, column),
    )


def said(svg: str) -> str:
    """All that the picture says, lines put together."""
    found = ElementTree.fromstring(svg).iter(f"{SVG}text")
    return " ".join("".join(text.itertext()) for text in found)


def test_the_picture_is_whole_in_itself() -> None:
    svg = svg_of(journey_map(program(), described()))
    root = ElementTree.fromstring(svg)

    assert root.find(f"{SVG}title") is not None
    assert root.find(f"{SVG}desc") is not None
    assert "prefers-color-scheme:dark" in svg
    assert not re.search(r"<script|<image|<foreignObject|href|url\(|@import", svg)


@pytest.mark.parametrize(
    "words",
    [
        "Help who hesitates",
        "The planner",
        "hopeful",
        "cart_value >= 20.0",
        "Care desk",
        "Fewer are lost",
    ],
)
def test_the_picture_and_the_table_say_the_same(words: str) -> None:
    drawn = journey_map(program(), described())

    assert words in said(svg_of(drawn))
    assert words in markdown_of(drawn).replace("\\", "")


def test_whatever_an_author_wrote_is_text_in_the_picture() -> None:
    svg = svg_of(hostile())

    assert "<script>alert(1)</script>" in said(svg).replace("< ", "<")
    assert "\x00" not in svg
    assert list(ElementTree.fromstring(svg).iter(f"{SVG}script")) == []


def test_whatever_an_author_wrote_stays_in_its_cell_of_the_table() -> None:
    lines = markdown_of(hostile()).splitlines()

    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + len(ROWS) + 1
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 4 for row in rows)
    assert "<script>" not in "\n".join(lines)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_no_card_covers_another_and_all_are_on_the_page(path: Path) -> None:
    page = laid_out(example(path))
    boxes = [(card.x, card.y, card.x + LANE, card.y + card.height) for card in page.cards]

    for one, other in combinations(boxes, 2):
        assert not (
            one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
        )
    assert all(box[2] <= page.width - EDGE and box[3] <= page.height - EDGE for box in boxes)
    bands = [(band.y, band.y + band.height) for band in page.bands]
    assert all(any(top <= box[1] and box[3] <= end for top, end in bands) for box in boxes)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_no_word_on_the_curve_covers_another(path: Path) -> None:
    drawn = example(path)
    boxes: list[tuple[float, float, float, float]] = []
    for dot in dots(drawn.columns, laid_out(drawn).spans, 0):
        half = width_of(dot.feeling.word, WORD if dot.on_curve else SMALL) / 2
        boxes.append((dot.word_x - half, dot.word_y - 9, dot.word_x + half, dot.word_y + 2))

    assert boxes
    for one, other in combinations(boxes, 2):
        assert not (
            one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
        )


def test_who_feels_better_stands_higher_and_an_unknown_word_in_the_middle() -> None:
    words = ("angry", "unsure", "discombobulated", "hopeful", "delighted")
    columns = tuple(Column(kind="stage", title=word, feeling=Feeling(word, word)) for word in words)

    placed = dots(columns, [(i * 200.0, 180.0) for i in range(5)], 0)

    assert [dot.y for dot in placed] == sorted((dot.y for dot in placed), reverse=True)
    assert placed[2].y == FEELING_HEIGHT / 2
    assert [dot.known for dot in placed] == [True, True, False, True, True]


def test_feelings_are_words_that_people_use() -> None:
    assert valence("Relieved ") == valence("relieved") == 0.75
    assert valence("at home") == valence("at-home") == 0.5
    assert valence("discombobulated") is None
    assert [level(word) for word in ("delighted", "unsure", "unaware", "discombobulated")] == [
        "very high",
        "rather low",
        "in the middle",
        "somewhere in the middle",
    ]


def test_a_journey_without_any_feeling_has_a_map_without_a_curve() -> None:
    bare = Column(kind="stage", title="One")
    bare.add("customer", Card(kind="touchpoint", title="Came"))
    drawn = JourneyMap(
        journey="j", title="J", description="", owners="", personas=(), goals=(), columns=(bare,)
    )

    assert 'class="curve"' not in svg_of(drawn)
    assert "| **How the customer feels** |  |" in markdown_of(drawn)


@settings(max_examples=10)
@given(journeys())
def test_any_journey_has_a_map(journey: dict[str, Any]) -> None:
    drawn = journey_map(Program(Definition.model_validate(journey), "v"), described())

    assert ElementTree.fromstring(svg_of(drawn)).tag == f"{SVG}svg"
    assert markdown_of(drawn).startswith("# Any\n")
