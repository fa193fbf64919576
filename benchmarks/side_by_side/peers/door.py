"""A peer's own process as what takes its touchpoints: one line of JSON each over a socket, many at once.

Nothing but the standard library: it runs in the peer's environment too.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

Do = Callable[[dict[str, Any]], Awaitable[Any]]
LINE = 1 << 20


async def open_door(path: Path, do: Do) -> asyncio.Server:
    """Answer each line when `do` is done with it: then what it tells of is durable."""
    path.unlink(missing_ok=True)  # noqa: ASYNC240 -- local; of the process before, which was killed
    under_way = set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for line in reader:
            task = asyncio.ensure_future(answer(json.loads(line), writer))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        writer.close()

    async def answer(asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        told: dict[str, Any] = {"n": asked["n"]}
        try:
            told["value"] = await do(asked)
        except Exception as error:
            told["error"] = f"{type(error).__name__}: {error}"[:300]
        writer.write(json.dumps(told).encode() + b"\n")

    return await asyncio.start_unix_server(serve, path, limit=LINE)


class DoorClient:
    """The other end; connects again by itself after the process was killed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._asked = 0

    async def ask(self, **what: Any) -> Any:
        """Ask and wait for the answer. Raises: `ConnectionError` where it is not taken."""
        async with self._connecting:
            writer = self._writer or await self._connect()
        self._asked += 1
        future = self._waiting[self._asked] = asyncio.get_running_loop().create_future()
        writer.write(json.dumps({**what, "n": self._asked}).encode() + b"\n")
        return await future

    async def _connect(self) -> asyncio.StreamWriter:
        try:
            reader, self._writer = await asyncio.open_unix_connection(self._path, limit=LINE)
        except OSError as error:
            raise ConnectionError(str(error)) from error
        self._reading = asyncio.ensure_future(self._read(reader))
        return self._writer

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            async for line in reader:
                told = json.loads(line)
                future = self._waiting.pop(told["n"])
                if "error" in told:
                    future.set_exception(ConnectionError(told["error"]))
                else:
                    future.set_result(told["value"])
        except OSError:
            pass  # as when it ends in order: whoever waits is told below
        self._writer = None
        for future in self._waiting.values():
            future.set_exception(ConnectionError("the process that was asked has ended"))
        self._waiting.clear()

    async def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()
            await self._writer.wait_closed()
        if self._reading is not None:
            await self._reading
