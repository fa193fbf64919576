"""Units of routing: one router's at a time, each in its turn."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.routing import LeaseLostError, RoutedBatch
from stores.database import Pool
from stores.leases import UnitLeases
from stores.outbox import SIGNAL_PACE, OutboxStore

LONG = timedelta(minutes=1)
OVER = timedelta(seconds=-1)


async def pending(pool: Pool, *units: str) -> None:
    async with pool.connection() as connection:
        await connection.execute(
            "insert into outbox (unit, touchpoint, received_at)"
            " select unnest(%s::text[]), 1, now()",
            [[*units]],
        )


async def test_a_unit_is_leased_to_one_until_it_is_given_back(pool: Pool) -> None:
    await pending(pool, "c/anna", "c/anna", "s/van/7")
    one, other = UnitLeases(pool), UnitLeases(pool)

    assert sorted(await one.take("one", 8, LONG)) == ["c/anna", "s/van/7"]
    assert await other.take("other", 8, LONG) == []

    await one.release("one", "c/anna")
    assert await other.take("other", 8, LONG) == ["c/anna"]


async def test_a_lease_that_ran_out_is_anothers_and_cannot_be_renewed(pool: Pool) -> None:
    await pending(pool, "c/anna")
    leases = UnitLeases(pool)
    await leases.take("one", 8, OVER)

    assert await leases.take("other", 8, LONG) == ["c/anna"]
    assert not await leases.renew("one", "c/anna", LONG)
    assert await leases.renew("other", "c/anna", LONG)
    with pytest.raises(LeaseLostError):
        await OutboxStore(pool).number("one", "c/anna", 10)
    empty = RoutedBatch(rows=(), fates={}, starting=())
    with pytest.raises(LeaseLostError):
        await OutboxStore(pool).finish("one", "c/anna", empty)


async def test_a_unit_that_rests_is_nobodys_for_that_long(pool: Pool) -> None:
    await pending(pool, "c/anna")
    leases = UnitLeases(pool)
    await leases.take("one", 8, LONG)

    await leases.release("one", "c/anna", LONG)
    assert await leases.take("other", 8, LONG) == []


async def test_nobody_waits_behind_a_busy_customer(pool: Pool) -> None:
    """Units are taken round and round, however much one of them has pending."""
    await pending(pool, *(["c/busy"] * 500), *(f"c/{number}" for number in range(30)))
    leases = UnitLeases(pool)
    turns: list[str] = []
    for _ in range(31):
        units = await leases.take("one", 2, LONG)
        turns += units
        for unit in units:
            await leases.release("one", unit)

    counted = Counter(turns)
    assert set(counted) == {"c/busy", *(f"c/{number}" for number in range(30))}
    assert counted == dict.fromkeys(counted, 2), "two rounds, the same for all"


async def test_a_customer_who_is_told_much_rests_until_the_server_bears_more(pool: Pool) -> None:
    await pending(pool, "c/anna")
    leases, outbox = UnitLeases(pool), OutboxStore(pool)
    told = RoutedBatch(rows=(), fates={}, starting=(), signals=1)
    for _ in range(4):
        assert await leases.take("one", 8, LONG) == ["c/anna"]
        assert not await outbox.finish("one", "c/anna", told), "four at once are nobody's flood"

    await leases.take("one", 8, LONG)
    rest = await outbox.finish("one", "c/anna", replace(told, signals=400))

    assert timedelta(0) < rest <= 400 * SIGNAL_PACE
    assert await leases.take("other", 8, LONG) == []


async def test_a_customer_of_whom_nobody_is_told_never_rests(pool: Pool) -> None:
    await pending(pool, "c/anna")
    leases, outbox = UnitLeases(pool), OutboxStore(pool)
    for _ in range(10):
        await leases.take("one", 8, LONG)
        assert not await outbox.finish("one", "c/anna", RoutedBatch(rows=(), fates={}, starting=()))
