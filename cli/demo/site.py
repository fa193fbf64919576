"""Serves the demo's page from the demo's own process, which outlives the kill of everything."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

import uvicorn

from console.flight import DemoActs, flight_app
from console.flight_picture import Stage

PORT = 8600


class _Server(uvicorn.Server):
    """Leaves signals to the demo."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@asynccontextmanager
async def demo_site(stage: Stage, acts: DemoActs, port: int = PORT) -> AsyncGenerator[str]:
    """Serve the page; yields its address. A port that is taken, or 0, becomes a free one."""
    with _listen(port) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/demo"
        config = uvicorn.Config(
            flight_app(stage, acts),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve([listening]), name="demo page")
        try:
            yield address
        finally:
            stage.close()
            server.should_exit = True
            await serving


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError:
        return socket.create_server(("127.0.0.1", 0))
