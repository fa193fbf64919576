"""Definitions never change; only which one is live does. And what was done is remembered."""

from journey.publication import read_definition
from stores.audit import AuditStore
from tests.integration.stores.conftest import CART, FLIGHT, Shop


async def test_a_definition_published_twice_is_one_version(shop: Shop) -> None:
    version = await shop.publish(CART)

    assert await shop.publish(CART) == version
    assert await shop.publish(CART + "\n# a remark\n") == version

    assert await shop.definitions.load(version) == read_definition(CART, "x").canonical
    assert [each.version for each in await shop.definitions.versions("cart")] == [version]
    assert await shop.definitions.load("0" * 64) is None


async def test_the_version_published_last_is_live_also_an_earlier_one(shop: Shop) -> None:
    first = await shop.publish(CART)
    second = await shop.publish(CART.replace("2d", "3d"))
    assert await shop.definitions.live("cart") == second

    await shop.publish(CART)

    assert await shop.definitions.live("cart") == first
    assert {each.version for each in await shop.definitions.versions("cart")} == {first, second}


async def test_a_retired_journey_lets_nobody_enter_and_keeps_its_versions(shop: Shop) -> None:
    version = await shop.publish(CART)
    await shop.publish(FLIGHT)

    assert await shop.definitions.retire("cart")
    assert not await shop.definitions.retire("cart")

    assert [live.journey for live in await shop.definitions.live_journeys()] == ["flight"]
    assert await shop.definitions.live("cart") is None
    published = await shop.definitions.published(version)
    assert published is not None
    assert (published.journey, published.source) == ("cart", CART)
    assert await shop.definitions.published("0" * 64) is None


async def test_what_was_done_is_remembered_newest_first(shop: Shop) -> None:
    audit = AuditStore(shop.pool)
    await audit.record("eva", "published", "journey/cart", {"version": "abc"})
    await audit.record("petr", "stopped", "channel/email")

    assert [deed.who for deed in await audit.latest()] == ["petr", "eva"]
    [deed] = await audit.latest(what="journey/cart")
    assert (deed.did, deed.detail) == ("published", {"version": "abc"})
