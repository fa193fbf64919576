"""Segment's own clients send to us unchanged but for their host."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from segment.analytics.client import Client
from starlette.requests import Request
from starlette.responses import Response

from api.pressure import Pressure
from tests.integration.api.conftest import KEY, Stored, serving

NODE = Path(__file__).parents[1] / "segment_node"

COUNT = 50
EVENTS = {
    "$identify": 3,  # the second by the group that they are in, the third as the cookie became one with them
    "Product Added": COUNT,
    "Looked Around": 1,
    "Page Viewed": 1,
    "Screen Viewed": 1,
    "$group": 1,
    "$alias": 1,
}


async def check(stored: Stored, *, in_order: bool = False) -> None:
    """All of it, once. A client that sends several batches at once keeps no order between them."""
    rows = await stored.touchpoints()
    assert {name: sum(row["event"] == name for row in rows) for name in EVENTS} == EVENTS
    numbers = [row["properties"]["number"] for row in rows if row["event"] == "Product Added"]
    assert (numbers if in_order else sorted(numbers)) == list(range(COUNT))
    assert len({row["customer"] for row in rows if row["event"] == "Product Added"}) == 1
    assert await stored.refused() == []
    [anna] = await stored.rows(
        "select c.* from customers c join identities using (customer) where value = 'anna'"
    )
    assert anna["traits"]["plan"] == "pro"
    assert anna["zone"] == "Europe/Prague"


def send_from_python(host: str, *, gzip: bool) -> list[Any]:
    failures: list[Any] = []
    client = Client(
        KEY,
        host=host,
        gzip=gzip,
        on_error=lambda error, _: failures.append(error),
        upload_interval=0.05,
        upload_size=20,
    )
    traits = {"email": "anna@example.com", "plan": "pro"}
    client.identify("anna", traits, context={"timezone": "Europe/Prague"})
    for number in range(COUNT):
        client.track("anna", "Product Added", {"number": number})
    client.track(None, "Looked Around", anonymous_id="cookie")
    client.page("anna", name="Pricing", properties={"path": "/pricing"})
    client.screen("anna", name="Home")
    client.group("anna", "acme", {"seats": 5})
    client.alias("cookie", "anna")
    client.shutdown()
    return failures


@pytest.mark.parametrize("gzip", [False, True])
async def test_segments_python_client_works_unchanged(
    app: FastAPI, stored: Stored, *, gzip: bool
) -> None:
    async with serving(app) as host:
        failures = await asyncio.to_thread(send_from_python, host, gzip=gzip)

    assert failures == []
    await check(stored, in_order=True)


@pytest.mark.needs("node", "npm")
async def test_segments_node_client_works_unchanged(app: FastAPI, stored: Stored) -> None:
    await prepare()
    async with serving(app) as host:
        sent = await run("node", "send.js", host, KEY, str(COUNT))

    assert json.loads(sent) == {"failures": []}
    await check(stored)


async def test_a_client_that_is_put_off_comes_again_and_loses_nothing(
    app: FastAPI, stored: Stored, pressure: Pressure
) -> None:
    """The first two requests are answered 429: the client waits as it is told, and repeats them."""
    refusals = 0

    async def put_off(request: Request, call_next: Any) -> Response:
        nonlocal refusals
        busy = refusals < 2
        refusals += busy
        pressure.under_way = 64 if busy else 0
        return await call_next(request)

    app.middleware("http")(put_off)
    async with serving(app) as host:
        failures = await asyncio.to_thread(send_from_python, host, gzip=True)

    assert refusals == 2
    assert failures == []
    await check(stored)


async def prepare() -> None:
    """Install the client that package-lock.json names, unless it is there."""
    if not (NODE / "node_modules" / "@segment").is_dir():
        await run("npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund")


async def run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=NODE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, errors = await process.communicate()
    assert process.returncode == 0, (out.decode(), errors.decode()[-2_000:])
    return out.decode()
