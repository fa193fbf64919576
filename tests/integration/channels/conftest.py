"""Channels under one suite, each with the provider behind it; and calls to services."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from channels.http_call import HttpCaller
from tests.integration.channels.called_service import calling
from tests.integration.channels.providers import PROVIDERS, Provider
from tests.integration.channels.scripted_smtp import ScriptedSmtp
from workers.embedded.postgres_server import PostgresServer


@pytest_asyncio.fixture
async def relay() -> AsyncIterator[ScriptedSmtp]:
    server = ScriptedSmtp()
    await server.open()
    yield server
    await server.close()


@pytest_asyncio.fixture(scope="session")
async def inboxes(postgres: PostgresServer, migrated_template: str) -> str:
    """One database for the inboxes of all these tests, each of which empties it."""
    return await postgres.create_database("clew_inboxes", template=migrated_template)


@pytest_asyncio.fixture(params=PROVIDERS)
async def provider(request: pytest.FixtureRequest, inboxes: str) -> AsyncIterator[Provider]:
    async with PROVIDERS[request.param](inboxes) as provider:
        yield provider


@pytest_asyncio.fixture(scope="session")
async def caller() -> AsyncIterator[HttpCaller]:
    """May call this machine. By its clock: the library of Standard Webhooks refuses what was not signed just now."""
    async with calling("localhost", clock=lambda: datetime.now(UTC)) as caller:
        yield caller


@pytest_asyncio.fixture(scope="session")
async def stranger() -> AsyncIterator[HttpCaller]:
    """May call nothing of ours; its clock stands still."""
    async with calling("stock.internal") as caller:
        yield caller


@pytest_asyncio.fixture(scope="session")
async def punctual() -> AsyncIterator[HttpCaller]:
    """May call this machine; its clock stands still."""
    async with calling("localhost") as caller:
        yield caller
