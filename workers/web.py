"""Serving HTTP inside a process of ours, which hears signals itself."""

import asyncio
import socket
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn

from api.callers import Callers
from workers.certificates import server_side
from workers.http_settings import HttpSettings
from workers.process import Life


class _Server(uvicorn.Server):
    """Leaves signals to the process; `life.stop` ends it."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def serve_http(app: Any, host: str, port: int, life: Life, settings: HttpSettings) -> None:
    """Serve until told to stop; then answer what was asked. Port 0 takes a free one.

    Over HTTPS alone where there is a certificate; what comes in the clear from elsewhere is refused.

    Raises: `OSError` where the port is taken, `UnfitInstallationError` where the certificate cannot be used.
    """
    encrypting = http_encryption(settings)
    config = uvicorn.Config(
        Callers(app, settings.networks()),
        log_config=None,
        access_log=False,  # paths hold identities and signed links
        server_header=False,
        proxy_headers=False,  # Callers reads them, of declared proxies
        timeout_graceful_shutdown=int(settings.drain_seconds),
        ssl_context_factory=(lambda _config, _usual: encrypting) if encrypting else None,
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


def http_encryption(settings: HttpSettings) -> ssl.SSLContext | None:
    """How HTTPS is served; None where it is not. Raises: `UnfitInstallationError`."""
    if settings.http_certificate is None:
        return None
    names = "CLEW_HTTP_CERTIFICATE, CLEW_HTTP_KEY"
    return server_side(settings.http_certificate, settings.http_key, names)
