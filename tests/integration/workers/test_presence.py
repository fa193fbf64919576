"""A process tells of itself while it is at work, and refuses work that its build does not know."""

import pytest
import pytest_asyncio
from psycopg import AsyncConnection

from journey.machine import KNOWN_ENGINES
from stores.database import open_pool
from stores.engines import EngineStore
from workers.build import build_id
from workers.presence import present, require_known_engines
from workers.process import UnfitInstallationError


@pytest_asyncio.fixture
async def pool(database: str):
    opened = await open_pool(database, name="test", most=4)
    yield opened
    await opened.close()


async def test_who_is_at_work_is_known_until_it_ends(pool) -> None:
    engines = EngineStore(pool)

    async with present(pool, "journey"):
        during = (await engines.standing()).processes
    after = (await engines.standing()).processes

    assert [(each.kind, each.build, each.engines) for each in during] == [
        ("journey", build_id(), sorted(KNOWN_ENGINES))
    ]
    assert after == []


async def test_a_build_that_does_not_know_the_engine_of_new_runs_refuses_to_carry_any(
    pool, database: str
) -> None:
    await require_known_engines(pool)
    async with await AsyncConnection.connect(database) as connection:
        await connection.execute("update engine set engine = 99")

    with pytest.raises(UnfitInstallationError, match="Runs here have engine 99"):
        await require_known_engines(pool)
