"""A place on this machine where nobody may ever call, and who tries to connect to anything at all."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Trap:
    """Listens at every address of this machine, in both kinds of IP."""

    port: int = 0
    hits: int = 0
    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    asked: list[str] = field(default_factory=list[str])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, and count it."""
        self.hits += 1
        try:
            first = await reader.readline()
            self.asked.append(first.decode(errors="replace").strip())
            while (await reader.readline()).strip():
                pass
            writer.write(self.answer)
            await writer.drain()
        except (ConnectionError, ValueError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def trap() -> AsyncGenerator[Trap]:
    """A trap that is open."""
    laid = Trap()
    four = await asyncio.start_server(laid.serve, "0.0.0.0", 0)
    laid.port = four.sockets[0].getsockname()[1]
    six = await asyncio.start_server(laid.serve, "::", laid.port)
    try:
        yield laid
    finally:
        for server in (four, six):
            server.close()


_watching: list[list[str]] = []


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _watching and isinstance(args[1], tuple):
        _watching[-1].append(f"{args[1][0]} {args[1][1]}")


sys.addaudithook(_hear)


@contextmanager
def connections() -> Generator[list[str]]:
    """Every connection over IP that this process begins meanwhile, whoever asks for it and wherever it leads."""
    seen: list[str] = []
    _watching.append(seen)
    try:
        yield seen
    finally:
        _watching.remove(seen)
