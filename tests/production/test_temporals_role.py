"""Temporal's server works with a role of its own, which owns nothing; its tables are made by their owner."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from psycopg import conninfo
from temporalio.client import Client
from temporalio.worker import Worker

from benchmarks.production.cluster import TemporalCluster
from benchmarks.production.postgres_programs import full_postgres
from benchmarks.production.programs import find_programs
from deploy.temporal_role import DATABASES, ROLE, make_temporal_role
from tests.production.waits_and_hears import WaitsAndHears
from workers.embedded.postgres_server import PostgresServer

pytestmark = pytest.mark.timeout(240)


@dataclass
class Installation:
    owner: str
    cluster: TemporalCluster


@pytest_asyncio.fixture(scope="module")
async def installation() -> AsyncIterator[Installation]:
    """A PostgreSQL and a Temporal of this file's own: the databases' names are given."""
    programs = await asyncio.to_thread(find_programs)
    folder = Path(tempfile.mkdtemp(prefix="role-"))
    try:
        async with PostgresServer(folder / "postgres", programs=full_postgres()) as server:
            owner = server.url()
            make_temporal_role(owner, "what temporal says")
            lesser = conninfo.make_conninfo(owner, user=ROLE)
            async with TemporalCluster(
                programs, folder, owner, servers=1, server_url=lesser
            ) as cluster:
                yield Installation(owner, cluster)
                await cluster.servers[0].kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def test_a_server_carries_runs_with_a_role_that_owns_nothing(
    installation: Installation,
) -> None:
    client = await Client.connect(installation.cluster.address)
    async with Worker(client, task_queue="role", workflows=[WaitsAndHears]):
        handle = await client.start_workflow("waits_and_hears", id="one", task_queue="role")
        await handle.signal("hear", "yes")
        assert await handle.result() == "yes"

    async def listed() -> list[str]:
        query = "WorkflowType = 'waits_and_hears' and ExecutionStatus = 'Completed'"
        return [each.id async for each in client.list_workflows(query)]

    async with asyncio.timeout(60):
        while await listed() != ["one"]:
            await asyncio.sleep(0.1)


FORBIDDEN = (
    "create table mine (n integer)",
    "create temporary table mine (n integer)",
    "drop table schema_version",
    "truncate schema_version",
    "alter table schema_version add column mine integer",
)


@pytest.mark.parametrize("database", DATABASES)
async def test_the_role_can_change_no_table(installation: Installation, database: str) -> None:
    def url(name: str) -> str:
        return conninfo.make_conninfo(installation.owner, user=ROLE, dbname=name)

    async with await psycopg.AsyncConnection.connect(url(database), autocommit=True) as role:
        for statement in FORBIDDEN:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await role.execute(statement)
        counted = await role.execute("select count(*) from schema_version")
        assert await counted.fetchone() == (1,)


async def test_made_again_it_changes_nothing(installation: Installation) -> None:
    async def rights() -> list[Any]:
        url = conninfo.make_conninfo(installation.owner, dbname=DATABASES[0])
        async with await psycopg.AsyncConnection.connect(url) as owner:
            found = await owner.execute(
                "select relname, relacl::text from pg_class where relkind = 'r' order by 1"
            )
            return await found.fetchall()

    before = await rights()
    await asyncio.to_thread(make_temporal_role, installation.owner, "what temporal says")

    assert await rights() == before
