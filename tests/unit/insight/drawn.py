"""Journeys to draw, and what a picture of one must hold."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from insight.drawn_text import width_of
from insight.graph_blocks import CHIP
from insight.graph_layout import Layout, laid_out
from insight.graph_parts import JourneyGraph
from insight.graph_placing import Point
from insight.journey_graph import journey_graph
from journey.program import Program
from journey.publication import read_definition

CLONE = Path(__file__).resolve().parents[3]
SHOWN = [*sorted(CLONE.glob("examples/*/journey.yaml")), *CLONE.glob("tests/journeys/*.yaml")]
SVG = "{http://www.w3.org/2000/svg}"
Box = tuple[float, float, float, float]


def program(text: str) -> Program:
    return read_definition(text, "journey.yaml").program


def with_steps(*steps: Any, **parts: Any) -> Program:
    """A journey of one stage with these steps, `finish` behind them."""
    data = {
        "language": 1,
        "journey": "drawn",
        "title": "Drawn",
        "owner": "tests",
        "enter": {"on": "Began"},
        "stages": [{"stage": "only", "steps": [*steps, {"finish": "done"}]}],
    }
    return program(json.dumps(data | parts))


def drawn(*steps: Any, **parts: Any) -> JourneyGraph:
    return journey_graph(with_steps(*steps, **parts))


def steps_in(svg: str) -> list[str]:
    """The addresses that a picture shows; it must be XML."""
    root = ElementTree.fromstring(svg)
    return [str(group.get("data-step")) for group in root.iter(f"{SVG}g") if group.get("data-step")]


def texts_in(svg: str) -> str:
    return " ".join(text.text or "" for text in ElementTree.fromstring(svg).iter(f"{SVG}text"))


def boxes(layout: Layout) -> list[Box]:
    """What holds text: left, top, right, bottom."""
    found: list[Box] = []
    for placed in layout.placed.cards:
        card = placed.card
        found.append((placed.x, placed.y, placed.x + card.width, placed.y + card.height))
    for chip in layout.placed.chips:
        half = max(width_of(line, CHIP) for line in chip.lines) / 2 + 8
        bottom = chip.y + len(chip.lines) * CHIP.leading + 6
        found.append((chip.x - half, chip.y, chip.x + half, bottom))
    return found


def faults(graph: JourneyGraph) -> list[str]:
    """What overlaps in the picture, lies outside of it, or is crossed by a line to another stage."""
    layout = laid_out(graph)
    found, all_boxes = list[str](), boxes(layout)
    for index, box in enumerate(all_boxes):
        found += [f"{box} and {other}" for other in all_boxes[:index] if _meet(box, other)]
        if not (box[0] >= 0 and box[1] >= 0 and box[2] <= layout.width and box[3] <= layout.height):
            found.append(f"{box} is outside")
    for line in layout.placed.lines:
        for piece in _pieces(line.points) if line.kind == "go" else ():
            found += [f"a line through {box}" for box in all_boxes if _meet(piece, box)]
    return found


def _pieces(points: list[Point]) -> Iterator[Box]:
    for (x, y), (to_x, to_y) in pairwise(points):
        yield min(x, to_x) - 0.5, min(y, to_y) - 0.5, max(x, to_x) + 0.5, max(y, to_y) + 0.5


def _meet(one: Box, other: Box) -> bool:
    """Whether they share more than an edge."""
    return (
        one[0] < other[2] - 1
        and other[0] < one[2] - 1
        and one[1] < other[3] - 1
        and other[1] < one[3] - 1
    )
