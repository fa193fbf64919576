"""The picture is whole in itself, can be read by day, by night and aloud, and survives whatever is written in it."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insight.drawn_text import Type, drawable, width_of, wrapped
from insight.graph_svg import svg_of
from insight.journey_graph import journey_graph
from tests.unit.insight.drawn import SVG, drawn, faults, program, texts_in

CART = Path("tests/journeys/abandoned-cart.yaml").read_text()
PLAIN = Type(12, 16)

HOSTILE = [
    '</text><script>alert("x")</script>',
    "&lt; & &amp; ]]> <!-- --> <![CDATA[ x",
    "quote ' and \" and `",
    "漢字かな交じり文 한국어 עברית العربية",
    "👧 עברית 漢字 end",
    "W" * 180,
    "a.very-long/path_without,any(blank)" * 5,
    "line\nbreak\ttab\u2028separator",
]


def test_it_needs_nothing_from_outside_and_runs_nothing() -> None:
    svg = svg_of(journey_graph(program(CART)))

    root = ElementTree.fromstring(svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "style", "rect", "path", "circle", "text", "g",
    }  # fmt: skip
    assert re.findall(r"https?://[^\"]+|url\(|@import|@font-face", svg) == [
        "http://www.w3.org/2000/svg"
    ]


def test_it_has_colours_for_day_and_night_and_a_title_to_be_read_aloud() -> None:
    root = ElementTree.fromstring(svg_of(journey_graph(program(CART))))

    assert "prefers-color-scheme:dark" in str(root.findtext(f"{SVG}style"))
    assert root.findtext(f"{SVG}title") == "Help a customer finish what they began"
    told = str(root.findtext(f"{SVG}desc"))
    assert "hesitating, paying" in told
    assert root.get("aria-labelledby") == "title description"


def test_every_colour_that_is_used_is_there_by_day_and_by_night() -> None:
    style = str(ElementTree.fromstring(svg_of(drawn())).findtext(f"{SVG}style"))
    day, night = re.findall(r"svg\{([^}]*)\}", style)

    for colours in (day, night):
        assert set(re.findall(r"var\((--[\w-]+)\)", style)) <= set(re.findall(r"--[\w-]+", colours))


def test_every_step_tells_all_that_it_says_where_it_is_pointed_at() -> None:
    long = " && ".join(["run.key == null"] * 40)

    svg = svg_of(drawn({"choose": [{"when": "true", "do": []}]}, {"set": {"run.x": long}}))

    titles = [str(title.text) for title in ElementTree.fromstring(svg).iter(f"{SVG}title")]
    assert f"only/1: set run.x, to {long}" in titles
    assert "…" in texts_in(svg)


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_is_written_stays_text_and_within_its_bounds(words: str) -> None:
    event = " ".join(words.split())  # no event has lines of its own
    same = f"event.name == {json.dumps(words, ensure_ascii=False)}"
    graph = drawn(
        {"wait": {"any": [{"on": event, "do": [{"finish": "left"}]}], "until": "1d"}},
        {"choose": [{"when": same, "do": [{"finish": "told"}]}]},
        {"promise": {"as": "p", "text": words, "by": "1d", "kept_by": {"on": event}}},
        title=words,
        owner=words[:100],
        enter={"on": event},
        exit=[{"on": event, "outcome": "left"}],
        whenever=[{"on": event, "do": [{"go": "only"}]}],
    )

    assert faults(graph) == []
    svg = svg_of(graph)
    assert ElementTree.fromstring(svg).findtext(f"{SVG}title") == drawable(words)
    assert "script" not in {e.tag.removeprefix(SVG) for e in ElementTree.fromstring(svg).iter()}


@given(st.text(max_size=300), st.integers(20, 300), st.integers(1, 6))
def test_text_breaks_into_lines_that_fit_and_nothing_is_lost_without_a_sign(
    text: str, width: int, at_most: int
) -> None:
    lines = wrapped(text, width, PLAIN, at_most)

    assert len(lines) <= at_most
    assert all(width_of(line, PLAIN) <= width or len(line) == 1 for line in lines)
    if not (lines and lines[-1].endswith("…")):
        assert "".join("".join(lines).split()) == "".join(text.split())
