"""The customer-journey map says what the file says, part by part of the way."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.landscape_files import Landscapes
from insight.journey_map import journey_map
from insight.map_parts import Card, Column, Feeling, JourneyMap, Row
from journey.landscape import Landscape
from journey.publication import read_definition
from journey.touchpoint import is_ours
from tests.unit.insight.mapped import JOURNEY, described, program

EXAMPLES = sorted(Path("examples").glob("*/journey.yaml"))


@pytest.fixture
def drawn() -> JourneyMap:
    return journey_map(program(), described())


def column(drawn: JourneyMap, title: str) -> Column:
    [found] = [each for each in drawn.columns if each.title == title]
    return found


def titles(drawn: JourneyMap, title: str, row: Row) -> list[str]:
    return [card.title for card in column(drawn, title).cells.get(row, [])]


def card(drawn: JourneyMap, title: str, row: Row, name: str) -> Card:
    [found] = [each for each in column(drawn, title).cells[row] if each.title == name]
    return found


def test_the_way_goes_from_the_beginning_through_the_stages_to_the_end(drawn: JourneyMap) -> None:
    assert [(each.kind, each.title) for each in drawn.columns] == [
        ("begin", "It begins"),
        ("stage", "Hesitating"),
        ("stage", "At the till"),
        ("anytime", "At any time"),
        ("end", "It ends"),
    ]
    assert drawn.owners == "owned by growth, shared with sales"


def test_the_beginning_says_who_comes_in_and_what_is_known_of_them(drawn: JourneyMap) -> None:
    entering = card(drawn, "It begins", "customer", "Product Added")

    assert entering.chips == ("web", "app")
    assert entering.why == "wants to see what it would cost"
    assert entering.notes == ("when cart_value >= 20.0", "again after 7d", "5% are held out")
    assert card(drawn, "It begins", "data", "Product Added").notes == (
        "used: cart, cart_value",
        "personal: phone",
        "may use: the value, to help",
    )
    assert card(drawn, "It begins", "data", "Kept for the journey").notes == (
        "cart value, parcels",
    )


@pytest.mark.parametrize(
    ("enter", "title", "note"),
    [
        ("{audience: customer.tier > 3}", "Comes to be of an audience", "customer.tier > 3"),
        ("{date: customer.renews_on, offset: -30d}", "On a date", "customer.renews_on, -30d"),
        ("{schedule: FREQ=MONTHLY}", "By schedule", "FREQ=MONTHLY"),
        ("{by: request, cap: {per_day: 9}}", "By request", "at most 9 a day"),
    ],
)
def test_every_way_in_is_on_the_map(enter: str, title: str, note: str) -> None:
    text = "\n".join(
        f"enter: {enter}" if line.startswith("enter:") else line
        for line in JOURNEY.splitlines()
        if not line.startswith("keep:")
    ).replace("listen: {parcel: 'run.parcels'}", "keep: {cart_value: '1.0'}")

    entering = card(journey_map(program(text), described()), "It begins", "customer", title)

    assert note in entering.notes


def test_a_stage_says_what_is_done_said_promised_and_learned(drawn: JourneyMap) -> None:
    assert titles(drawn, "Hesitating", "customer") == [
        "Parcel Delivered",
        "Checkout Started",
        "Undescribed Thing",
    ]
    assert titles(drawn, "Hesitating", "front") == [
        "“It comes on Friday”",
        "“We listen”",
        "Says: Free delivery by [due]",
        "Cart reminder",
    ]
    assert card(drawn, "Hesitating", "front", "“We listen”").notes == (
        "kept when cart_value > 1.0",
        "by 2d",
    )
    reminder = card(drawn, "Hesitating", "front", "Cart reminder")
    assert (reminder.chips, reminder.notes) == (
        ("push", "email"),
        ("marketing, with consent", "good for 12h"),
    )
    assert card(drawn, "Hesitating", "data", "Learned on the way").notes == (
        "cart value, tier, on the profile",
    )
    assert titles(drawn, "Hesitating", "measures") == ["May end: gave up"]


def test_what_happens_to_a_thing_and_what_nobody_described_are_told_apart(
    drawn: JourneyMap,
) -> None:
    assert card(drawn, "Hesitating", "customer", "Parcel Delivered").notes == (
        "happens to the parcel",
    )
    assert card(drawn, "Hesitating", "customer", "Undescribed Thing").notes == ("not described",)


def test_a_stage_without_a_feeling_has_that_of_what_leads_into_it(drawn: JourneyMap) -> None:
    assert column(drawn, "It begins").feeling == Feeling("hopeful", "Product Added")
    assert column(drawn, "Hesitating").feeling == Feeling("unsure", "Hesitating")
    assert column(drawn, "At the till").feeling == Feeling("discombobulated", "Checkout Started")
    assert column(drawn, "At any time").feelings == [Feeling("angry", "Complained")]
    assert column(drawn, "It ends").feelings == [Feeling("relieved", "Order Completed")]


def test_staff_are_on_the_map_with_their_deadlines_and_decisions(drawn: JourneyMap) -> None:
    desk = card(drawn, "At any time", "staff", "Care desk")

    assert desk.notes == (
        "first answer within 1h, else leads",
        "decided within 2d",
        "may decide: They are calm; lost",
    )
    assert titles(drawn, "At any time", "customer") == ["Complained", "Comes true"]
    assert "used: words" in card(drawn, "At any time", "data", "Complained").notes


def test_the_end_says_the_goal_and_how_one_would_know(drawn: JourneyMap) -> None:
    assert card(drawn, "It ends", "measures", "Bought").notes == (
        "the goal of the journey",
        "within 3d",
        "carts that become an order",
        "worth revenue",
    )
    assert card(drawn, "It ends", "measures", "Other ends").notes == ("gave up, helped, lost",)
    assert "ends it: bought" in card(drawn, "It ends", "customer", "Order Completed").notes
    assert titles(drawn, "It ends", "staff") == ["stock.example.com"]


def test_personas_and_shared_goals_stand_beside_the_way(drawn: JourneyMap) -> None:
    assert [(each.title, each.lines) for each in drawn.personas] == [
        ("The planner", ("Plans.", "Needs time; peace."))
    ]
    assert [(each.title, each.lines) for each in drawn.goals] == [
        ("Fewer are lost", ("fewer of them", "growth, with sales"))
    ]


def test_without_any_description_there_is_a_map_that_says_what_is_missing() -> None:
    drawn = journey_map(program(), Landscape())

    assert "not described" in card(drawn, "It begins", "customer", "Product Added").notes
    assert drawn.personas[0].lines == ("not described",)
    assert drawn.goals[0].lines == ("not described",)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_every_touchpoint_message_and_queue_of_an_example_is_on_its_map(path: Path) -> None:
    whole = read_definition(path.read_text(), str(path)).program
    landscape = Landscapes().around(path)
    assert landscape is not None

    shown = set(_titles(journey_map(whole, landscape)))

    named = {name for name in (*whole.waited_for, whole.entry_event) if not is_ours(name)}
    assert named <= shown
    for node in whole.nodes.values():
        name = {"send": "message", "handoff": "queue"}.get(node.step.kind)
        if name is not None:
            assert getattr(node.step, name).replace("-", " ").capitalize() in shown


def _titles(drawn: JourneyMap) -> Iterator[str]:
    for each in drawn.columns:
        for cards in each.cells.values():
            yield from (card.title for card in cards)
