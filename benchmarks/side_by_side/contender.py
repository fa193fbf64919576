"""What a contender must be able to do, whatever it is built on."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.side_by_side.postgres_meter import Meter
from benchmarks.side_by_side.sink import Sink


@dataclass(slots=True, frozen=True)
class History:
    """What one run has written so far, in all its histories, as its engine counts it."""

    events: int
    bytes: int
    transitions: int
    histories: int = 1


@dataclass(slots=True, frozen=True)
class Ack:
    """A touchpoint that was durably taken: when it was asked for, and when the answer came (monotonic, seconds)."""

    asked: float
    answered: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.answered - self.asked


class NotHereError(Exception):
    """A program or package that a contender needs is missing; the message names it and the remedy."""


class Contender(Protocol):
    """One way to build the journeys of scenario.py.

    `begin` and `touch` return when what happened is durable: an engine's own acknowledgement. Both may
    be called many times at once. What is sent appears in `sink`, written by whatever process sends.
    """

    name: str
    title: str
    licence: str
    without: Mapping[str, str]
    """Parts that mean nothing for it, each with the reason."""
    sink: Sink

    async def start(self, folder: Path) -> None:
        """Start everything in an empty folder, each process by its own pid, on free ports.

        Raises: `NotHereError` in words, where a program of it is missing.
        """
        ...

    async def stop(self) -> None:
        """End everything that `start` started."""
        ...

    async def know(self, customers: Sequence[str]) -> None:
        """Get to know customers and their addresses, before anything is measured. Nothing, where none are kept."""
        ...

    async def taken(self) -> None:
        """Until all that was acknowledged has come to where the runs are. Nothing, where an acknowledgement says so."""
        ...

    async def begin(self, journey: str, customer: str, due: str | None = None) -> Ack:
        """Let a customer's run begin by the touchpoint `Began`. `due`: ISO 8601, for `wave`."""
        ...

    async def touch(self, journey: str, customer: str, event: str) -> Ack:
        """Tell what this customer did."""
        ...

    async def history(self, journey: str, customer: str) -> History | None:
        """What the customer's run has cost in history; None where the engine keeps none."""
        ...

    async def ended(self, journey: str, customer: str) -> bool:
        """Whether the customer's run has come to its end."""
        ...

    def meter(self) -> Meter | None:
        """What counts in the store that holds all that this contender keeps; None where nothing can."""
        ...

    def pids(self) -> Mapping[str, Sequence[int]]:
        """Pids by what they are.

        `worker` runs the journeys and sends, `door` takes touchpoints where that is a process of its own,
        `server` is a workflow engine, `database` one with all its children.
        """
        ...

    async def kill(self, what: str) -> None:
        """SIGKILL all processes of one kind, and start them again at once, as a supervisor would."""
        ...

    def versions(self) -> Mapping[str, str]:
        """What was measured: programs and libraries by name."""
        ...


async def all_of(
    contender: Contender, journey: str, customers: Sequence[str], at_once: int
) -> None:
    """Let all of these begin, so many at the same time."""
    waiting = iter(customers)

    async def some() -> None:
        for customer in waiting:
            await contender.begin(journey, customer)

    await asyncio.gather(*(some() for _ in range(at_once)))
