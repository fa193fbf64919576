"""What a run remembers is small, survives being written down anywhere, and is read in its older shapes."""

from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from journey.effects import Deliver, OpenCase
from journey.happenings import Arrived, Entered
from journey.machine import advance
from journey.program import Program
from journey.publication import read_definition
from journey.state import (
    Mail,
    OpenOffer,
    OpenPromise,
    OpenShow,
    Outstanding,
    ReactionState,
    State,
    Thread,
    Waiting,
    copy_state,
    dump_state,
    load_state,
)
from tests.unit.journey.story import NOON, Run, deferred, entered, on, touched

CLONE = Path(__file__).resolve().parents[3]
LIMIT = 2_000


def published(path: str) -> Program:
    return read_definition((CLONE / path).read_text(), path).program


def leg(number: int) -> dict[str, Any]:
    departs = NOON + timedelta(days=1, hours=3 * number)
    return {
        "flight": f"2026-03-03-UA{100 + number}-EWR",
        "number": f"UA {100 + number}",
        "from": "EWR",
        "to": "ORD",
        "departs": departs.isoformat(),
        "arrives": (departs + timedelta(hours=2)).isoformat(),
    }


def test_a_cart_that_waits_is_small() -> None:
    cart = published("tests/journeys/abandoned-cart.yaml")
    anna = entered(cart, cart_value=80.0)
    assert len(dump_state(anna.state)) < LIMIT / 2

    anna.after(hours=1)
    anna.does("Checkout Started")
    anna.after(hours=4)
    assert anna.waits_for[0].startswith("staff in sales")
    assert len(dump_state(anna.state)) < LIMIT


def test_a_flight_with_three_legs_and_three_bags_is_small_wherever_it_waits() -> None:
    flight = published("examples/flight/journey.yaml")
    said: dict[str, Any] = {"legs": [leg(0), leg(1), leg(2)], "onward": [], "parking": True}
    anna = entered(flight, key="PNR7", pnr="PNR7", zone="America/New_York", **said)
    assert len(dump_state(anna.state)) < LIMIT

    anna.does("Checked In", None, pnr="PNR7")
    anna.does("Bag Checked", None, pnr="PNR7", bags=[{"tag": f"UA{number}"} for number in range(3)])
    anna.does("Boarding Pass Scanned", None, pnr="PNR7")

    assert anna.stage == "on-board"
    # The run itself, three legs, a promise for each bag and one for the departure.
    assert len(anna.state.threads) == 8
    assert len(dump_state(anna.state)) < LIMIT + 8 * 300


def test_what_stands_twice_in_a_state_is_written_once_and_read_as_it_was() -> None:
    cart = {"items": [{"sku": f"SKU-{number}", "price": 12.5, "who": None} for number in range(9)]}
    anna = entered(on("wait: 1d", "finish: done", keep="{cart: event.properties.cart}"), cart=cart)

    written = dump_state(anna.state)

    assert written.count(b"SKU-7") == 1
    assert anna.values["cart"] == cart
    assert anna.state.threads[0].event is not None
    assert load_state(orjson.loads(written)) == load_state(written) == anna.state


@pytest.mark.parametrize(
    "mine", [{"$shared": 0}, {"$shared": "x"}, {"shared": [1]}, [{"$shared": 1}] * 9]
)
def test_data_that_looks_like_a_reference_stays_as_it_is(mine: Any) -> None:
    long = "x" * 60
    anna = entered(
        on("wait: 1d", "finish: done", keep="{a: event.properties.a}"), a=[mine, long, {"l": long}]
    )

    assert anna.values["a"] == [mine, long, {"l": long}]


def test_what_is_written_down_is_plain_json_and_reads_back_the_same() -> None:
    anna = entered(on("send: {message: a, purpose: service}", "finish: done"), busy=(Deliver,))
    anna.answers(anna.deliveries[0], deferred(NOON + timedelta(hours=9)))

    written = dump_state(anna.state)

    assert load_state(written) == load_state(orjson.loads(written)) == anna.state
    assert dump_state(load_state(written)) == written


def test_a_copy_may_change_without_touching_the_original() -> None:
    journey = on(
        "wait: {any: [{on: A}], until: 9d}",
        "finish: done",
        keep="{a: '[1]'}",
        whenever="[{on: B, do: [{set: {run.a: '[2]'}}]}]",
    )
    anna = entered(journey, touched("C", "c", NOON))
    before, written = anna.state, dump_state(anna.state)

    anna.does("B").does("A")

    assert dump_state(before) == written


