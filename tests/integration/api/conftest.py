"""The API on a real database, in this process or behind a real socket."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Any

import httpx2
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from api.app import create_app
from api.ingest import Ingest
from api.intake import Intake
from api.pressure import Pressure
from api.status_events import LiveStatus
from api.write_key_check import WriteKeyCheck
from stores.customers import CustomerStore
from stores.database import Pool, open_pool
from stores.write_keys import WriteKeyStore
from tests.integration.api.guest_house import ADDRESS, GuestHouse
from tests.integration.api.link_browser import LinkBrowser
from workers.embedded.postgres_server import PostgresServer

KEY = "wk-of-the-shop"


class SilentBell:
    """Counts how often it was rung."""

    def __init__(self) -> None:
        self.rung = 0

    def ring(self) -> None:
        self.rung += 1


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database, most=10)
    yield pool
    await pool.close()


@pytest.fixture
def pressure() -> Pressure:
    return Pressure()


@pytest.fixture
def bell() -> SilentBell:
    return SilentBell()


@pytest_asyncio.fixture
async def app(pool: Pool, pressure: Pressure, bell: SilentBell) -> FastAPI:
    keys = WriteKeyStore(pool)
    await keys.add("shop", KEY)
    intake = Intake(pool, CustomerStore(pool), bell)
    return create_app(ingest=Ingest(intake, WriteKeyCheck(keys), pressure))


@pytest_asyncio.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client with the write key, without a socket."""
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://clew", auth=(KEY, "")
    ) as client:
        yield client


@asynccontextmanager
async def serving(app: ASGIApp, port: int = 0) -> AsyncGenerator[str]:
    """Serve on that port, else on a free one; the address."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        server.capture_signals = _leave_signals_alone
        task = asyncio.create_task(server.serve([listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            with suppress(asyncio.CancelledError):
                await task


def _leave_signals_alone() -> Any:
    return nullcontext()


class Stored:
    """What the database holds afterwards."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query, values)  # type: ignore[arg-type]
            return await cursor.fetchall()

    async def touchpoints(self) -> list[dict[str, Any]]:
        return await self.rows("select * from touchpoints order by touchpoint")

    async def events(self) -> list[str]:
        return [row["event"] for row in await self.touchpoints()]

    async def pending(self) -> int:
        return (await self.rows("select count(*) as n from outbox"))[0]["n"]

    async def refused(self) -> list[str]:
        rows = await self.rows("select reason from refused_touchpoints order by refused")
        return [row["reason"] for row in rows]


@pytest.fixture
def stored(pool: Pool) -> Stored:
    return Stored(pool)


@pytest_asyncio.fixture(scope="session")
async def house(postgres: PostgresServer, migrated_template: str) -> AsyncIterator[GuestHouse]:
    """One hotel for all tests of customers' pages: each test has guests of its own."""
    url = await postgres.create_database("guests", template=migrated_template)
    pool = await open_pool(url)
    house = GuestHouse(pool, ADDRESS, url)
    await house.open()
    yield house
    await pool.close()


@pytest_asyncio.fixture(scope="session")
async def visitor(house: GuestHouse) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody with a link, or without. Who listens to a status page is let go at once."""
    live = LiveStatus(every_seconds=0.01, longest_seconds=0.02)
    transport = httpx2.ASGITransport(app=house.app(live))
    async with LinkBrowser(transport=transport, base_url=ADDRESS) as client:
        yield client
