"""Who may enter a journey: decided once, under any haste, and never forgotten."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.journey_run import Admitted, MoveRun, NotAdmitted
from journey.machine import ENGINE
from tests.integration.stores.conftest import CART, FLIGHT, NOW, Shop, added, touched


async def test_an_admitted_run_learns_who_its_customer_is(shop: Shop) -> None:
    version = await shop.publish(
        CART.replace("value >= 20.0'", 'value >= 20.0 && customer.tier == "gold"\'')
    )
    anna = await shop.known(tier="gold", shoe_size=38, zone="Europe/Prague")

    given = await shop.enters(shop.order("cart", anna, touched("Page Viewed", "m-0"), added()))

    assert given == Admitted(
        entry=given.entry,
        version=version,
        engine=ENGINE,
        customer=anna,
        entering=1,
        zone="Europe/Prague",
        held_out=False,
        traits={"tier": "gold"},
    )
    assert [run.workflow_id for run in await shop.runs.open_runs_of(anna)] == [
        f"journey/cart/{anna}"
    ]


async def test_admission_asked_twice_gives_one_entry_and_one_answer(shop: Shop) -> None:
    await shop.publish(CART)
    order = shop.order("cart", await shop.known(), added())

    assert await shop.ask(order) == await shop.ask(order)

    await shop.publish(CART.replace("2d", "3d"))
    assert await shop.ask(order) == await shop.ask(order)
    assert len(await shop.runs.runs()) == 1


async def test_one_run_asking_at_the_same_instant_is_admitted_once(shop: Shop) -> None:
    await shop.publish(CART)
    order = shop.order("cart", "new-to-us", added())

    answers = await asyncio.gather(*(shop.ask(order) for _ in range(6)))

    assert {type(answer) for answer in answers} == {Admitted}
    assert all(answer == answers[0] for answer in answers)


async def test_two_runs_at_the_same_instant_admit_one(shop: Shop) -> None:
    await shop.publish(CART)
    await shop.known("anna")
    orders = [
        shop.order("cart", "anna", added(f"m-{n}"), workflow_id=f"journey/cart/{n}")
        for n in range(6)
    ]

    answers = await asyncio.gather(*(shop.ask(order) for order in orders))

    refused = [answer for answer in answers if isinstance(answer, NotAdmitted)]
    assert [answer.reason for answer in refused] == ["already_running"] * 5


async def test_what_came_with_a_second_start_reaches_the_run_under_way(shop: Shop) -> None:
    await shop.publish(CART)
    anna = await shop.known("anna")
    await shop.enters(shop.order("cart", anna, added()))
    second = shop.order(
        "cart",
        "anna",
        added("m-2"),
        touched("Order Completed", "m-3"),
        workflow_id="journey/cart/anna",
    )

    assert await shop.refused(second) == "already_running"

    assert await shop.pending() == [("m-2", None), ("m-3", None)]


async def test_what_the_router_had_already_is_aimed_at_the_run_under_way(shop: Shop) -> None:
    await shop.publish(CART)
    anna = await shop.known("anna")
    await shop.enters(shop.order("cart", anna, added()))
    await shop.arrives(touched("Order Completed", "m-2"), anna, number=1)

    second = shop.order(
        "cart", "anna", added("m-3"), touched("Order Completed", "m-2"), workflow_id="elsewhere"
    )
    assert await shop.refused(second) == "already_running"

    assert ("m-2", f"journey/cart/{anna}") in await shop.pending()


async def test_a_redelivered_entering_message_never_enters_twice(shop: Shop) -> None:
    await shop.publish(CART.replace("after 7d", "always"))
    anna = await shop.known()
    first = shop.order("cart", anna, added())
    await shop.ends(first, await shop.enters(first))

    assert await shop.refused(shop.order("cart", anna, added())) == "already_entered"


async def test_a_redelivered_message_does_not_shut_out_the_new_one_behind_it(shop: Shop) -> None:
    await shop.publish(CART.replace("after 7d", "always"))
    anna = await shop.known()
    first = shop.order("cart", anna, added())
    await shop.ends(first, await shop.enters(first))

    given = await shop.enters(shop.order("cart", anna, added(), added("m-2")))

    assert given.entering == 1


@pytest.mark.parametrize(
    ("again", "later", "answer"),
    [
        ("never", timedelta(days=400), "entered_before"),
        ("after 7d", timedelta(days=6, hours=23), "too_soon"),
        ("after 7d", timedelta(days=7), "admitted"),
        ("always", timedelta(0), "admitted"),
        ("join", timedelta(0), "admitted"),
    ],
)
async def test_entering_again_is_counted_from_the_previous_entry(
    shop: Shop, again: str, later: timedelta, answer: str
) -> None:
    await shop.publish(CART.replace("after 7d", again))
    anna = await shop.known()
    first = shop.order("cart", anna, added())
    await shop.ends(first, await shop.enters(first))

    second = await shop.ask(shop.order("cart", anna, added("m-2"), now=NOW + later))

    assert (second.reason if isinstance(second, NotAdmitted) else "admitted") == answer


@pytest.mark.parametrize(
    ("source", "arrived", "asked", "reason"),
    [
        (CART, added(value=5.0), {}, "not_wanted"),
        (CART, touched("Product Added", "m-1"), {}, "not_wanted"),
        (CART, added(), {"key": "k"}, "wrong_key"),
        (FLIGHT, touched("Booked", "m-1", pnr="P7", flights=[]), {"key": "P8"}, "wrong_key"),
        (FLIGHT, touched("Booked", "m-1", pnr="P7", flights=[]), {}, "wrong_key"),
    ],
)
async def test_each_refusal_keeps_its_reason_as_the_fate_of_the_touchpoint(
    shop: Shop, source: str, arrived: Any, asked: dict[str, Any], reason: str
) -> None:
    await shop.publish(source)
    journey = "cart" if source is CART else "flight"
    anna = await shop.known()
    await shop.arrives(arrived, anna, number=1)
    order = shop.order(journey, anna, arrived, **asked)

    assert await shop.refused(order) == reason
    assert await shop.refused(order) == reason

    fate = {"fate": "not_admitted", "journey": journey, "reason": reason}
    assert await shop.fates(anna) == [[fate]]
    [run] = await shop.runs.runs()
    assert (run.state, run.reason, bool(run.detail)) == ("not_admitted", reason, True)


async def test_a_start_without_an_entering_touchpoint_is_refused_on_record(shop: Shop) -> None:
    await shop.publish(CART)
    order = shop.order("cart", await shop.known(), touched("Page Viewed", "m-1"))

    assert await shop.refused(order) == "no_entering_touchpoint"

    assert [run.reason for run in await shop.runs.runs(state="not_admitted")] == [
        "no_entering_touchpoint"
    ]


async def test_a_journey_or_version_that_does_not_exist_is_refused(shop: Shop) -> None:
    version = await shop.publish(CART)
    await shop.publish(FLIGHT)

    assert await shop.refused(shop.order("tour", "anna", added())) == "unknown_journey"
    other = shop.order("flight", "anna", added(), version=version)
    assert await shop.refused(other) == "unknown_journey"
    missing = shop.order("cart", "anna", added(), version="0" * 64)
    assert await shop.refused(missing) == "unknown_journey"
    assert {run.state for run in await shop.runs.runs()} == {"not_admitted"}


async def test_a_foreign_client_may_name_any_identity(shop: Shop) -> None:
    await shop.publish(CART)
    anna = await shop.known("anna")
    async with shop.pool.connection() as connection:
        await shop.customers.resolve(
            connection, [("user_id", "anna"), ("email", "anna@example.com")]
        )

    given = await shop.enters(shop.order("cart", "Anna@Example.com", added()))
    stranger = await shop.enters(shop.order("cart", "bert", added("m-2")))

    assert given.customer == anna
    assert await shop.customers.identities(stranger.customer) == [("user_id", "bert")]


async def test_what_came_since_the_run_began_is_routed_to_it(shop: Shop) -> None:
    await shop.publish(FLIGHT)
    anna = await shop.known()
    await shop.arrives(touched("Landed", "long-before"), anna, number=1)
    await shop.rows("update touchpoints set received_at = now() - interval '1 h' returning 1")
    await shop.rows("update arrivals set received_at = now() - interval '1 h' returning 1")
    await shop.arrives(
        booked := touched("Booked", "m-1", pnr="P7", flights=["OK1"]), anna, number=2
    )
    await shop.arrives(touched("Landed", "m-2"), anna, number=3)
    await shop.arrives(touched("Flight Cancelled", "m-3"), subject=("flight", "OK1"))
    await shop.arrives(touched("Flight Cancelled", "m-4"), subject=("flight", "OK2"))
    await shop.rows("delete from outbox returning 1")

    order = shop.order("flight", anna, booked, key="P7")
    await shop.enters(order)

    run = order.workflow_id
    # What is about its subjects comes first, so that it is numbered before the rest is told.
    assert await shop.pending() == [("m-3", run), ("m-1", run), ("m-2", run)]
    assert [heard.workflow_id for heard in await shop.runs.listening_to("flight", "OK1")] == [run]


async def test_a_run_ended_from_outside_makes_room_for_the_next_under_its_id(shop: Shop) -> None:
    """Terminated in the Temporal UI: its last record was never written."""
    await shop.publish(CART.replace("after 7d", "always"))
    anna = await shop.known()
    await shop.enters(shop.order("cart", anna, added()))

    second = await shop.enters(shop.order("cart", anna, added("m-2")))

    runs = {run.entry: run for run in await shop.runs.runs()}
    assert runs.pop(second.entry).state == "open"
    assert [(run.state, run.outcome) for run in runs.values()] == [("finished", "ended-outside")]


async def test_held_out_customers_run_too_and_are_marked(shop: Shop) -> None:
    await shop.publish(CART.replace("again: after 7d", "again: after 7d\n  hold_out: 100%"))
    order = shop.order("cart", await shop.known(), added())

    assert (await shop.enters(order)).held_out
    again = await shop.enters(order)
    assert again.held_out


async def test_a_moved_run_gets_what_its_new_version_may_want(shop: Shop) -> None:
    await shop.publish(CART)
    anna = await shop.known()
    await shop.arrives(added(), anna, number=1)
    order = shop.order("cart", anna, added())
    given = await shop.enters(order)
    await shop.arrives(touched("Cart Emptied", "m-2"), anna, number=2)
    await shop.rows("delete from outbox returning 1")
    version = await shop.publish(CART.replace("2d", "3d"))

    for _ in range(2):
        moved = await shop.admissions.move_run(
            MoveRun(run=shop.reference(order, given), version=version)
        )
        assert moved.version == version

    assert await shop.pending() == [("m-1", order.workflow_id), ("m-2", order.workflow_id)]
    assert [run.version for run in await shop.runs.open_runs_of(anna)] == [version]


async def test_a_run_is_never_moved_to_a_version_of_another_journey(shop: Shop) -> None:
    await shop.publish(CART)
    order = shop.order("cart", await shop.known(), added())
    given = await shop.enters(order)
    foreign = MoveRun(run=shop.reference(order, given), version=await shop.publish(FLIGHT))

    with pytest.raises(Exception, match="has no version") as failure:
        await shop.admissions.move_run(foreign)

    assert getattr(failure.value, "non_retryable", False)


async def test_every_refused_start_is_a_run_of_its_own(shop: Shop) -> None:
    await shop.publish(CART)
    anna = await shop.known()
    order = shop.order("cart", anna, added(value=1.0))

    await shop.refused(order)
    await shop.refused(replace(order, first_run_id="another"))

    assert len(await shop.runs.runs(customer=anna)) == 2


async def test_how_a_run_stands_at_first_is_written_with_its_admission(shop: Shop) -> None:
    """It costs the run no event; asked again, it is written once."""
    await shop.publish(CART)
    order = shop.order("cart", await shop.known(), added())

    given = await shop.enters(order)
    again = await shop.enters(order)

    story = await shop.runs.run(given.entry)
    assert again == given
    assert story is not None
    assert (story.run.stage, story.run.wakes_at) == ("hesitating", NOW + timedelta(days=2))
    assert [entry.kind for entry in story.trace] == ["entered", "stage"]


async def test_a_run_under_the_first_engine_writes_its_own_record(shop: Shop) -> None:
    """What it writes is in histories that an old build may have to replay."""
    await shop.publish(CART)
    await shop.rows("update engine set engine = 1 returning engine")

    given = await shop.enters(shop.order("cart", await shop.known(), added()))

    story = await shop.runs.run(given.entry)
    assert story is not None
    assert (given.engine, story.trace) == (1, [])
