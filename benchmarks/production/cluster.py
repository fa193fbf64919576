"""Several production servers on one PostgreSQL as one Temporal, behind one address."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError

from benchmarks.production.programs import Programs
from benchmarks.production.server import ProductionServer
from benchmarks.production.server_tables import make_tables
from contracts.search_attributes import SEARCH_ATTRIBUTES
from workers.embedded.child_process import (
    ChildProcess,
    EmbeddedServerError,
    free_port,
    port_taken,
    spawn,
)
from workers.embedded.own_process import CLONE, code_of
from workers.temporal_setup import register_namespace, register_search_attributes

READY_SECONDS = 60
STOP_SECONDS = 5


class Door:
    """The front door as our child (front_door.py)."""

    def __init__(self, servers: Sequence[ProductionServer], folder: Path) -> None:
        self.port = free_port()
        self._servers = servers
        self._log = folder / "front_door.log"
        self._child: ChildProcess | None = None

    @property
    def address(self) -> str:
        """Where clients connect to."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._child.pid if self._child is not None and self._child.running else None

    async def start(self) -> None:
        """Start it and wait until it listens. Raises: `EmbeddedServerError` where it ended."""
        module = "benchmarks.production.front_door"
        addresses = [each.address for each in self._servers]
        command = [sys.executable, "-P", "-m", module, str(self.port), *addresses]
        self._child = await spawn(
            command,
            log=self._log,
            when_parent_dies=signal.SIGKILL,
            environment={**os.environ, **code_of(CLONE)},
        )
        while not port_taken(self.port):
            self._child.check_running()
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """End it."""
        if self._child is not None:
            await self._child.stop(signal.SIGTERM, STOP_SECONDS)

    async def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        if self._child is not None:
            await self._child.kill()


class TemporalCluster:
    """Servers that share two databases beside ours and find each other there.

    `url`: a PostgreSQL on which databases may be made; `server_url`: the same for a lesser role that the
    servers work with. `servers[0].kill()` ends one, by its pid, and
    `servers[0].start()` starts it again; `address` goes on to answer meanwhile, through the others.
    One server alone needs no door, and `address` is its own.
    """

    def __init__(
        self,
        programs: Programs,
        folder: Path,
        url: str,
        *,
        servers: int = 2,
        shards: int = 4,
        namespace: str = "default",
        dynamic: Mapping[str, Any] | None = None,
        search_attributes: Sequence[SearchAttributeKey[Any]] = SEARCH_ATTRIBUTES,
        server_url: str | None = None,
    ) -> None:
        self._programs = programs
        self._url = url
        self._attributes = search_attributes
        self.namespace = namespace
        self.servers = [
            ProductionServer(
                programs.server,
                folder / f"server-{n}",
                server_url or url,
                shards=shards,
                dynamic=dynamic,
            )
            for n in range(1, servers + 1)
        ]
        self.door = Door(self.servers, folder) if servers > 1 else None

    @property
    def address(self) -> str:
        """Where clients and workers connect to (`TEMPORAL_ADDRESS`)."""
        return self.door.address if self.door else self.servers[0].address

    async def start(self) -> None:
        """Make the tables, start every server and the door, and register what runs need.

        Raises:
            EmbeddedServerError: something did not come up; the message says what, and its last words.
        """
        await make_tables(self._url, self._programs.tool)
        # The first alone: it writes what a cluster is, into tables that are still empty.
        for server in self.servers:
            await server.start()
        if self.door is not None:
            await self.door.start()
        await self._register()

    async def stop(self) -> None:
        """End all of them in order."""
        if self.door is not None:
            await self.door.stop()
        await asyncio.gather(*(server.stop() for server in self.servers))

    async def __aenter__(self) -> "TemporalCluster":
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _register(self) -> None:
        client = await Client.connect(self.address, namespace=self.namespace)
        await register_namespace(client)
        if self._attributes:
            await register_search_attributes(client, self._attributes)
        try:
            async with asyncio.timeout(READY_SECONDS):
                # Each server reads namespaces from the database every few seconds.
                for server in self.servers:
                    await self._until_known(server)
        except TimeoutError:
            raise EmbeddedServerError(
                f"namespace {self.namespace} is not usable after {READY_SECONDS} s"
            ) from None

    async def _until_known(self, server: ProductionServer) -> None:
        client = await Client.connect(server.address, namespace=self.namespace)
        while True:
            try:
                await client.count_workflows()
            except RPCError:
                await asyncio.sleep(0.1)
            else:
                return
