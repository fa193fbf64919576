"""The servers and tools that tests ask for by name; each is started once per session, on demand.

What a fixture needs is imported in it, so that a unit test loads no database driver.
"""

import asyncio
import gc
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings
from temporalio.testing import WorkflowEnvironment

from deploy import tools
from workers.embedded.postgres_server import PostgresServer
from workers.embedded.temporal_server import find_executable

TEMPLATE = "clew_template"

# A property fails on what it finds, never on how busy the machine is.
settings.register_profile(
    "clew", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("clew")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        require(*marker.args)


def require(*names: str) -> None:
    """Skip the test where a program is missing; under CI=true that is a failure."""
    missing = [name for name in names if tools.find(name) is None]
    if not missing:
        return
    reason = f"missing: {', '.join(missing)} ({tools.remedy(missing)})"
    if tools.on_ci():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest_asyncio.fixture(scope="session", autouse=True)
async def _end_cleanly() -> AsyncIterator[None]:
    """Let native workers go while the loop still runs: the interpreter may abort at exit if not."""
    yield
    gc.collect()
    await asyncio.sleep(0)


@pytest_asyncio.fixture(scope="session")
async def postgres() -> AsyncIterator[PostgresServer]:
    """One embedded PostgreSQL for the session. Tests that kill a server start their own."""
    folder = Path(tempfile.mkdtemp(prefix="clew-tests-"))
    server = PostgresServer(folder / "postgres", settings={"fsync": "off"})
    try:
        async with server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="session")
async def migrated_template(postgres: PostgresServer) -> str:
    """The name of a database with every migration applied, to be copied."""
    from stores.migrations import upgrade

    url = await postgres.create_database(TEMPLATE)
    await asyncio.to_thread(upgrade, url)
    return TEMPLATE


@pytest_asyncio.fixture
async def database(postgres: PostgresServer, migrated_template: str) -> AsyncIterator[str]:
    """The URL of a migrated database of this test's own."""
    name = f"clew_{uuid4().hex}"
    yield await postgres.create_database(name, template=migrated_template)
    await postgres.drop_database(name)


@pytest_asyncio.fixture(scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    """One real Temporal server for the session, with our search attributes."""
    from contracts.search_attributes import SEARCH_ATTRIBUTES

    found = await asyncio.to_thread(find_executable)
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(found.executable),
        dev_server_log_level="error",
        search_attributes=SEARCH_ATTRIBUTES,
    ) as environment:
        yield environment


@pytest.fixture(scope="session")
def temporal_address(temporal: WorkflowEnvironment) -> str:
    """Where that server is; connect with your own plugins."""
    return temporal.client.service_client.config.target_host


async def _time_skipping_server(path: str, tries: int = 12) -> WorkflowEnvironment:
    """The SDK gives the server 5 seconds, which a busy machine may not have: it is asked again."""
    for _ in range(tries - 1):
        with suppress(RuntimeError):
            return await WorkflowEnvironment.start_time_skipping(test_server_existing_path=path)
    return await WorkflowEnvironment.start_time_skipping(test_server_existing_path=path)


@pytest_asyncio.fixture(scope="session")
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    """One server whose clock jumps while a client awaits a result: weeks in seconds."""
    from deploy import prepare

    require("java", "mvn")
    server = await asyncio.to_thread(tools.build_time_skipping_server)
    async with await _time_skipping_server(str(server)) as environment:
        await prepare.register_search_attributes(environment.client)
        yield environment


@pytest.fixture(scope="session")
def time_skipping_address(time_skipping: WorkflowEnvironment) -> str:
    """Where that server is; connect with your own plugins."""
    return time_skipping.client.service_client.config.target_host


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path, for playwright's `executable_path`."""
    require("chromium")
    return str(tools.find("chromium"))


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Iterator[None]:
    """A developer's own TEMPORAL_ADDRESS or CLEW_* settings never reach a test."""
    with pytest.MonkeyPatch.context() as environment:
        for name in list(os.environ):
            if name == "TEMPORAL_ADDRESS" or (name.startswith("CLEW_") and name != "CLEW_CACHE"):
                environment.delenv(name)
        yield
