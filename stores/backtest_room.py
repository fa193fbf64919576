"""Room for a backtest in a database: its definition, partitions, and numbers that nobody else will use."""

from dataclasses import dataclass
from datetime import datetime

import psycopg

from contracts.made_records import BacktestRecordsError
from stores.database import Connection, open_pool
from stores.definitions import PublishableDefinition
from stores.touchpoints import ensure_partitions

MONTHS = 240
"""Partitions are made for so many months at most; what is outside of them is kept in one."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Numbers:
    """The last numbers that are taken already: of entries, and of touchpoints."""

    entries: int
    touchpoints: int


async def make_room(
    url: str,
    definition: PublishableDefinition,
    *,
    begins: datetime,
    ends: datetime,
    entries: int,
    touchpoints: int,
    add: bool,
) -> Numbers:
    """Make room for a backtest with so many entries and touchpoints at most.

    Raises: `BacktestRecordsError` where there are runs already, unless `add`, and where this
    version was written before.
    """
    async with await psycopg.AsyncConnection.connect(url, connect_timeout=5):
        pass  # a pool would try for long, and say less about why it cannot
    pool = await open_pool(url, name="clew backtest", most=2, wait_seconds=10)
    try:
        async with pool.connection() as connection:
            await _look(connection, definition, add=add)
            await _define(connection, definition)
            numbers = Numbers(
                entries=await _reserve(connection, "entries", entries),
                touchpoints=await _reserve(connection, "touchpoints_touchpoint_seq", touchpoints),
            )
        months = (ends.year - begins.year) * 12 + ends.month - begins.month
        if months <= MONTHS:
            await ensure_partitions(pool, months, today=begins)
        return numbers
    finally:
        await pool.close()


async def _look(connection: Connection, definition: PublishableDefinition, *, add: bool) -> None:
    cursor = await connection.execute("select 1 from runs limit 1")
    if not add and await cursor.fetchone() is not None:
        raise BacktestRecordsError(
            "The database holds runs already, and what a backtest makes would stand among "
            "them. Name an empty one, or say --add."
        )
    cursor = await connection.execute(
        "select 1 from runs where version = %s and first_run_id like 'backtest/%%' limit 1",
        [definition.version],
    )
    if await cursor.fetchone() is not None:
        raise BacktestRecordsError(
            f"The database holds a backtest of this version of {definition.journey} already."
        )


async def _define(connection: Connection, definition: PublishableDefinition) -> None:
    told = [definition.version, definition.journey]
    await connection.execute(
        "insert into definitions (version, journey, canonical, source, source_name)"
        " values (%s, %s, %s, %s, %s) on conflict (version) do nothing",
        [*told, definition.canonical, definition.source, definition.source_name],
    )
    # What customers enter here stays as it is: a backtest publishes nothing over it.
    await connection.execute(
        "insert into live_journeys (version, journey) values (%s, %s)"
        " on conflict (journey) do nothing",
        told,
    )


async def _reserve(connection: Connection, sequence: str, many: int) -> int:
    """Take so many numbers out of a sequence at once; the last one before them."""
    cursor = await connection.execute("select nextval(%s::regclass) as first", [sequence])
    row = await cursor.fetchone()
    assert row is not None
    first: int = row["first"]
    last = first + max(many, 1) - 1
    await connection.execute("select setval(%s::regclass, %s)", [sequence, last])
    return first - 1
