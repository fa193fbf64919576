"""Computed traits of customers who become one and two again, and those that time alone changes."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from stores.due_traits import DueTraits
from stores.house_rules import forget_rules
from stores.published import HOUSE, PublishedStore
from stores.touchpoints import NewTouchpoint, store_touchpoints
from tests.integration.identity.conftest import People

DEVICE, ANNA = ("anonymous_id", "device-1"), ("user_id", "anna")


async def publish(people: People, **computed: Any) -> None:
    await PublishedStore(people.pool).publish("identities", HOUSE, {"computed": computed})
    async with people.pool.connection() as connection:
        forget_rules(connection)


async def bought(people: People, customer: str, times: int = 1) -> None:
    told = [
        NewTouchpoint(
            message_id=uuid4().hex,
            event="Bought",
            occurred_at=datetime.now(UTC) - timedelta(hours=1),
            customer=customer,
        )
        for _ in range(times)
    ]
    async with people.pool.connection() as connection:
        await store_touchpoints(connection, told)


async def orders(people: People, customer: str) -> Any:
    rows = await people.rows("select traits from customers where customer = %s", customer)
    return rows[0]["traits"].get("orders")


async def test_each_has_their_own_count_back_when_they_are_parted(people: People) -> None:
    await publish(people, orders={"count": "Bought"})
    visitor, anna = await people.named(DEVICE), await people.named(ANNA)
    await bought(people, visitor, 2)
    await bought(people, anna)

    merge = await people.merges.merge("anna", "device-1", by="eva", why="one")
    assert await orders(people, anna) == 3
    await bought(people, visitor)  # by an id of before
    assert await orders(people, anna) == 4

    await people.merges.unmerge(merge.merge, by="eva", why="two")

    assert (await orders(people, anna), await orders(people, visitor)) == (1, 3)


async def test_a_count_within_a_span_becomes_less_as_time_goes_by_and_runs_are_told(
    people: People,
) -> None:
    await publish(people, orders={"count": "Bought", "within": "30d"})
    anna = await people.named(ANNA)
    await bought(people, anna, 2)
    assert await orders(people, anna) == 2
    await people.do(
        "update computed_traits set look_at = now(), state = jsonb_set(state, '{kept,0,0}',"
        " '\"2020-01-01T00:00:00Z\"')"
    )

    assert not await DueTraits(people.pool).refresh()

    assert await orders(people, anna) == 1
    told = await people.rows(
        "select properties from touchpoints where event = '$identify' order by touchpoint desc"
    )
    assert told[0]["properties"] == {"orders": 1}