FULL = State(
    customer="anna",
    key="k",
    zone="Europe/Prague",
    entered_at=NOON,
    seen=["one"],
    sends={"first": 1},
    threads=[
        Thread(
            thread=1,
            at="only/0",
            home="main",
            mark=1,
            items={"bag": 1},
            links={"bag": ("only/0", 0)},
            met=[2],
            rounds={"only/0": 1},
            waiting=Waiting("touchpoint", NOON, tally={0: [NOON]}),
        )
    ],
    mailbox=[Mail(2, touched("A", "a", NOON))],
    reactions={0: ReactionState(mark=1)},
    exits_held={0: True},
    promises=[OpenPromise(1, "bag", NOON)],
    outstanding={1: Outstanding(Deliver(n=1, message="hello"), 1)},
    listens={"flight": ["OK1"]},
    offers=[OpenOffer(1, "welcome")],
    shows=[OpenShow(1)],
)
"""Something in every list, so that a copy that shares one is found."""


@pytest.mark.parametrize("state", [State(), FULL])
def test_a_copy_of_what_a_run_remembers_leaves_nothing_out_and_shares_no_list(state: State) -> None:
    copy = copy_state(state)

    assert copy == state
    for kept, copied in ((state, copy), *zip(state.threads, copy.threads, strict=True)):
        for name in (field.name for field in fields(kept)):
            mine, other = getattr(kept, name), getattr(copied, name)
            assert mine is not other or not isinstance(mine, list | dict) or name == "event", name


def test_a_record_says_the_same_however_late_it_is_looked_at() -> None:
    steps = ("wait: {any: [{on: A}], until: 9d}", "send: {message: hello, purpose: service}")
    journey = on(*steps, "finish: done")
    before = advance(journey, State(), Entered(entry=1, customer="anna"), NOON)
    again = advance(journey, State(), Entered(entry=1, customer="anna"), NOON)
    at_once = again.record

    later = advance(journey, before.state, Arrived(touchpoints=(touched("A", "a", NOON),)), NOON)

    assert later.record.waits_for == ("hello to be sent",)
    assert before.record == at_once
    assert before.record.waits_for == ("A until 2026-03-11 12:00 UTC",)


SHAPES: list[tuple[str, dict[str, Any]]] = [
    # A wait, as the first release wrote it: no `met`, no `mark` of a wait.
    (
        "a wait",
        {
            "entry": 7,
            "customer": "anna",
            "entered_at": "2026-03-02T12:00:00Z",
            "counter": 1,
            "sequence": 2,
            "arrivals": 1,
            "stage": "only",
            "visits": {"only": 1},
            "threads": [
                {
                    "thread": 1,
                    "at": "only/0",
                    "home": "main",
                    "mark": 1,
                    "waiting": {
                        "kind": "touchpoint",
                        "began": "2026-03-02T12:00:00Z",
                        "deadline": "2026-03-05T12:00:00Z",
                    },
                }
            ],
        },
    ),
    ("nothing at all", {}),
]


@pytest.mark.parametrize("shape", [shape for _, shape in SHAPES], ids=[name for name, _ in SHAPES])
def test_a_state_of_an_older_release_is_read_and_lived_on(shape: dict[str, Any]) -> None:
    journey = on("wait: {any: [{on: Paid, do: [{finish: paid}]}], until: 3d}", "finish: unpaid")
    run = Run(journey, state=load_state(orjson.dumps(shape)))
    if not shape:
        run.happens(Entered(entry=1, customer="anna"))

    run.does("Paid")

    assert run.outcome == "paid"


def test_a_field_of_a_newer_release_does_not_hinder_an_older_worker() -> None:
    assert load_state({"entry": 3, "a_field_of_the_future": 1}).entry == 3


@pytest.mark.parametrize("raw", ["{", "[]", {"threads": [{"thread": "x"}]}, {"mailbox": 7}])
def test_a_state_that_cannot_be_read_names_the_field(raw: object) -> None:
    with pytest.raises(ValueError):
        load_state(raw)


def test_what_is_outstanding_is_known_after_it_was_carried_on() -> None:
    ask = "handoff: {queue: sales, brief: Help, decisions: {called: {}}}"
    anna = entered(on(ask, "finish: done"), busy=(OpenCase,))

    assert [asked.effect for asked in anna.state.outstanding.values()] == anna.cases


def test_the_same_happenings_give_the_same_run() -> None:
    def story() -> tuple[bytes, list[str]]:
        journey = published("tests/journeys/abandoned-cart.yaml")
        anna = entered(journey, cart_value=80.0)
        anna.after(hours=2)
        anna.does("Checkout Started")
        anna.after(days=1)
        return dump_state(anna.state), anna.why

    assert story() == story()


def test_a_run_that_was_never_entered_waits_for_nothing() -> None:
    run = advance(on("finish: done"), State(), Entered(entry=1, customer="anna"), NOON)

    assert run.state.outcome == "done"
    assert run.record.wakes_at is None
