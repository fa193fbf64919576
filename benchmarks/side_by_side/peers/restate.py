# ruff: noqa: S608 -- what is asked is made of names of our own
"""Restate: a server of its own that calls our service, and keeps a journal of each call."""

import asyncio
import json
import signal
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.side_by_side.contender import Ack, History
from benchmarks.side_by_side.http_door import DoorRefusedError, HttpDoor
from benchmarks.side_by_side.peers.environment import restate_server
from benchmarks.side_by_side.peers.peer import Peer
from benchmarks.side_by_side.postgres_meter import Meter
from benchmarks.side_by_side.scenario import ASKED, BOUGHT, STEPPED
from workers.embedded.child_process import ChildProcess, free_port, spawn

START_SECONDS = 60
HANDLERS = {BOUGHT: "bought", ASKED: "asked", STEPPED: "step"}

_CONFIG = """
roles = ["worker", "admin", "metadata-server", "log-server", "http-ingress"]
auto-provision = true
disable-telemetry = true
base-dir = "{folder}"
bind-address = "127.0.0.1:{node}"
log-filter = "error"

[ingress]
bind-address = "127.0.0.1:{ingress}"

[admin]
bind-address = "127.0.0.1:{admin}"
"""


class Restate(Peer):
    """The server beside one process with the service; touchpoints go to the server's ingress, as its documents say."""

    name = "restate"
    title = "Restate, its server and one service"
    licence = "server BUSL-1.1 (run here, not shipped), SDK MIT"
    module = "benchmarks.side_by_side.peers.restate_app"
    packages = ("restate-sdk", "hypercorn")
    without: Mapping[str, str] = {}

    async def start(self, folder: Path) -> None:
        """Server, service, and the one told of the other."""
        self._folder = folder / "restate"
        self._node, self._ingress, self._admin = free_port(), free_port(), free_port()
        self._server: ChildProcess | None = None
        self._binary = await asyncio.to_thread(restate_server)
        self._http = HttpDoor("127.0.0.1", self._ingress, user="nobody")
        self._service = free_port()
        await super().start(folder)
        await self._begin_server()
        told = {"uri": f"http://127.0.0.1:{self._service}"}
        await asyncio.to_thread(self._ask_admin, "/deployments", told)

    async def _store(self, folder: Path) -> str:
        self._folder.mkdir()
        config = _CONFIG.format(
            folder=self._folder, node=self._node, ingress=self._ingress, admin=self._admin
        )
        (self._folder / "restate.toml").write_text(config)
        return f"127.0.0.1:{self._service}"

    async def _begin_server(self) -> None:
        self._server = await spawn(
            [str(self._binary), "-c", str(self._folder / "restate.toml")],
            log=self._folder / "restate.log",
            when_parent_dies=signal.SIGKILL,
        )
        async with asyncio.timeout(START_SECONDS):
            while not await asyncio.to_thread(self._works):
                self._server.check_running()
                await asyncio.sleep(0.1)

    def _works(self) -> bool:
        try:
            for port, path in ((self._admin, "/health"), (self._ingress, "/restate/health")):
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2):
                    pass
        except OSError:
            return False
        return True

    def _ask_admin(self, path: str, body: Mapping[str, Any]) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._admin}{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Accept": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 -- our own
            return json.loads(answer.read())

    async def stop(self) -> None:
        """End all of it."""
        if getattr(self, "_server", None) is not None:
            assert self._server is not None
            await self._server.stop(signal.SIGTERM, 20)
            await self._http.close()
        await super().stop()

    async def begin(self, journey: str, customer: str, due: str | None = None) -> Ack:
        """A call that nobody waits for: acknowledged once it is in the server's log."""
        handler = "begin" if journey == "long" else "run"
        return await self._post(journey, customer, handler, {"due": due})

    async def touch(self, journey: str, customer: str, event: str) -> Ack:
        """The same. Raises: `ConnectionError` where it is not taken."""
        return await self._post(journey, customer, HANDLERS.get(event, "ignored"), {})

    async def _post(
        self, journey: str, customer: str, handler: str, body: Mapping[str, Any]
    ) -> Ack:
        asked = time.monotonic()
        try:
            await self._http.post(f"/{journey}/{customer}/{handler}/send", body)
        except DoorRefusedError as error:
            raise ConnectionError(str(error)) from error
        return Ack(asked, time.monotonic())

    async def history(self, journey: str, customer: str) -> History | None:
        """Entries in the journals of the run and of every call to it."""
        rows = await self._select(
            "select count(*) as entries from sys_journal j join sys_invocation i on i.id = j.id"
            f" where i.target_service_name = '{journey}' and i.target_service_key = '{customer}'"
        )
        entries = int(rows[0]["entries"])
        return History(entries, 0, 0) if entries else None

    async def ended(self, journey: str, customer: str) -> bool:
        """Whether no call of it is under way."""
        rows = await self._select(
            "select count(*) as open from sys_invocation where status <> 'completed'"
            f" and target_service_name = '{journey}' and target_service_key = '{customer}'"
        )
        return not int(rows[0]["open"])

    async def _select(self, query: str) -> list[dict[str, Any]]:
        told = await asyncio.to_thread(self._ask_admin, "/query", {"query": query})
        return told["rows"]

    def meter(self) -> Meter | None:
        """It keeps a log and tables of its own, which nothing counts by the statement."""
        return None

    def pids(self) -> Mapping[str, Sequence[int]]:
        """The service and the server."""
        running = self._server is not None and self._server.running
        server = [self._server.pid] if self._server is not None and running else []
        return {**super().pids(), "server": server}

    async def kill(self, what: str) -> None:
        """The server here, the service as the others."""
        if what == "server":
            assert self._server is not None
            await self._server.kill()
            await self._begin_server()
        else:
            await super().kill(what)

    def versions(self) -> Mapping[str, str]:
        """Server and SDK."""
        lock = json.loads((Path(__file__).parent / "package-lock.json").read_text())
        server = lock["packages"]["node_modules/@restatedev/restate-server"]["version"]
        return {"restate-server": server, **super().versions()}
