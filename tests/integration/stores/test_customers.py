"""Many names lead to one customer, also when they come at the same instant."""

import asyncio
import random
from typing import Any

import pytest

from contracts.customer_traits import ReadCustomerTraits, SetCustomerTraits
from contracts.journey_run import RunReference
from journey.effects import ReadTraits, SetTraits
from stores.customers import UnknownZoneError
from tests.integration.stores.conftest import NOW, Shop

ANNA, MAIL = ("user_id", "anna"), ("email", "anna@example.com")
DEVICE = ("anonymous_id", "device-1")


async def resolved(shop: Shop, *identities: tuple[str, str]) -> str:
    async with shop.pool.connection() as connection:
        return await shop.customers.resolve(connection, identities)


async def changed(shop: Shop, customer: str, **traits: Any) -> dict[str, Any]:
    async with shop.pool.connection() as connection:
        return (await shop.customers.merge_traits(connection, customer, traits)).changed


async def test_a_customer_has_an_opaque_id_and_is_found_by_every_name(shop: Shop) -> None:
    anna = await resolved(shop, ANNA, MAIL, ("phone", "+420 601-234-567"), ("crm", "0042"))

    assert len(anna) == 28
    assert anna.startswith("c_")
    for name in (anna, "anna", "Anna@Example.com ", "+420601234567", "+420 601 234 567", "0042"):
        found = await shop.customers.find(name)
        assert found is not None, name
        assert found.customer == anna
    assert await shop.customers.find("somebody") is None
    assert await shop.customers.find("") is None


async def test_a_name_of_one_kind_is_not_mistaken_for_another(shop: Shop) -> None:
    await resolved(shop, ("phone", "42"))

    assert await shop.customers.find("order-42") is None


async def test_an_anonymous_visitor_becomes_the_customer_they_turn_out_to_be(shop: Shop) -> None:
    visitor = await resolved(shop, DEVICE)

    assert await resolved(shop, DEVICE, ANNA) == visitor
    assert await resolved(shop, ANNA, MAIL) == visitor
    assert await resolved(shop, MAIL) == visitor


async def test_a_second_person_on_a_shared_device_is_a_customer_of_their_own(shop: Shop) -> None:
    anna = await resolved(shop, DEVICE, ANNA)

    bert = await resolved(shop, DEVICE, ("user_id", "bert"), ("email", "bert@example.com"))

    assert bert != anna
    assert await resolved(shop, ("email", "bert@example.com")) == bert
    assert await resolved(shop, DEVICE) == anna


async def test_a_visitor_who_was_a_customer_of_their_own_becomes_the_one_they_turn_out_to_be(
    shop: Shop,
) -> None:
    visitor, anna = await resolved(shop, DEVICE), await resolved(shop, ANNA)

    assert await resolved(shop, DEVICE, ANNA) == anna
    assert await resolved(shop, DEVICE) == anna
    found = await shop.customers.find(visitor)
    assert found is not None
    assert found.customer == anna


async def test_names_that_come_at_the_same_instant_make_one_customer(shop: Shop) -> None:
    names = [ANNA, MAIL, DEVICE, ("phone", "+420601234567")]

    async def some(seed: int) -> str:
        chosen = random.Random(seed).sample(names[1:], 2)
        return await resolved(shop, ANNA, *chosen)

    assert len(set(await asyncio.gather(*(some(seed) for seed in range(24))))) == 1


async def test_two_new_user_ids_at_once_never_share_a_customer(shop: Shop) -> None:
    """Tied by different names of one customer, they share no lock but the customer's own."""
    await resolved(shop, MAIL, DEVICE)

    one, other = await asyncio.gather(
        resolved(shop, MAIL, ("user_id", "anna")), resolved(shop, DEVICE, ("user_id", "bert"))
    )

    assert one != other


async def test_somebody_without_any_name_is_refused(shop: Shop) -> None:
    with pytest.raises(ValueError, match="needs a name"):
        await resolved(shop, ("email", "  "))


