"""Temporal by hand: a workflow of sixty lines, one worker, and whoever knows of a touchpoint signals the run."""

import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from temporalio.service import RPCError

from benchmarks.side_by_side.bare_worker import QUEUE
from benchmarks.side_by_side.contender import Ack, History
from benchmarks.side_by_side.postgres_meter import Meter, PostgresMeter
from benchmarks.side_by_side.programs import Program
from benchmarks.side_by_side.scenario import BEGAN, Scenario
from benchmarks.side_by_side.sink import Sink
from benchmarks.side_by_side.temporal_rig import TemporalRig

PLACES = {"cart_value": 80.0, "currency": "EUR"}


class Bare:
    """Hand-tuned: signal-with-start, short names, one worker whose cache holds what ours holds."""

    def __init__(
        self, scenario: Scenario, *, sandboxed: bool = True, production: bool = True
    ) -> None:
        self.name = "bare" if sandboxed else "bare-unsandboxed"
        self.title = f"Temporal by hand, {'in the' if sandboxed else 'without'} sandbox"
        self.without: Mapping[str, str] = {}
        self.licence = "MIT"
        self._scenario = scenario
        self._sandboxed = sandboxed
        self._rig = TemporalRig(production=production)
        self._worker: Program | None = None
        self._told = 0

    async def start(self, folder: Path) -> None:
        """Server, database and worker."""
        await self._rig.start(folder)
        self.sink = Sink(folder / "sent.tsv")
        self._worker = Program.module(
            [
                "benchmarks.side_by_side.bare_worker",
                self._rig.address,
                str(self.sink.path),
                "sandboxed" if self._sandboxed else "unsandboxed",
            ],
            folder,
            "worker",
            {},
        )
        await self._worker.start()

    async def stop(self) -> None:
        """End all of it."""
        if self._worker is not None:
            await self._worker.stop()
        await self._rig.stop()

    async def know(self, customers: Sequence[str]) -> None:
        """None are kept."""

    async def taken(self) -> None:
        """An acknowledgement says so."""

    async def begin(self, journey: str, customer: str, due: str | None = None) -> Ack:
        """Signal-with-start."""
        given: dict[str, Any] = {"journey": journey, "customer": customer}
        given |= {"wait_seconds": self._scenario.wait_seconds} if journey == "cart" else {}
        given |= {"due": due} if due else {}
        asked = time.monotonic()
        await self._rig.client.start_workflow(
            "bare",
            given,
            id=_id(journey, customer),
            task_queue=QUEUE,
            start_signal="touchpoint",
            start_signal_args=[self._touchpoint(BEGAN)],
        )
        return Ack(asked, time.monotonic())

    async def touch(self, journey: str, customer: str, event: str) -> Ack:
        """A signal. Raises: `ConnectionError` where the server does not take it."""
        handle = self._rig.client.get_workflow_handle(_id(journey, customer))
        asked = time.monotonic()
        try:
            await handle.signal("touchpoint", self._touchpoint(event))
        except RPCError as error:
            raise ConnectionError(error.message) from error
        return Ack(asked, time.monotonic())

    def _touchpoint(self, event: str) -> dict[str, Any]:
        self._told += 1
        return {"message_id": f"m-{self._told}", "event": event, "properties": PLACES}

    async def history(self, journey: str, customer: str) -> History | None:
        """As the server describes it."""
        return await self._rig.history(_id(journey, customer))

    async def ended(self, journey: str, customer: str) -> bool:
        """As the server describes it."""
        return await self._rig.ended(_id(journey, customer))

    def meter(self) -> Meter | None:
        """Temporal's."""
        return PostgresMeter(self._rig.postgres.url()) if self._rig.production else None

    def pids(self) -> Mapping[str, Sequence[int]]:
        """One worker, and the rig's."""
        pid = self._worker.pid if self._worker else None
        return {"worker": [pid] if pid else [], **self._rig.pids()}

    async def kill(self, what: str) -> None:
        """The worker here, the others in the rig."""
        if what == "worker":
            assert self._worker is not None
            await self._worker.again()
        else:
            await self._rig.kill(what)

    def versions(self) -> Mapping[str, str]:
        """The server and the SDK."""
        return {**self._rig.versions(), "temporalio": version("temporalio")}


def _id(journey: str, customer: str) -> str:
    return f"journey/{journey}/{customer}"
