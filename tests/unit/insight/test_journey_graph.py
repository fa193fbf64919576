"""A journey is drawn from the very file that runs: every step is there, in words, and every way leads somewhere."""

from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from pydantic import create_model

from insight.graph_layout import ASIDE
from insight.graph_parts import Edge, JourneyGraph
from insight.graph_svg import svg_of
from insight.journey_graph import journey_graph
from journey.definition import Definition, Stage
from journey.language import Step, WrittenStep
from journey.program import Program
from journey.steps.finish import Finish
from tests.unit.insight.drawn import SHOWN, drawn, faults, program, steps_in
from tests.unit.journey.test_whatever_happens import PROGRAMS

A_SEND = {"send": {"message": "hello", "purpose": "service"}}
CART = program(Path("tests/journeys/abandoned-cart.yaml").read_text())


def assert_whole(graph: JourneyGraph, of: Program) -> None:
    assert set(of.nodes) <= set(graph.nodes)
    assert sorted(address for group in graph.groups for address in group.all_steps) == sorted(
        graph.nodes
    )
    assert {end for edge in graph.edges for end in (edge.source, edge.target)} <= set(graph.nodes)
    assert all(words for node in graph.nodes.values() for words in node.words)


def entered(graph: JourneyGraph) -> set[str]:
    return {edge.target for edge in graph.edges}


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.parent.name)
def test_every_step_of_what_we_show_is_drawn_and_can_be_come_to(path: Path) -> None:
    of = program(path.read_text())
    graph = journey_graph(of)

    assert_whole(graph, of)
    assert set(of.nodes) <= entered(graph)
    assert sorted(steps_in(svg_of(graph))) == sorted(graph.nodes)
    assert faults(graph) == []


@settings(max_examples=30)
@given(PROGRAMS)
def test_whatever_an_author_writes_is_drawn_whole_and_nothing_overlaps(of: Program) -> None:
    graph = journey_graph(of)

    assert_whole(graph, of)
    assert sorted(steps_in(svg_of(graph))) == sorted(graph.nodes)
    assert faults(graph) == []


def test_stages_stand_in_order_with_the_customers_feeling() -> None:
    graph = journey_graph(CART)

    assert [(group.kind, group.title, group.feeling) for group in graph.groups] == [
        ("entry", "Who enters", None),
        ("exits", "At once, wherever they stand", None),
        ("stage", "hesitating", "unsure"),
        ("stage", "paying", None),
    ]


def test_who_enters_and_what_ends_it_at_once_are_told() -> None:
    graph = journey_graph(CART)

    assert graph.nodes["enter"].words == (
        "Product Added",
        "when event.properties.cart_value >= 20.0",
        "again: after 7d",
        "5 % are held out",
    )
    assert Edge(source="enter", target="hesitating/0") in graph.edges
    assert Edge(source="exit/0", target="exit/0/outcome") in graph.edges
    assert graph.nodes["exit/0/outcome"].words == ("finish: recovered", "the goal, within 3d")


def test_reactions_and_what_is_done_at_the_end_stand_apart_from_the_stages() -> None:
    graph = drawn(
        enter={"audience": "customer.vip == true"},
        exit=[{"leaves_audience": True, "outcome": "left"}],
        on_exit=[A_SEND],
        whenever=[{"on": "Asked", "settle": "5m", "mode": "restart", "do": [A_SEND]}],
    )

    apart = {group.name: group.steps for group in graph.groups if group.kind in ASIDE}
    assert apart == {
        "whenever/0": ("whenever/0", "whenever/0/0"),
        "on_exit": ("on_exit", "on_exit/0"),
    }
    assert Edge(source="on_exit", target="on_exit/0") in graph.edges
    assert graph.nodes["whenever/0"].words == (
        "whenever Asked",
        "once it is quiet for 5m",
        "anew when it comes again meanwhile",
    )
    assert graph.nodes["exit/0"].words == ("leaving the audience",)
    assert faults(graph) == []


def test_only_the_goal_is_marked_as_one() -> None:
    graph = journey_graph(CART)

    ends = {node.words[0]: node.goal for node in graph.nodes.values() if node.kind == "finish"}
    assert ends == {
        "finish: recovered": True,
        "finish: lost-interest": False,
        "finish: not-recovered": False,
        "finish: helped": False,
    }


def test_a_go_leads_to_the_first_step_of_its_stage() -> None:
    jumps = {edge.source: edge.target for edge in journey_graph(CART).edges if edge.jump}

    assert jumps == {"hesitating/0/any/0/0": "paying/0", "hesitating/1/any/0/0": "paying/0"}


def test_rounds_lead_back_and_threads_of_their_own_lead_nowhere() -> None:
    graph = drawn(
        {"repeat": {"at_most": 2, "do": [A_SEND]}},
        {"for_each": {"of": "[1]", "as": "x", "at_most": 2, "do": [A_SEND]}},
    )

    leads = {edge.source: edge.target for edge in graph.edges if edge.source.endswith("do/0")}
    assert leads == {"only/0/do/0": "only/0"}


class Offer(Step):
    """A kind of step that nobody has drawn before."""

    kind: ClassVar[str] = "make_offer"
    shorthand: ClassVar[str | None] = "coupon"
    coupon: str
    at_most: int = 1
    once: bool = False
    late: list[Any] = []

    def blocks(self) -> Any:
        yield "late", ("late",), self.late


def test_a_new_kind_of_step_is_drawn_with_its_blocks_by_what_it_says_of_itself() -> None:
    def written(step: Step) -> WrittenStep:
        made = create_model("Written", __base__=WrittenStep, **{step.kind: (type(step), ...)})  # pyright: ignore[reportCallIssue, reportArgumentType]
        return made.model_construct(**{step.kind: step})

    offer = Offer(coupon="helped", at_most=3, once=True, late=[written(Finish(outcome="left"))])
    steps = [written(offer), written(Finish(outcome="done"))]
    stage = Stage.model_construct(stage="only", title=None, feeling=None, steps=steps)
    whole = Definition.model_validate_json(
        '{"language": 1, "journey": "new", "title": "New", "owner": "tests", "enter": {"on": "Began"},'
        ' "stages": [{"stage": "only", "steps": [{"finish": "done"}]}]}'
    )
    of = Program(whole.model_copy(update={"stages": [stage]}), "0" * 64)

    graph = journey_graph(of)

    assert_whole(graph, of)
    assert graph.nodes["only/0"].words == ("make offer: helped", "at most: 3", "once: true")
    assert [way.words for way in graph.nodes["only/0"].ways] == ["late", ""]
    assert sorted(steps_in(svg_of(graph))) == sorted(graph.nodes)


def test_a_long_journey_has_as_many_nodes_as_it_has_steps() -> None:
    waits = [{"wait": {"any": [{"on": f"E{n}"}], "until": "1d"}} for n in range(199)]

    graph = drawn(*waits)

    assert len(graph.nodes) == 200 + len(["enter"])
    assert len(graph.edges) == 199 + len(["enter"])
    assert len(steps_in(svg_of(graph))) == len(graph.nodes)
