"""Indexes that nobody uses go from Temporal's visibility, and come back as Temporal made them."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg
import pytest_asyncio
from temporalio.client import Client

from benchmarks.production import server_tables
from benchmarks.production.cluster import TemporalCluster
from benchmarks.production.programs import find_programs
from benchmarks.production.server_tables import VISIBILITY, run_tool
from deploy.visibility_indexes import columns_in_use, drop_unused, index_definitions, restore
from workers.embedded.postgres_server import PostgresServer

SCHEMA = server_tables.SCHEMAS[VISIBILITY]


@pytest_asyncio.fixture
async def visibility(postgres: PostgresServer) -> AsyncIterator[str]:
    """The name of a database of this test's own."""
    name = f"visibility_{uuid4().hex[:8]}"
    await postgres.create_database(name)
    yield name
    await postgres.drop_database(name)


async def set_up(postgres: PostgresServer, name: str, *version: str) -> None:
    tool = (await asyncio.to_thread(find_programs)).tool
    await run_tool(postgres.url(), tool, name, "setup-schema", "-v", "0.0")
    await run_tool(postgres.url(), tool, name, "update-schema", "--schema-name", SCHEMA, *version)


async def indexes(url: str) -> dict[str, str]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        found = await connection.execute(
            "select indexname, indexdef from pg_indexes where tablename = 'executions_visibility'"
        )
        return {str(name): str(definition) for name, definition in await found.fetchall()}


async def test_they_come_back_as_they_were(postgres: PostgresServer, visibility: str) -> None:
    await set_up(postgres, visibility)
    url = postgres.url(visibility)
    before = await indexes(url)
    used = {"Keyword01", "Keyword02", "Keyword03"}

    assert len(await drop_unused(url, used, apply=False)) == 25
    assert await indexes(url) == before
    dropped = await drop_unused(url, used, apply=True)
    without = await indexes(url)
    made = await restore(url)

    assert len(dropped) == len(made) == 25
    assert set(before) - set(without) == set(dropped)
    assert await indexes(url) == before
    assert len(index_definitions()) == 28


async def test_the_tool_brings_tables_without_them_up_to_date(
    postgres: PostgresServer, visibility: str
) -> None:
    """From the first version of the schema that has them, to the newest."""
    await set_up(postgres, visibility, "-v", "1.2")
    url = postgres.url(visibility)
    dropped = await drop_unused(url, set(), apply=True)

    await set_up(postgres, visibility)

    assert len(dropped) == 28
    assert not set(dropped) & set(await indexes(url))
    await restore(url)
    assert set(dropped) <= set(await indexes(url))


async def test_what_our_runs_are_found_by_is_kept(
    cluster: TemporalCluster, postgres: PostgresServer
) -> None:
    client = await Client.connect(cluster.address)

    used = await columns_in_use(client)
    dropped = await drop_unused(postgres.url(VISIBILITY), used, apply=True)

    # Which three of the ten it is differs from one installation to the next.
    assert len(used) == 3
    assert all(column.startswith("Keyword") for column in used)
    assert len(dropped) == 25
    assert await client.count_workflows("ClewJourney = 'flight'") is not None
