"""What is described around a journey is read with its places, and the journey is held to it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from journey.document import InvalidDocumentError, Problem
from journey.landscape import Kind, Landscape
from journey.landscape_files import KINDS, landscape_schema, read_landscape
from journey.publication import read_definition
from tests.unit.journey.any_journey import journeys
from tests.unit.journey.json_shape import shape_faults

TOUCHPOINTS = """
touchpoints:
  - touchpoint: Product Added
    interface: [web, app]
    intent: wants to see what it would cost
    feeling: hopeful
    properties:
      cart_value: {type: number, about: what all of it costs}
      sku: text
      gift: boolean
      seen: {type: time, personal: true}
    may_use: the cart, to remind them
    owner: growth
  - touchpoint: Order Completed
    interface: [web]
    intent: wants it
    properties: {order: text}
  - touchpoint: Parcel Scanned
    subject: parcel
    interface: [carrier]
    properties: {}
  - {touchpoint: Wrote, interface: [chat], intent: wants to be heard}
"""
JOURNEY = """
language: 1
journey: cart
title: A cart
owner: growth
enter: {on: Product Added}
stages:
  - stage: one
    steps:
      - wait:
          any: [{on: Order Completed, do: [{finish: bought}]}]
          until: 1d
      - finish: gone
"""


def landscape(*files: tuple[Kind, str]) -> Landscape:
    whole = Landscape()
    for kind, text in files:
        whole = whole.over(read_landscape(kind, text, f"{kind}.yaml"))
    return whole


TOLD = landscape(("touchpoints", TOUCHPOINTS))


def faults(text: str, around: Landscape | None = None) -> list[str]:
    try:
        read_definition(text, "j.yaml", landscape=around or TOLD)
    except InvalidDocumentError as error:
        return [str(problem) for problem in error.problems]
    return []


def refused(kind: Kind, text: str) -> list[Problem]:
    with pytest.raises(InvalidDocumentError) as caught:
        read_landscape(kind, text, "it.yaml")
    return caught.value.problems


def test_a_touchpoint_is_described_on_three_levels() -> None:
    added = landscape(("touchpoints", TOUCHPOINTS)).touchpoints["Product Added"]

    assert (added.interface, added.intent, added.feeling) == (
        ["web", "app"],
        "wants to see what it would cost",
        "hopeful",
    )
    assert added.properties is not None
    assert {name: each.type for name, each in added.properties.items()} == {
        "cart_value": "number",
        "sku": "text",
        "gift": "boolean",
        "seen": "time",
    }
    assert added.properties["seen"].personal


WRONG: list[tuple[Kind, str, str, str]] = [
    ("touchpoints", "", "1:1", "the file is empty"),
    ("touchpoints", "- a", "1:1", "touchpoints are a list under touchpoints:"),
    ("touchpoints", "touchpoints: []", "1:1", "at least 1 item"),
    ("touchpoints", "touchpoints:\n  - Product Added", "2:5", "expected names and values"),
    ("touchpoints", "touchpoints:\n  - {touchpoint: A, intent: b}", "2:5", "interface is missing"),
    (
        "touchpoints",
        "touchpoints:\n  - {touchpoint: A, interface: web, intent: b}",
        "2:21",
        "expected a list",
    ),
    (
        "touchpoints",
        "touchpoints:\n  - {touchpoint: A, interface: [web]}",
        "2:5",
        "A does not say why the customer does it",
    ),
    (
        "touchpoints",
        "touchpoints:\n  - {touchpoint: A, interface: [web], intent: b, mood: sad}",
        "2:50",
        "'mood' is not a word",
    ),
    (
        "touchpoints",
        "touchpoints:\n  - touchpoint: A\n    interface: [web]\n    intent: b\n    properties: {x: money}",
        "5:18",
        "Input should be 'text', 'number'",
    ),
    (
        "touchpoints",
        "touchpoints:\n  - &a {touchpoint: A, interface: [w], intent: b}\n  - *a",
        "2:5",
        "anchors",
    ),
    (
        "touchpoints",
        "touchpoints:\n  - {touchpoint: A, interface: [w], intent: b}\n  - {touchpoint: A, interface: [w], intent: c}",
        "3:6",
        "touchpoint 'A' is described twice",
    ),
    ("personas", "personas:\n  - {persona: Anna Nova, title: Anna}", "2:6", "pattern"),
    ("personas", "personas:\n  - {persona: anna}", "2:5", "title is missing"),
    ("goals", "goals:\n  - {goal: more, title: More}", "2:5", "owner is missing"),
    ("goals", "touchpoints:\n  - {goal: more, title: More, owner: x}", "1:1", "goals is missing"),
]


@pytest.mark.parametrize(("kind", "text", "place", "words"), WRONG, ids=[each[3] for each in WRONG])
def test_a_wrong_description_is_refused_at_its_place_with_a_remedy(
    kind: Kind, text: str, place: str, words: str
) -> None:
    first, *_ = problems = refused(kind, text)

    assert f"{first.line}:{first.column}" == place
    assert words in first.message
    assert all(problem.remedy for problem in problems)


def test_the_nearer_file_is_believed() -> None:
    near: tuple[Kind, str] = ("goals", "goals: [{goal: more, title: Near, owner: a}]")
    far: tuple[Kind, str] = (
        "goals",
        "goals: [{goal: more, title: Far, owner: b}, {goal: less, title: Less, owner: b}]",
    )

    both = landscape(near, far)

    assert {name: goal.title for name, goal in both.goals.items()} == {
        "more": "Near",
        "less": "Less",
    }


def test_a_described_journey_is_not_complained_about() -> None:
    assert faults(JOURNEY) == []


def test_a_touchpoint_that_nobody_described_is_told_once_where_it_is_named_first() -> None:
    twice = JOURNEY.replace("Order Completed", "Order Complete").replace(
        "enter:", "exit: [{on: Order Complete, outcome: out}]\nenter:"
    )

    [told] = faults(twice)

    assert told.startswith("j.yaml:6:9: exit[0].on: touchpoint 'Order Complete' is not described")
    assert told.endswith("did you mean Order Completed? if not, describe it in touchpoints.yaml")


def test_where_no_touchpoint_is_described_at_all_nothing_is_said_of_any() -> None:
    assert faults(JOURNEY.replace("Order Completed", "Anything"), Landscape()) == []


def test_events_of_our_own_need_no_description() -> None:
    assert faults(JOURNEY.replace("Order Completed", "Case Decided")) == []
    assert faults(JOURNEY.replace("Order Completed", "$identify")) == []


OPENED = "on: Message Opened, when: 'event.properties.message == \"reminder\"'"


def test_what_becomes_of_messages_is_described_by_us() -> None:
    opened = JOURNEY.replace("on: Order Completed", OPENED)
    assert faults(opened) == []

    [told] = faults(opened.replace("properties.message", "properties.mesage"))
    assert "Message Opened has no property 'mesage'" in told
    assert "did you mean message?" in told

    [told] = faults(opened.replace("properties.message", "properties.colour"))
    assert told.endswith("it has delivery, message, channel, journey, run, machine")


def test_what_an_audience_counts_is_described_too() -> None:
    audience = "{audience: counts.orders > 3, counts: {orders: {on: Order Paid, within: 90d}}}"

    [told] = faults(JOURNEY.replace("{on: Product Added}", audience))

    assert "enter.counts.orders.on: touchpoint 'Order Paid' is not described" in told


@pytest.mark.parametrize(
    "part",
    [
        "enter: {on: Product Added, when: event.properties.cart_vaule > 3.0}",
        "enter: {on: Product Added, key: event.properties.cart_vaule}",
        "keep: {v: event.properties.cart_vaule}",
        "exit: [{on: Product Added, when: event.properties.cart_vaule > 3.0, outcome: x}]",
        "whenever: [{on: Product Added, do: [{set: {run.v: event.properties.cart_vaule}}]}]",
        "whenever: [{on: Wrote, do: [{wait: {any: [{on: Product Added, when: event.properties.cart_vaule > 3.0}], "
        "until: 1d}}]}]",
        "whenever: [{on: Wrote, do: [{wait: {any: [{on: Product Added, do: [{choose: [{when: "
        "event.properties.cart_vaule > 3.0, do: [{send: {message: a, purpose: service}}]}]}]}], until: 1d}}]}]",
    ],
)
def test_a_property_that_no_touchpoint_has_is_found_wherever_it_is_read(part: str) -> None:
    name = part.partition(":")[0]
    text = JOURNEY if name != "enter" else JOURNEY.replace("enter: {on: Product Added}\n", "")

    [told] = faults(text.replace("title: A cart", f"title: A cart\n{part}"))

    assert "Product Added has no property 'cart_vaule' by its description" in told
    assert "did you mean cart_value?" in told


UNSURE = [
    "enter: {on: Wrote, when: event.properties.anything == 1}",
    "whenever: [{on: Product Added, do: [{wait: {any: [{on: Wrote}], until: 1d}}, "
    "{set: {run.v: event.properties.x}}]}]",
    "whenever: [{on: Product Added, do: [{handoff: {queue: q, brief: b, decisions: {yes: {do: "
    "[{set: {run.v: event.properties.x}}]}}}}]}]",
    "whenever: [{on: Product Added, do: [{repeat: {at_most: 2, do: [{set: {run.v: event.properties.x}}, "
    "{wait: {any: [{on: Wrote}], until: 1d}}]}}]}]",
]


@pytest.mark.parametrize("part", UNSURE)
def test_where_the_way_decides_what_the_event_is_nothing_is_said(part: str) -> None:
    text = JOURNEY if part[:5] != "enter" else JOURNEY.replace("enter: {on: Product Added}\n", "")

    assert faults(text.replace("title: A cart", f"title: A cart\n{part}")) == []


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("event.properties.sku == 7", "'sku' of Product Added is described as text"),
        ("7 == event.properties.sku", "put the number in quotes"),
        ('event.properties.cart_value > "7"', "leave out the quotes"),
        ('event.properties.sku == "a" || event.properties.sku in [1, 2]', "compared with a number"),
        ("event.properties.gift == 1", "compare it with what it holds"),
        ("event.properties.seen < 20", "described as time, and compared with a number"),
    ],
)
def test_what_can_never_be_equal_is_not_compared(condition: str, words: str) -> None:
    enter = f"enter: {{on: Product Added, when: '{condition}'}}"

    [told] = faults(JOURNEY.replace("enter: {on: Product Added}", enter))

    assert told.startswith("j.yaml:6:28: enter.when: ")
    assert words in told


@pytest.mark.parametrize(
    "condition",
    [
        "event.properties.cart_value > 7",
        "event.properties.cart_value in [7, 8.5]",
        'event.properties.sku in ["a", "b"]',
        "event.properties.sku == null",
        "int(event.properties.sku) == 7",
        'timestamp(event.properties.seen) < timestamp("2026-11-22T09:00:00Z")',
        "event.properties.gift == true",
        "has(event.properties.sku)",
        "event.properties.sku == customer.sku",
    ],
)
def test_what_may_be_equal_is_left_alone(condition: str) -> None:
    enter = f"enter: {{on: Product Added, when: '{condition}'}}"

    assert faults(JOURNEY.replace("enter: {on: Product Added}", enter)) == []


def test_a_touchpoint_that_never_fits_the_match_of_the_journey_is_told() -> None:
    matched = JOURNEY.replace("enter:", "match: event.properties.order_id == run.key\nenter:")

    [told] = faults(matched)

    assert "Order Completed never fits the match of this journey: it has no 'order_id'" in told
    assert faults(matched.replace("order_id", "order")) == []
    assert faults(matched.replace("Order Completed", "Parcel Scanned")) == []
    assert faults(matched.replace("on: Order Completed", "on: Order Completed, match: false")) == []


def test_personas_and_goals_are_described_somewhere() -> None:
    named = JOURNEY.replace("owner: growth", "owner: growth\npersonas: [ana]\ngoals: [more]")
    described = landscape(
        ("personas", "personas: [{persona: anna, title: Anna}]"),
        ("goals", "goals: [{goal: more, title: More, owner: growth}]"),
    )

    [told] = faults(named, described)

    assert told.startswith("j.yaml:6:12: personas[0]: persona 'ana' is not described")
    assert "did you mean anna?" in told
    assert len(faults(named, Landscape())) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_editors_are_told_the_shape_of_each_file(kind: Kind) -> None:
    written: dict[Kind, Any] = {
        "touchpoints": {
            "touchpoint": "A",
            "interface": ["web"],
            "intent": "b",
            "properties": {"x": "text", "y": {"type": "list"}},
        },
        "personas": {"persona": "anna", "title": "Anna"},
        "goals": {"goal": "more", "title": "More", "owner": "growth"},
    }
    schema = landscape_schema(kind)

    assert shape_faults(schema, {kind: [written[kind]]}) == []
    assert shape_faults(schema, {kind: [{**written[kind], "mood": "sad"}]}) != []


@settings(max_examples=10)
@given(journeys())
def test_whatever_a_journey_is_descriptions_only_add_what_is_not_described(
    journey: dict[str, Any],
) -> None:
    text = json.dumps(journey)

    added = set(faults(text)) - set(faults(text, Landscape()))

    assert all("is not described" in told for told in added)
