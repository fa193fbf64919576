"""The engine of new runs is raised when everybody at work knows it, and goes back only while nobody was born."""

import pytest

from journey.machine import ENGINE
from stores.database import Pool
from stores.engines import EngineRefusedError, EngineStore
from tests.integration.stores.conftest import CART, Shop, added


@pytest.fixture
def engines(pool: Pool) -> EngineStore:
    return EngineStore(pool)


async def at_work(
    engines: EngineStore, *known: int, name: str = "new", kind: str = "journey"
) -> None:
    await engines.beat(name, kind, "build", known)


NEXT = ENGINE + 1


async def born(shop: Shop, name: str) -> int:
    anna = await shop.known(name)
    order = shop.order("cart", anna, added(f"m-{name}"))
    return (await shop.enters(order)).engine


async def test_nobody_is_born_under_an_engine_that_a_process_at_work_does_not_know(
    shop: Shop, engines: EngineStore
) -> None:
    await shop.publish(CART)
    await at_work(engines, ENGINE, NEXT)
    await at_work(engines, ENGINE, name="old-17", kind="delivery")

    with pytest.raises(
        EngineRefusedError, match=rf"delivery old-17 \(build build, knows {ENGINE}\)"
    ):
        await engines.raise_to(NEXT, by="test")

    assert await born(shop, "anna") == ENGINE


async def test_new_runs_get_the_engine_once_everybody_knows_it(
    shop: Shop, engines: EngineStore
) -> None:
    await shop.publish(CART)
    await at_work(engines, ENGINE, name="old")
    await at_work(engines, ENGINE, NEXT)
    await engines.gone("old")

    await engines.raise_to(NEXT, by="test")

    assert await born(shop, "anna") == NEXT
    assert (await engines.standing()).engine == NEXT
    assert [row["object"] for row in await shop.rows("select object from audit")] == [
        f"engine {NEXT}"
    ]


async def test_an_engine_that_nobody_can_vouch_for_is_not_given(engines: EngineStore) -> None:
    await at_work(engines, ENGINE, NEXT, kind="router")

    with pytest.raises(EngineRefusedError, match="No journey worker is at work"):
        await engines.raise_to(NEXT, by="test")


async def test_whoever_was_silent_for_long_stands_in_nobodys_way(
    pool: Pool, engines: EngineStore
) -> None:
    await at_work(engines, ENGINE, name="killed")
    await at_work(engines, ENGINE, NEXT)
    async with pool.connection() as connection:
        await connection.execute(
            "update processes set seen_at = now() - interval '46 seconds' where process = 'killed'"
        )

    await engines.raise_to(NEXT, by="test")

    assert [each.process for each in (await engines.standing()).processes] == ["new"]


async def test_there_is_a_way_back_while_nobody_was_born(shop: Shop, engines: EngineStore) -> None:
    await shop.publish(CART)
    await born(shop, "before")
    await at_work(engines, ENGINE, NEXT)
    await engines.raise_to(NEXT, by="test")

    await engines.lower_to(ENGINE, by="test")

    assert await born(shop, "after") == ENGINE


async def test_there_is_no_way_back_once_somebody_was_born(
    shop: Shop, engines: EngineStore
) -> None:
    await shop.publish(CART)
    await at_work(engines, ENGINE, NEXT)
    await engines.raise_to(NEXT, by="test")
    await born(shop, "anna")

    with pytest.raises(EngineRefusedError, match=f"1 under engine {NEXT}, 1 of them under way"):
        await engines.lower_to(ENGINE, by="test")

    assert await born(shop, "ben") == NEXT


async def test_a_build_that_does_not_know_what_is_under_way_is_told_so(
    shop: Shop, engines: EngineStore
) -> None:
    await shop.publish(CART)
    await born(shop, "anna")
    await at_work(engines, ENGINE, NEXT)
    await engines.raise_to(NEXT, by="test")

    assert await engines.strange({ENGINE}) == [NEXT]
    assert await engines.strange({NEXT}) == [ENGINE]
    assert await engines.strange({ENGINE, NEXT}) == []
