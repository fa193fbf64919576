"""The product in this process on Temporal as in production: two of its servers on one PostgreSQL."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from benchmarks.production.cluster import TemporalCluster
from benchmarks.production.postgres_programs import full_postgres
from benchmarks.production.programs import find_programs
from tests.integration.conftest import stack, stack_database
from workers.embedded.postgres_server import PostgresServer

__all__ = ["stack", "stack_database"]


@pytest_asyncio.fixture(scope="session")
async def postgres() -> AsyncIterator[PostgresServer]:
    """One PostgreSQL for both, with the extensions that Temporal's tables need."""
    folder = Path(tempfile.mkdtemp(prefix="production-"))
    try:
        async with PostgresServer(folder / "postgres", programs=full_postgres()) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="session")
async def migrated_template(postgres: PostgresServer) -> str:
    """As everywhere, on this PostgreSQL."""
    from stores.migrations import upgrade

    url = await postgres.create_database("production_template")
    await asyncio.to_thread(upgrade, url)
    return "production_template"


@pytest_asyncio.fixture(scope="session")
async def cluster(postgres: PostgresServer) -> AsyncIterator[TemporalCluster]:
    """Two servers behind one door."""
    programs = await asyncio.to_thread(find_programs)
    folder = Path(tempfile.mkdtemp(prefix="production-"))
    try:
        async with TemporalCluster(programs, folder, postgres.url(), servers=2) as running:
            yield running
            for (
                server
            ) in running.servers:  # nothing is under way that an orderly end would wait for
                await server.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def temporal_address(cluster: TemporalCluster) -> str:
    """The door."""
    return cluster.address
