"""Each process by itself: its metrics, its refusal of an unfit server, its way out."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from pathlib import Path
from uuid import uuid4

import httpx2 as httpx
import pytest
from temporalio.client import Client

from workers.connections import require_search_attributes
from workers.embedded.child_process import free_port
from workers.process import UnfitInstallationError
from workers.temporal_setup import register_namespace, register_search_attributes


async def start(kind: str, **settings: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "workers", kind,
        env={**os.environ, "CLEW_SECRET": "s" * 32, **settings},
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def exists(file: Path, process: Process) -> None:
    async with asyncio.timeout(90):
        while not file.exists():
            assert process.returncode is None
            await asyncio.sleep(0.1)


async def said(process: Process) -> str:
    _, err = await asyncio.wait_for(process.communicate(), 60)
    return err.decode()


@pytest.mark.timeout(200)
async def test_a_process_offers_its_metrics_and_ends_when_asked(tmp_path: Path) -> None:
    port, ready = free_port(), tmp_path / "ready"
    process = await start(
        "mailbox",
        CLEW_MAILBOX_FOLDER=str(tmp_path / "mails"),
        CLEW_MAILBOX_SMTP_PORT="0",
        CLEW_MAILBOX_HTTP_PORT="0",
        CLEW_METRICS_PORT=str(port),
        CLEW_READY_FILE=str(ready),
    )
    await exists(ready, process)

    async with httpx.AsyncClient() as http:
        metrics = await http.get(f"http://127.0.0.1:{port}/metrics")
    process.send_signal(signal.SIGTERM)
    words = await said(process)

    assert "clew_routing_lag_seconds" in metrics.text
    assert process.returncode == 0, words
    assert [line for line in words.splitlines() if '"event": "ended"' in line]


async def test_a_port_that_is_taken_ends_the_process_in_words(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    process = await start(
        "mailbox", CLEW_MAILBOX_FOLDER=str(tmp_path), CLEW_MAILBOX_SMTP_PORT=str(port)
    )
    words = await said(process)

    assert process.returncode == 1
    assert "address already in use" in words.lower()
    server.close()


@pytest.mark.timeout(200)
async def test_a_database_without_our_tables_is_refused_with_the_remedy(
    postgres: object, temporal_address: str
) -> None:
    from workers.embedded.postgres_server import PostgresServer

    assert isinstance(postgres, PostgresServer)
    empty = await postgres.create_database(f"empty_{uuid4().hex}")

    process = await start("router", CLEW_DATABASE_URL=empty, TEMPORAL_ADDRESS=temporal_address)
    words = await said(process)

    assert process.returncode == 1
    assert "python -m deploy.prepare" in words


async def test_a_namespace_without_our_search_attributes_is_refused_with_the_remedy(
    temporal_address: str,
) -> None:
    client = await Client.connect(temporal_address, namespace=f"bare-{uuid4().hex[:8]}")
    await register_namespace(client)

    async def refused() -> str:
        try:
            await require_search_attributes(client)
        except UnfitInstallationError as error:
            return str(error)
        return ""

    words = await refused()
    assert "ClewJourney" in words
    assert "python -m deploy.prepare" in words

    await register_search_attributes(client)
    async with asyncio.timeout(60):
        while await refused():
            await asyncio.sleep(0.5)
