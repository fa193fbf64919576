"""A whole installation as in production, on one machine: `python -m benchmarks.production.stack [--servers 2]`.

As `clew up`, with several of Temporal's production servers on PostgreSQL in place of its development server.
"""

import argparse
import asyncio
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.production.cluster import TemporalCluster
from benchmarks.production.postgres_programs import full_postgres
from benchmarks.production.programs import find_programs
from contracts.clock import RunClock
from workers.embedded.postgres_server import PostgresServer
from workers.embedded.stack import NAMESPACE, ONE_OF_EACH, Ports, Stack, TemporalPlace

TWO_OF_EACH = {"journey": 2, "delivery": 2, "router": 2, "api": 1, "mailbox": 1}


class ProductionStack(Stack):
    """As `Stack`; its members are also `temporal`, `temporal-2`, … and, before several, `door`.

    `servers`: how many of Temporal's. `dynamic`: its dynamic configuration. `postgres`: settings of
    PostgreSQL.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        servers: int = 2,
        shards: int = 4,
        dynamic: Mapping[str, Any] | None = None,
        postgres: Mapping[str, str] | None = None,
        say: Callable[[str], None] = print,
        ports: Ports | None = None,
        processes: Mapping[str, int] = ONE_OF_EACH,
        clock: RunClock | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(
            state_dir, say=say, ports=ports, processes=processes, clock=clock, settings=settings
        )
        self._servers = servers
        self._shards = shards
        self._dynamic = dynamic
        self._postgres_settings = postgres
        self._cluster: TemporalCluster | None = None

    @property
    def cluster(self) -> TemporalCluster:
        """Temporal's servers. Only of a stack that was started."""
        if self._cluster is None:
            raise RuntimeError("the stack has not been started")
        return self._cluster

    async def _start_servers(self, ports: Ports) -> tuple[PostgresServer, TemporalPlace]:
        programs = await asyncio.to_thread(find_programs, self._say)
        folder = self.files.folder
        postgres = PostgresServer(
            folder / "postgres", settings=self._postgres_settings, programs=full_postgres()
        )
        self._members["postgres"] = postgres
        await self._database(postgres)
        self._cluster = TemporalCluster(
            programs,
            folder / "temporal",
            postgres.url(),
            servers=self._servers,
            shards=self._shards,
            namespace=NAMESPACE,
            dynamic=self._dynamic,
        )
        for n, server in enumerate(self._cluster.servers, 1):
            self._members["temporal" if n == 1 else f"temporal-{n}"] = server
        if self._cluster.door is not None:
            self._members["door"] = self._cluster.door
        await self._cluster.start()
        return postgres, TemporalPlace(self._cluster.address)


async def _up(servers: int, state: Path) -> None:
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    async with ProductionStack(state, servers=servers, processes=TWO_OF_EACH) as stack:
        print(f"API {stack.addresses.api}, Temporal {stack.addresses.temporal_address}")
        for name, pid in stack.pids.items():
            print(f"  {name}: process {pid}")
        print("Ctrl-C ends it.")
        await end.wait()


if __name__ == "__main__":
    words = argparse.ArgumentParser(description="An installation as in production, on one machine.")
    words.add_argument("--servers", type=int, default=2, help="how many Temporal servers")
    words.add_argument("--state", type=Path, default=Path(".clew-production"), help="its folder")
    told = words.parse_args()
    asyncio.run(_up(told.servers, told.state))
