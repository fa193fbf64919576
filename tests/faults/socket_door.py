"""A TCP port that leads to a UNIX socket: what spoils lines knows only TCP, and our PostgreSQL has only the other."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

BYTES = 65_536


@asynccontextmanager
async def socket_door(socket: Path) -> AsyncGenerator[int]:
    """The port, for so long. Who ends on one side ends on the other."""
    under_way: set[asyncio.StreamWriter] = set()

    async def let_in(near: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        try:
            far, asks = await asyncio.open_unix_connection(socket)
        except OSError:  # the server is down: so is the door
            answers.close()
            return
        under_way.update({answers, asks})
        try:
            both = {
                asyncio.create_task(_copy(near, asks)),
                asyncio.create_task(_copy(far, answers)),
            }
            _, other = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in other:
                task.cancel()
        finally:
            under_way.difference_update({answers, asks})
            asks.close()
            answers.close()

    server = await asyncio.start_server(let_in, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in [*under_way]:
            writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while read := await reader.read(BYTES):
            writer.write(read)
            await writer.drain()
