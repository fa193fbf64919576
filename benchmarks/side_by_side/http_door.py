"""Touchpoints over HTTP/1.1 with connections that stay open: cheap, so that it measures others and not itself."""

import asyncio
import base64
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

COMES_AGAIN = 30
"""So many times is asked again where the server is too busy, as client SDKs do."""


class DoorRefusedError(Exception):
    """The server answered, and did not take it."""


class _BusyError(DoorRefusedError):
    """429: come again after so many seconds."""

    def __init__(self, words: str, seconds: float) -> None:
        super().__init__(words)
        self.seconds = seconds


class HttpDoor:
    """Posts JSON to one server; as many connections as are used at once."""

    def __init__(self, host: str, port: int, *, user: str) -> None:
        self._where = (host, port)
        basic = base64.b64encode(f"{user}:".encode()).decode()
        self._headers = f"Host: {host}:{port}\r\nAuthorization: Basic {basic}\r\nContent-Type: application/json\r\n"
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, path: str, body: Mapping[str, Any]) -> None:
        """Post; returns when the server took it (2xx), asked again where it is busy.

        Raises: `ConnectionError`, `DoorRefusedError`.
        """
        given = json.dumps(body).encode()
        request = f"POST {path} HTTP/1.1\r\n{self._headers}Content-Length: {len(given)}\r\n\r\n"
        whole = request.encode() + given
        for _ in range(COMES_AGAIN):
            try:
                return await self._once(path, whole)
            except _BusyError as busy:
                await asyncio.sleep(busy.seconds)
        return await self._once(path, whole)

    async def _once(self, path: str, whole: bytes) -> None:
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
            answer = await reader.readexactly(_number(head, b"content-length:", 0))
        except BaseException:
            writer.close()
            raise
        self._free.append(pair)
        said = f"{path}: {head[:40]!r} {answer[:300]!r}"
        if head.startswith(b"HTTP/1.1 429"):
            raise _BusyError(said, _number(head, b"retry-after:", 1))
        if not head.startswith(b"HTTP/1.1 2"):
            raise DoorRefusedError(said)

    async def close(self) -> None:
        """Close what is open and not in use."""
        for _, writer in self._free:
            writer.close()
        self._free.clear()


def _number(head: bytes, name: bytes, otherwise: int) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(name):
            return int(line.split(b":")[1])
    return otherwise
