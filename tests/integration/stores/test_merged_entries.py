"""Who is asked in by an id of before enters as who they are; what was entered before the merge counts."""

import asyncio
from datetime import timedelta

from pydantic import JsonValue

from contracts.ids import workflow_id
from contracts.journey_run import Admitted
from contracts.other_journey import ASKED_BY
from contracts.routing import RoutedBatch
from journey.touchpoint import Touchpoint
from stores.leases import UnitLeases
from stores.outbox import OutboxStore
from tests.integration.stores.conftest import CART, NOW, Shop

ADDED = "Product Added"
NOTHING = RoutedBatch(rows=(), fates={}, starting=())


def added(message_id: str, asked_by: str | None = None) -> Touchpoint:
    properties: dict[str, JsonValue] = {"value": 80.0}
    if asked_by is not None:
        properties[ASKED_BY] = asked_by
    return Touchpoint(message_id=message_id, event=ADDED, timestamp=NOW, properties=properties)


async def two_who_are_one(shop: Shop) -> tuple[str, str]:
    """A customer, and the id that the visitor had whom they turned out to be."""
    async with shop.pool.connection() as connection:
        visitor = await shop.customers.resolve(connection, [("anonymous_id", "d1")])
    anna = await shop.known("anna")
    async with shop.pool.connection() as connection:
        await shop.customers.resolve(connection, [("user_id", "anna"), ("anonymous_id", "d1")])
    return anna, visitor


async def test_a_start_by_an_id_of_before_is_put_before_a_run_of_who_they_are(shop: Shop) -> None:
    await shop.publish(CART)
    anna, visitor = await two_who_are_one(shop)
    order = shop.order("cart", visitor, added("m1"))

    for _ in range(2):
        assert await shop.refused(order) == "merged"

    [row] = await shop.rows(
        "select o.unit from outbox o join touchpoints t using (touchpoint) where t.message_id = 'm1'"
    )
    assert row["unit"] == f"c/{anna}"
    answer = await shop.enters(shop.order("cart", anna, added("m1")))
    assert answer.customer == anna


async def test_a_run_that_asked_is_not_told_that_nothing_began(shop: Shop) -> None:
    await shop.publish(CART)
    _, visitor = await two_who_are_one(shop)

    await shop.refused(shop.order("cart", visitor, added("m1", asked_by="journey/j/x:1:2")))

    assert await shop.rows("select 1 from touchpoints where event = 'Run Ended'") == []


async def test_an_entry_of_before_counts_for_how_often_one_may_enter(shop: Shop) -> None:
    await shop.publish(CART)
    async with shop.pool.connection() as connection:
        visitor = await shop.customers.resolve(connection, [("anonymous_id", "d1")])
    order = shop.order("cart", visitor, added("m1"))
    given = await shop.enters(order)
    await shop.ends(order, given)
    anna = await shop.known("anna")
    async with shop.pool.connection() as connection:
        await shop.customers.resolve(connection, [("user_id", "anna"), ("anonymous_id", "d1")])

    again = shop.order("cart", anna, added("m2"), now=NOW + timedelta(days=1))

    assert await shop.refused(again) == "too_soon"


async def test_what_comes_while_a_run_of_before_is_open_is_for_that_run(shop: Shop) -> None:
    await shop.publish(CART)
    async with shop.pool.connection() as connection:
        visitor = await shop.customers.resolve(connection, [("anonymous_id", "d1")])
    await shop.enters(shop.order("cart", visitor, added("m1")))
    anna = await shop.known("anna")
    async with shop.pool.connection() as connection:
        await shop.customers.resolve(connection, [("user_id", "anna"), ("anonymous_id", "d1")])

    assert await shop.refused(shop.order("cart", anna, added("m2"))) == "already_running"

    open_ones = await shop.rows("select workflow_id from runs where state = 'open'")
    assert [row["workflow_id"] for row in open_ones] == [workflow_id("cart", visitor)]


async def test_a_merge_in_the_middle_of_an_admission_loses_no_run(shop: Shop) -> None:
    await shop.publish(CART)
    leases, outbox = UnitLeases(shop.pool), OutboxStore(shop.pool)
    for number in range(6):
        device, user = ("anonymous_id", f"d{number}"), ("user_id", f"u{number}")
        async with shop.pool.connection() as connection:
            visitor = await shop.customers.resolve(connection, [device])
        known = await shop.known(f"u{number}")
        order = shop.order("cart", visitor, added(f"m{number}"))

        async def merge(*names: tuple[str, str]) -> str:
            async with shop.pool.connection() as connection:
                return await shop.customers.resolve(connection, names)

        answer, stays = await asyncio.gather(shop.ask(order), merge(user, device))

        assert stays == known
        units = await leases.take("tests", 10, timedelta(minutes=1))
        for unit in sorted(units):
            await outbox.number("tests", unit, 100)
            await outbox.finish("tests", unit, NOTHING)
        rows = await shop.rows(
            "select customer, state, reason from runs where customer = %s", known
        )
        entered = isinstance(answer, Admitted)
        assert [(row["state"], row["reason"]) for row in rows] == [
            ("open", None) if entered else ("not_admitted", "merged")
        ]
