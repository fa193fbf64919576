"""The bell wakes whoever listens, seldom enough, and comes back when its connection is lost."""

import asyncio

import psycopg

from stores.wakeup import CHANNEL, Bell, Ear


async def heard(ear: Ear) -> None:
    async with asyncio.timeout(10):
        await ear.heard.wait()
    ear.heard.clear()


async def test_a_ring_is_heard_by_every_ear(database: str) -> None:
    async with Bell(database) as bell, Ear(database) as one, Ear(database) as other:
        await heard(one)  # each looks once by itself when it begins to listen
        await heard(other)

        bell.ring()

        await heard(one)
        await heard(other)


async def test_rings_in_a_row_are_heard_as_few(database: str) -> None:
    notified = 0
    async with (
        await psycopg.AsyncConnection.connect(database, autocommit=True) as connection,
        Bell(database, quiet_seconds=0.3) as bell,
    ):
        await connection.execute(f"listen {CHANNEL}")
        for _ in range(200):
            bell.ring()
            await asyncio.sleep(0.001)
        async for _ in connection.notifies(timeout=1.0):
            notified += 1

    assert 1 <= notified <= 4


async def test_an_ear_listens_again_after_its_connection_was_lost(database: str) -> None:
    async with Bell(database) as bell, Ear(database) as ear:
        await heard(ear)
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'clew bell' and datname = current_database()"
            )
        await heard(ear)  # it looks once it listens again

        bell.ring()
        await heard(ear)
