"""A database without room, and a process without connections: refused early, and taken again by itself."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest_asyncio
from fastapi import FastAPI

from api.app import create_app
from api.ingest import Ingest
from api.intake import Intake
from api.pressure import Pressure
from api.write_key_check import WriteKeyCheck
from stores.customers import CustomerStore
from stores.database import Pool, open_pool
from stores.write_keys import WriteKeyStore
from tests.integration.api.conftest import KEY, SilentBell

BOUGHT: dict[str, Any] = {
    "type": "track", "event": "Bought", "userId": "anna", "messageId": "m1",
    "timestamp": "2026-11-22T12:00:00Z",
}  # fmt: skip

_FULL = """
create function no_room() returns trigger language plpgsql as $$
begin
    raise exception 'could not extend file: No space left on device' using errcode = 'disk_full';
end $$;
create trigger no_room before insert on touchpoints for each row execute function no_room();
"""


@pytest_asyncio.fixture
async def small(database: str) -> AsyncIterator[Pool]:
    """Two connections, and no patience for a third."""
    pool = await open_pool(database, most=2, wait_seconds=0.2)
    yield pool
    await pool.close()


async def stored(pool: Pool) -> int:
    async with pool.connection() as connection:
        row = await (await connection.execute("select count(*) as n from touchpoints")).fetchone()
    assert row is not None
    return int(row["n"])


async def test_a_full_disk_refuses_and_what_is_sent_again_is_taken_once(
    client: httpx2.AsyncClient, pool: Pool
) -> None:
    async with pool.connection() as connection:
        await connection.execute(_FULL)

    refused = await client.post("/v1/track", json=BOUGHT)
    async with pool.connection() as connection:
        await connection.execute("drop trigger no_room on touchpoints")

    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert await stored(pool) == 0
    for _ in range(2):
        assert (await client.post("/v1/track", json=BOUGHT)).status_code == 200
    assert await stored(pool) == 1


async def test_who_finds_every_connection_taken_is_asked_to_come_again(
    small: Pool, bell: SilentBell
) -> None:
    keys = WriteKeyStore(small)
    await keys.add("shop", KEY)
    intake = Intake(small, CustomerStore(small), bell)
    app: FastAPI = create_app(ingest=Ingest(intake, WriteKeyCheck(keys), Pressure()))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://clew", auth=(KEY, "")
    ) as client:
        async with small.connection(), small.connection():
            refused = await client.post("/v1/track", json=BOUGHT)

        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert (await client.post("/v1/track", json=BOUGHT)).status_code == 200
    assert await stored(small) == 1
