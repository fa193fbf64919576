"""What a router needs, and at which pace it works."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from pydantic import JsonValue

from contracts.routing import NumberedUnit, PendingBatch, PendingTouchpoint, PutBack, RoutedBatch
from routing.entry_scanner import EntryLooks
from routing.journey_programs import JourneyPrograms
from routing.signals import RunSignals


class OpenRun(Protocol):
    """A run under way: where to signal it, and which version says what it listens to."""

    @property
    def entry(self) -> int: ...
    @property
    def workflow_id(self) -> str: ...
    @property
    def journey(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def key(self) -> str | None: ...
    @property
    def gives_way(self) -> bool: ...
    @property
    def entering(self) -> str | None: ...
    @property
    def moved(self) -> bool: ...


class OpenRuns(Protocol):
    """Where runs are kept."""

    async def open_runs_of(self, customer: str) -> Sequence[OpenRun]: ...


class Profiles(Protocol):
    """Where customers are kept."""

    async def profile(self, customer: str) -> dict[str, JsonValue]: ...


class Outbox(Protocol):
    """What is pending; `stores.outbox.OutboxStore` says what each guarantees."""

    async def number(self, holder: str, unit: str, limit: int) -> NumberedUnit: ...
    async def pending(
        self, unit: str, limit: int, begun: frozenset[int] = frozenset()
    ) -> PendingBatch: ...
    async def put_back(self, unit: str) -> Mapping[str, PutBack]: ...
    async def subjects_of(self, entries: Sequence[int]) -> dict[int, set[tuple[str, str]]]: ...
    async def fan_out(self, holder: str, unit: str, limit: int) -> int: ...
    async def finish(self, holder: str, unit: str, batch: RoutedBatch) -> timedelta: ...
    async def empty(self) -> bool: ...


class Leases(Protocol):
    """Who works on which unit; `stores.leases.UnitLeases` says what each guarantees."""

    async def take(self, holder: str, most: int, lasting: timedelta) -> list[str]: ...
    async def renew(self, holder: str, unit: str, lasting: timedelta) -> bool: ...
    async def release(self, holder: str, unit: str, rest: timedelta | None = None) -> None: ...


class Readings(Protocol):
    """What is read from touchpoints before journeys see them; `stores.customer_readings` says what it guarantees."""

    async def read(self, customer: str, came: Sequence[PendingTouchpoint]) -> None: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class Pace:
    """How much a router does at once, and how long it waits for what."""

    units: int = 8
    batch: int = 500
    lease: timedelta = timedelta(seconds=30)
    poll: timedelta = timedelta(seconds=1)
    first_rest: timedelta = timedelta(milliseconds=200)
    longest_rest: timedelta = timedelta(seconds=10)
    farewell: timedelta = timedelta(seconds=5)


@dataclass(slots=True, kw_only=True)
class RouterParts:
    """What a router works with."""

    outbox: Outbox
    leases: Leases
    runs: OpenRuns
    profiles: Profiles
    programs: JourneyPrograms
    signals: RunSignals
    looks: EntryLooks | None = None
    readings: Readings | None = None