async def test_traits_are_laid_over_those_held_and_null_removes_one(shop: Shop) -> None:
    anna = await resolved(shop, ANNA)

    assert await changed(shop, anna, tier="gold", city="Brno") == {"tier": "gold", "city": "Brno"}
    assert await changed(shop, anna, tier="gold", city=None) == {"city": None}
    assert await changed(shop, anna, city=None) == {}

    assert await shop.customers.profile(anna) == {"tier": "gold", "id": anna, "zone": None}
    assert await shop.customers.profile("c_none") == {"id": "c_none", "zone": None}


async def test_traits_that_change_at_the_same_instant_are_all_kept(shop: Shop) -> None:
    anna = await resolved(shop, ANNA)

    await asyncio.gather(*(changed(shop, anna, **{f"trait_{n}": n}) for n in range(8)))

    profile = await shop.customers.profile(anna)
    assert [profile[f"trait_{n}"] for n in range(8)] == list(range(8))


async def test_a_zone_is_taken_only_where_it_is_one(shop: Shop) -> None:
    anna = await resolved(shop, ANNA)

    assert await changed(shop, anna, timezone="Europe/Prague") == {
        "timezone": "Europe/Prague",
        "zone": "Europe/Prague",
    }
    assert await changed(shop, anna, timezone="Mars/Olympus") == {"timezone": "Mars/Olympus"}
    assert await changed(shop, anna, zone="Asia/Tokyo", timezone="UTC") == {
        "timezone": "UTC",
        "zone": "Asia/Tokyo",
    }
    with pytest.raises(UnknownZoneError, match="Mars/Olympus"):
        await changed(shop, anna, zone="Mars/Olympus")
    assert await changed(shop, anna, zone=None) == {"zone": None}


async def test_text_that_postgresql_cannot_hold_does_not_stop_a_customer(shop: Shop) -> None:
    anna = await resolved(shop, ("user_id", "an\0na"))

    await changed(shop, anna, note="a\0b", **{"na\0me": ["\0", "\\u0000"]})

    profile = await shop.customers.profile(anna)
    assert profile["note"] == "a\ufffdb"
    assert profile["na\ufffdme"] == ["\ufffd", "\\u0000"]


async def test_traits_set_by_a_run_are_told_to_the_customers_runs_once(shop: Shop) -> None:
    anna = await resolved(shop, ANNA)
    run = RunReference(
        workflow_id="journey/cart/anna",
        entry=1,
        journey="cart",
        version="v",
        customer=anna,
        now=NOW,
    )
    order = SetCustomerTraits(run=run, set=SetTraits(n=4, traits={"tier": "gold", "gone": None}))

    for _ in range(2):
        told = await shop.traits.set_traits(order)
        assert (told.traits, told.zone) == ({"tier": "gold"}, None)

    [touchpoint] = await shop.rows("select * from touchpoints")
    assert touchpoint["message_id"] == "traits/journey/cart/anna:1:4"
    assert (touchpoint["event"], touchpoint["properties"]) == ("$identify", {"tier": "gold"})
    assert shop.rung == ["traits"]

    asked = ReadCustomerTraits(run=run, read=ReadTraits(n=5, names=("tier", "city")))
    assert (await shop.traits.read_traits(asked)).traits == {"tier": "gold"}


async def test_a_trait_that_cannot_be_written_fails_for_good(shop: Shop) -> None:
    anna = await resolved(shop, ANNA)
    run = RunReference(
        workflow_id="journey/cart/anna",
        entry=1,
        journey="cart",
        version="v",
        customer=anna,
        now=NOW,
    )
    order = SetCustomerTraits(run=run, set=SetTraits(n=4, traits={"zone": "Mars/Olympus"}))

    with pytest.raises(Exception, match="Mars/Olympus") as failure:
        await shop.traits.set_traits(order)

    assert getattr(failure.value, "non_retryable", False)
