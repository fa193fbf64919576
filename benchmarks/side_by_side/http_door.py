"""Touchpoints over HTTP/1.1 with connections that stay open: cheap, so that it measures others and not itself."""

import asyncio
import base64
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any


class DoorRefusedError(Exception):
    """The server answered, and did not take it."""


class HttpDoor:
    """Posts JSON to one server; as many connections as are used at once."""

    def __init__(self, host: str, port: int, *, user: str) -> None:
        self._where = (host, port)
        basic = base64.b64encode(f"{user}:".encode()).decode()
        self._headers = f"Host: {host}:{port}\r\nAuthorization: Basic {basic}\r\nContent-Type: application/json\r\n"
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, path: str, body: Mapping[str, Any]) -> None:
        """Post; returns when the server took it (2xx). Raises: `ConnectionError`, `DoorRefusedError`."""
        given = json.dumps(body).encode()
        request = f"POST {path} HTTP/1.1\r\n{self._headers}Content-Length: {len(given)}\r\n\r\n"
        whole = request.encode() + given
        while self._free:
            # One that was open for a while may have been closed at the other end: then another is tried.
            with suppress(OSError, asyncio.IncompleteReadError):
                return await self._over(self._free.pop(), path, whole)
        try:
            await self._over(await asyncio.open_connection(*self._where), path, whole)
        except (OSError, asyncio.IncompleteReadError) as error:
            raise ConnectionError(f"{path}: {error}") from error

    async def _over(
        self, pair: tuple[asyncio.StreamReader, asyncio.StreamWriter], path: str, request: bytes
    ) -> None:
        reader, writer = pair
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            answer = await reader.readexactly(_length(head))
        except BaseException:
            writer.close()
            raise
        self._free.append(pair)
        if not head.startswith(b"HTTP/1.1 2"):
            raise DoorRefusedError(f"{path}: {head[:40]!r} {answer[:300]!r}")

    async def close(self) -> None:
        """Close what is open and not in use."""
        for _, writer in self._free:
            writer.close()
        self._free.clear()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0
