"""A Redis as our child, and what it counts."""

import asyncio
import signal
from pathlib import Path
from time import monotonic

from benchmarks.side_by_side.peers.environment import redis_server
from benchmarks.side_by_side.postgres_meter import Reading, Texts
from workers.embedded.child_process import ChildProcess, free_port, spawn

NOT_COUNTED = float("nan")
START_SECONDS = 30
OWN = ("info", "ping", "bgrewriteaof")
"""What only we ask."""


class RedisServer:
    """One Redis. Each write is on the disk before it is answered, as a commit of the others is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._child: ChildProcess | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._child.pid if self._child is not None and self._child.running else None

    async def start(self) -> None:
        """Start it and wait until it answers. Raises: `NotHereError`, `EmbeddedServerError` in words."""
        self._folder.mkdir(exist_ok=True)
        words = ["--port", str(self._port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        words += ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        self._child = await spawn(
            [str(redis_server()), *words],
            log=self._folder / "redis.log",
            when_parent_dies=signal.SIGKILL,
        )
        async with asyncio.timeout(START_SECONDS):
            while True:
                self._child.check_running()
                try:
                    if await self.ask("PING") == "PONG":
                        return
                except OSError:
                    pass
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """End it in order."""
        if self._child is not None:
            await self._child.stop(signal.SIGTERM, 20)

    async def kill(self) -> None:
        """End it as a crash would."""
        if self._child is not None:
            await self._child.kill()

    async def ask(self, command: str) -> str:
        """One command and its answer, where that is one text."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(command.encode() + b"\r\n")
            first = (await reader.readline()).decode().strip()
            if not first.startswith("$"):
                return first.lstrip("+")
            return (await reader.readexactly(int(first[1:]))).decode()
        finally:
            writer.close()

    async def numbers(self, section: str) -> dict[str, str]:
        """A section of INFO."""
        lines = (await self.ask(f"INFO {section}")).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)


class RedisMeter:
    """Calls and the growth of the append-only file; it has no transactions that could be counted."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server

    async def read(self) -> Reading:
        """The counters now."""
        calls = sum((await self.texts()).values())
        appended = float((await self._server.numbers("persistence"))["aof_current_size"])
        return Reading(monotonic(), NOT_COUNTED, appended, NOT_COUNTED, calls)

    async def texts(self) -> Texts:
        """Every command by name, without our own."""
        told = await self._server.numbers("commandstats")
        calls = {
            name.removeprefix("cmdstat_"): int(words.split(",")[0].removeprefix("calls="))
            for name, words in told.items()
        }
        return {("redis", name): count for name, count in calls.items() if name not in OWN}

    async def bytes(self) -> int:
        """All of it is in memory."""
        return int((await self._server.numbers("memory"))["used_memory"])

    async def settle(self) -> None:
        """Nothing is ever dirty."""
