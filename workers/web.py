"""Serving HTTP inside a process of ours, which hears signals itself."""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn

from workers.process import Life


class _Server(uvicorn.Server):
    """Leaves signals to the process; `life.stop` ends it."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def serve_http(app: Any, host: str, port: int, life: Life, *, drain_seconds: float) -> None:
    """Serve until told to stop; then answer what was asked. Port 0 takes a free one.

    Raises: `OSError` where the port is taken.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # paths hold identities and signed links
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=int(drain_seconds),
    )
    server = _Server(config)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=2048) as listening:
        serving = asyncio.create_task(server.serve([listening]), name="http")
        stopping = asyncio.create_task(life.stop.wait())
        while not server.started and not serving.done():  # noqa: ASYNC110 -- uvicorn tells by a flag
            await asyncio.sleep(0.02)
        life.ready()
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        server.should_exit = True
        await serving
