"""The stage for workflow tests: a real run, a clock that jumps, a world in memory."""

from collections.abc import AsyncIterator

import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.workflows.world import Stage, World, connect
from workers.plugin import clew_plugin


@pytest_asyncio.fixture
async def stage(time_skipping: WorkflowEnvironment) -> AsyncIterator[Stage]:
    """On the time-skipping server: weeks pass while a result is awaited."""
    world = World()
    stage = Stage(
        await time_skipping.connect_client(plugins=[clew_plugin(world, sealing=None)]),
        world,
        time_skipping,
    )
    async with stage.workers():
        yield stage
        await stage.clear()


@pytest_asyncio.fixture
async def real_stage(temporal_address: str) -> AsyncIterator[Stage]:
    """On a real server, for histories, visibility and workers that die."""
    world = World()
    yield Stage(await connect(temporal_address, world), world)
