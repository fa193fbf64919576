"""What the peers have in common: their own environment, their stores, one process that also takes their touchpoints."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import psutil

from benchmarks.production.postgres_programs import full_postgres
from benchmarks.side_by_side.contender import Ack, History, Meter
from benchmarks.side_by_side.peers.door import DoorClient
from benchmarks.side_by_side.peers.environment import peers_python, versions_of
from benchmarks.side_by_side.postgres_meter import SETTINGS, PostgresMeter
from benchmarks.side_by_side.programs import Program
from benchmarks.side_by_side.scenario import Scenario
from benchmarks.side_by_side.sink import Sink
from workers.embedded.postgres_server import PostgresServer

NO_HISTORY = "it keeps no history that grows with what happens"


class Peer:
    """A Python engine on a PostgreSQL of its own; its module runs as `python -m MODULE WHAT URL SINK DOOR SECONDS`."""

    name: str
    title: str
    licence: str
    module: str
    packages: Sequence[str]
    without: Mapping[str, str] = {"noise": NO_HISTORY}
    kinds: Sequence[str] = ("worker",)
    """Its processes; the last of them takes touchpoints."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._parts = AsyncExitStack()
        self._programs: dict[str, Program] = {}
        self._postgres: PostgresServer | None = None

    async def start(self, folder: Path) -> None:
        """Store and processes."""
        self._python = await asyncio.to_thread(peers_python)
        self.sink = Sink(folder / "sent.tsv")
        self._door = DoorClient(folder / "door")
        url = await self._store(folder)
        self._url, self._place = url, folder
        for kind in self.kinds:
            self._programs[kind] = self._program(kind)
            await self._programs[kind].start()

    def _program(self, kind: str, *more: str) -> Program:
        seconds = str(self._scenario.wait_seconds)
        words = [kind, self._url, str(self.sink.path), str(self._place / "door"), seconds, *more]
        return Program([str(self._python), "-P", "-m", self.module, *words], self._place, kind, {})

    async def _store(self, folder: Path) -> str:
        """What it keeps things in, as a URL: here a PostgreSQL with the settings that everybody has."""
        self._postgres = PostgresServer(
            folder / "postgres", settings=SETTINGS, programs=full_postgres()
        )
        await self._parts.enter_async_context(self._postgres)
        await PostgresMeter(self._postgres.url()).prepare()
        return await self._postgres.create_database("journeys")

    async def stop(self) -> None:
        """End all of it."""
        for program in self._programs.values():
            await program.stop()
        if self._programs:
            await self._door.close()
        await self._parts.aclose()

    async def know(self, customers: Sequence[str]) -> None:
        """None are kept."""

    async def taken(self) -> None:
        """An acknowledgement says so."""

    async def begin(self, journey: str, customer: str, due: str | None = None) -> Ack:
        """By its own door."""
        asked = time.monotonic()
        await self._door.ask(do="begin", journey=journey, customer=customer, due=due)
        return Ack(asked, time.monotonic())

    async def touch(self, journey: str, customer: str, event: str) -> Ack:
        """By its own door. Raises: `ConnectionError` where it is not taken."""
        asked = time.monotonic()
        await self._door.ask(do="touch", journey=journey, customer=customer, event=event)
        return Ack(asked, time.monotonic())

    async def history(self, journey: str, customer: str) -> History | None:
        """None is kept."""
        return None

    async def ended(self, journey: str, customer: str) -> bool:
        """As its own process says."""
        return bool(await self._door.ask(do="ended", journey=journey, customer=customer))

    def meter(self) -> Meter | None:
        """Its PostgreSQL."""
        return PostgresMeter(self._postgres.url()) if self._postgres else None

    def pids(self) -> Mapping[str, Sequence[int]]:
        """Each of its own processes with its children, and the database."""
        found = {
            kind: [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
            for kind, program in self._programs.items()
            if (pid := program.pid)
        }
        database = self._postgres.pid if self._postgres else None
        return {**found, **({"database": [database]} if database else {})}

    async def kill(self, what: str) -> None:
        """Kill a process or the database, and start it again at once."""
        if what == "database":
            assert self._postgres is not None
            await self._postgres.kill()
            await self._postgres.start()
        else:
            await self._programs[what].again()

    def versions(self) -> Mapping[str, str]:
        """Of its packages, and of PostgreSQL's programs."""
        return versions_of(self._python, *self.packages)
