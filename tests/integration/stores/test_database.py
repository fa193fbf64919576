"""The schema comes up once, however many ask for it, and a pool outlives its server's faults."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest

from stores.database import Pool, one_statement, open_pool
from stores.migrations import pending, upgrade
from workers.embedded.postgres_server import PostgresServer


async def test_processes_that_migrate_at_once_migrate_once(postgres: PostgresServer) -> None:
    name = f"clew_{uuid4().hex}"
    url = await postgres.create_database(name)
    try:
        missing = await asyncio.to_thread(pending, url)
        assert missing[0] == "0001"

        with ThreadPoolExecutor(4) as threads:
            await asyncio.gather(
                *(asyncio.get_running_loop().run_in_executor(threads, upgrade, url) for _ in "1234")
            )

        assert await asyncio.to_thread(pending, url) == []
    finally:
        await postgres.drop_database(name)


async def test_a_connection_that_broke_is_replaced_before_it_is_used(pool: Pool) -> None:
    async with pool.connection() as connection:
        backend = connection.info.backend_pid
    await asyncio.sleep(0)
    async with await psycopg.AsyncConnection.connect(str(pool.conninfo), autocommit=True) as other:
        await other.execute("select pg_terminate_backend(%s)", [backend])

    async def healthy() -> int:
        async with one_statement(pool) as connection:
            row = await (await connection.execute("select 1 as one")).fetchone()
            return row["one"] if row else 0

    # At most once may it break: a connection used within the last second is not looked at.
    try:
        assert await healthy() == 1
    except psycopg.OperationalError:
        assert await healthy() == 1


async def test_a_failed_statement_leaves_the_connection_fit_for_transactions(pool: Pool) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        async with one_statement(pool) as connection:
            await connection.execute("select 1 / 0")

    async with pool.connection() as connection:
        await connection.execute("insert into audit (who, did, object) values ('a', 'b', 'c')")
        await connection.rollback()
    async with pool.connection() as connection:
        row = await (await connection.execute("select count(*) as deeds from audit")).fetchone()
    assert row == {"deeds": 0}


async def test_behind_a_pooler_nothing_is_prepared(database: str) -> None:
    pool = await open_pool(database, behind_pgbouncer=True)
    try:
        async with pool.connection() as connection:
            for _ in range(10):
                await connection.execute("select %s::int", [1])
            cursor = await connection.execute("select count(*) as n from pg_prepared_statements")
            assert await cursor.fetchone() == {"n": 0}
    finally:
        await pool.close()
