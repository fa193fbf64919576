"""Telling runs: what the router asks of whoever can reach them, and how that can fail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import JsonValue

Told = Mapping[str, JsonValue]
"""A touchpoint over the wire: message_id, event, timestamp, properties, context, number."""


class RunClosedError(RuntimeError):
    """There is no run under way under this workflow id."""


class SignalRefusedError(RuntimeError):
    """The server will never take this signal; the message says why."""


class RunsUnreachableError(RuntimeError):
    """Runs cannot be reached now; the same call may succeed later, and may have succeeded."""


@dataclass(slots=True, frozen=True, kw_only=True)
class RunStart:
    """A run to be started by signal-with-start: which journey, for whom, with what."""

    workflow_id: str
    journey: str
    version: str
    customer: str
    key: str | None
    title: str
    touchpoint: Told


class RunSignals(Protocol):
    """Reaches runs. Both calls may be repeated: a run counts each number once."""

    async def signal(self, workflow_id: str, touchpoints: Sequence[Told]) -> None:
        """Tell a run one touchpoint, or several in one signal.

        Raises: `RunClosedError`, `SignalRefusedError`, `RunsUnreachableError`.
        """
        ...

    async def start(self, start: RunStart) -> str:
        """Start a run with a touchpoint, or tell it to the one that is under way under this id.

        Returns the server's id of the run. Raises: `RunsUnreachableError`.
        """
        ...
