"""A journey as Mermaid: every step and way of it, in the part of the grammar that can hold any words."""

import re
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insight.graph_mermaid import in_label, mermaid_of
from insight.graph_parts import JourneyGraph
from insight.journey_graph import journey_graph
from journey.program import Program
from tests.unit.insight.drawn import SHOWN, drawn, program
from tests.unit.journey.test_whatever_happens import PROGRAMS

LABEL = r"\"(?:[^\x00-\x7f]|[A-Za-z0-9 ,():'-]|#\d+;|<br/>)+\""
SHAPE = rf"(?:\[{LABEL}\]|\(\[{LABEL}\]\)|\{{\{{{LABEL}\}}\}}|>{LABEL}\])"
NODE = re.compile(rf" {{8}}(n\d+){SHAPE}")
EDGE = re.compile(rf" {{4}}(n\d+) (?:-->|-\.->)(?:\|{LABEL}\|)? (n\d+)")
SUBGRAPH = re.compile(rf" {{4}}subgraph g\d+\[{LABEL}\]")
OTHER = re.compile(
    r"flowchart TD| {4}accTitle: [^;#\n]+| {4}end| {4}classDef goal [\w:#,]+| {4}class n\d+(?:,n\d+)* goal"
)


def assert_reads(graph: JourneyGraph) -> None:
    """Every line is of the grammar, and nodes and edges are those of the graph."""
    lines = mermaid_of(graph).splitlines()
    for line in lines:
        assert any(each.fullmatch(line) for each in (NODE, EDGE, SUBGRAPH, OTHER)), line
    nodes = [found[1] for line in lines if (found := NODE.fullmatch(line))]
    edges = [(found[1], found[2]) for line in lines if (found := EDGE.fullmatch(line))]
    assert len(set(nodes)) == len(nodes) == len(graph.nodes)
    assert len(edges) == len(graph.edges)
    assert {end for edge in edges for end in edge} <= set(nodes)


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.parent.name)
def test_what_we_show_is_written_whole(path: Path) -> None:
    assert_reads(journey_graph(program(path.read_text())))


@settings(max_examples=20)
@given(PROGRAMS)
def test_whatever_an_author_writes_is_written_whole(of: Program) -> None:
    assert_reads(journey_graph(of))


@given(st.text(max_size=150))
def test_any_words_can_stand_in_a_label_and_come_back_as_they_were(words: str) -> None:
    label = in_label(words)

    assert re.fullmatch(LABEL, f'"{label}"')
    back = unescape(re.sub(r"#(\d+);", r"&#\1;", label))
    assert back.isspace() or back == " ".join(
        "".join("\ufffd" if not _is_kept(letter) else letter for letter in words).split()
    )


def _is_kept(letter: str) -> bool:
    from insight.drawn_text import drawable

    return drawable(letter) in (letter, " ")


@pytest.mark.parametrize(
    ("words", "label"),
    [
        ("Checkout Started", "Checkout Started"),
        ('say "hi"', "say #34;hi#34;"),
        ("a < b && c", "a #60; b #38;#38; c"),
        ("[x](y)|z", "#91;x#93;(y)#124;z"),
        ("1. first", "#49;#46; first"),
        ("- first", "#45; first"),
        ("%%{init}%%", "#37;#37;#123;init#125;#37;#37;"),
        ("style n0 fill:#f00", "style n0 fill#58;#35;f00"),
        ("line\nbreak", "line break"),
        ("Objednávka č. 5 – 漢字", "Objednávka č#46; 5 – 漢字"),
    ],
)
def test_what_mermaid_would_read_is_written_by_number(words: str, label: str) -> None:
    assert in_label(words) == label


def test_the_goal_has_a_colour_and_long_words_are_cut() -> None:
    told = mermaid_of(drawn(goal={"outcome": "done"}, enter={"on": "x" * 200}, title="T; #1 {x}"))

    assert re.search(r"n1\(\[\"finish: done<br/>the goal\"\]\)", told)
    assert "class n1 goal" in told
    assert "accTitle: T 1 x" in told
