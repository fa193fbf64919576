"""Touchpoints lie by month of arrival; a month without a table costs nobody a touchpoint."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from stores.database import Pool
from stores.touchpoints import ensure_partitions, store_touchpoint

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 24, 18, tzinfo=UTC)


async def rows(pool: Pool, query: Any, *values: Any) -> list[dict[str, Any]]:
    async with pool.connection() as connection:
        return await (await connection.execute(query, values)).fetchall()


async def one_arrives(pool: Pool, message_id: str) -> None:
    async with pool.connection() as connection:
        await store_touchpoint(
            connection,
            customer="c_anna",
            subject=None,
            message_id=message_id,
            event="Asked",
            occurred_at=NOW,
            properties={},
            context={},
        )


async def test_partitions_are_made_ahead_once_by_however_many_ask(pool: Pool) -> None:
    made = await asyncio.gather(*(ensure_partitions(pool, 2, today=NOW) for _ in range(4)))

    months = ["touchpoints_2026_11", "touchpoints_2026_12", "touchpoints_2027_01"]
    assert sorted(name for names in made for name in names) == months
    assert await ensure_partitions(pool, 2, today=NOW) == []


async def test_what_came_before_its_partition_is_moved_into_it(pool: Pool) -> None:
    await one_arrives(pool, "m-1")
    await rows_moved_to(pool, DECEMBER)
    assert await where(pool) == ["touchpoints_other"]

    await ensure_partitions(pool, 1, today=NOW)

    assert await where(pool) == ["touchpoints_2026_12"]
    [row] = await rows(pool, "select message_id, received_at from touchpoints")
    assert row == {"message_id": "m-1", "received_at": DECEMBER}


async def test_a_partition_made_ahead_takes_what_arrives_and_is_found_by_customer(
    pool: Pool,
) -> None:
    await ensure_partitions(pool, 0)
    await one_arrives(pool, "m-1")

    [name] = await where(pool)
    assert name == f"touchpoints_{datetime.now(UTC):%Y_%m}"
    indexes = await rows(pool, "select 1 from pg_indexes where tablename = %s", name)
    assert len(indexes) == 3


async def where(pool: Pool) -> list[str]:
    found = await rows(pool, "select tableoid::regclass::text as name from touchpoints")
    return [row["name"] for row in found]


async def rows_moved_to(pool: Pool, when: datetime) -> None:
    async with pool.connection() as connection:
        await connection.execute("update touchpoints set received_at = %s", [when])
