"""One production server of Temporal as our child: all four roles in one process, known by its pid."""

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from temporalio.service import ConnectConfig, RPCError, ServiceClient

from benchmarks.production.server_config import free_ports, write_config
from workers.embedded.child_process import ChildProcess, EmbeddedServerError, spawn

START_SECONDS = 90
START_ATTEMPTS = 3
STOP_SECONDS = 15


class ProductionServer:
    """A server on databases that `make_tables` made. Its config and its log are in `folder`.

    After `stop` or `kill` the next `start` uses the same ports, so addresses stay what they were.
    """

    def __init__(
        self,
        program: Path,
        folder: Path,
        database_url: str,
        *,
        shards: int = 4,
        dynamic: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder = folder
        self._program = program
        self._url = database_url
        self._shards = shards
        self._dynamic = dynamic
        self._ports = free_ports()
        self._child: ChildProcess | None = None

    @property
    def address(self) -> str:
        """Where this one server is spoken to."""
        return f"127.0.0.1:{self._ports['frontend'].grpc}"

    @property
    def log(self) -> Path:
        """What it had to say."""
        return self.folder / "server.log"

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._child.pid if self._child is not None and self._child.running else None

    async def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            EmbeddedServerError: it ended, or did not answer in time; the message has its last words.
        """
        if self.pid is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        for attempts_left in reversed(range(START_ATTEMPTS)):
            try:
                await self._start_once()
                return
            except EmbeddedServerError as ended:
                if "address already in use" not in str(ended) or not attempts_left:
                    raise
                await asyncio.sleep(1)

    async def stop(self) -> None:
        """End it in order: it hands its shards over first."""
        if self._child is not None:
            await self._child.stop(signal.SIGTERM, STOP_SECONDS)

    async def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        if self._child is not None:
            await self._child.kill()

    async def _start_once(self) -> None:
        write_config(
            self.folder, self._url, self._ports, shards=self._shards, dynamic=self._dynamic
        )
        command = [
            str(self._program), "--root", str(self.folder), "--config", ".", "--env", "production",
            "--allow-no-auth", "start",
        ]  # fmt: skip
        self._child = await spawn(
            command,
            log=self.log,
            when_parent_dies=signal.SIGKILL,
            # Nothing of the caller's: each TEMPORAL_* and PG* variable would be obeyed.
            environment={"PATH": os.defpath, "HOME": str(self.folder)},
        )
        try:
            await asyncio.wait_for(self._until_healthy(self._child), START_SECONDS)
        except TimeoutError as late:
            await self.kill()
            raise EmbeddedServerError(
                f"Temporal did not answer on {self.address} within {START_SECONDS} s; "
                f"see {self.log}"
            ) from late

    async def _until_healthy(self, child: ChildProcess) -> None:
        while True:
            child.check_running()
            try:
                service = await ServiceClient.connect(ConnectConfig(target_host=self.address))
                if await service.check_health():
                    return
            except (RPCError, RuntimeError):  # RuntimeError: nobody listens yet
                pass
            await asyncio.sleep(0.1)
