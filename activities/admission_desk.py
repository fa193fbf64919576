"""What `admit` needs of the records that say who may enter and who is under way."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue

from contracts.journey_run import AdmitRun, RunReference
from journey.effects import RunRecord
from journey.touchpoint import Touchpoint


class UnknownDefinitionError(LookupError):
    """There is no such version of this journey; publish it first."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Entrant:
    """The customer who would enter, locked until the transaction ends.

    `profile` is what conditions see as `customer`: traits, `id` and `zone`. `formerly`: the id that
    was asked for is that of a customer who became this one. `erased`: they are erased, or about to be.
    """

    customer: str
    zone: str | None
    traits: Mapping[str, JsonValue]
    profile: Mapping[str, JsonValue]
    formerly: str | None = None
    erased: bool = False


@dataclass(slots=True, frozen=True, kw_only=True)
class EarlierAnswer:
    """What the same run was answered before."""

    state: str
    reason: str
    detail: str
    entry: int
    version: str | None
    engine: int
    customer: str
    held_out: bool
    entering_message_id: str | None


@dataclass(slots=True, frozen=True, kw_only=True)
class RunUnderWay:
    """The open run of this journey, customer and key."""

    entry: int
    workflow_id: str


@dataclass(slots=True, frozen=True, kw_only=True)
class EntryHistory:
    """What is known of this journey, customer and key.

    `used`: the message ids among those asked for that have entered before. `previous`: when the
    latest entry was, in run time.
    """

    used: frozenset[str]
    previous: datetime | None
    under_way: RunUnderWay | None


@dataclass(slots=True, frozen=True, kw_only=True)
class NewEntry:
    """A run that may begin. `listens`: subject kind → ids."""

    order: AdmitRun
    customer: str
    version: str
    entering_message_id: str
    held_out: bool
    listens: Mapping[str, tuple[str, ...]]
    holds: str | None = None
    priority: int | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class Refusal:
    """A run that may not begin, and why, for each touchpoint that would have entered it.

    `version` is None where the journey has none that could be entered. `forwarded`: another run is
    asked in its place.
    """

    order: AdmitRun
    customer: str
    version: str | None
    reason: str
    detail: str = ""
    fates: Mapping[str, str] = field(default_factory=dict[str, str])
    forwarded: bool = False


@dataclass(slots=True, frozen=True, kw_only=True)
class GivenNumbers:
    """What the database gave an entry: its number, and the engine that runs it."""

    entry: int
    engine: int


class AdmissionDesk(Protocol):
    """One transaction, alone for this run; from `entrant` on alone for the customer."""

    async def earlier_answer(self) -> EarlierAnswer | None:
        """What this run was answered before, if it was."""
        ...

    async def live_version(self, journey: str) -> str | None:
        """The version that customers enter now."""
        ...

    async def definition(self, version: str) -> bytes | None:
        """The canonical JSON of a version."""
        ...

    async def entrant(self, identity: str) -> Entrant:
        """The customer of our id or of any identity, created where unknown; locks them."""
        ...

    async def history(
        self, journey: str, customer: str, key: str | None, message_ids: Sequence[str]
    ) -> EntryHistory:
        """What is known of earlier entries."""
        ...

    async def entered_since(self, journey: str, since: datetime) -> int:
        """How many have entered the journey after an instant (run time); locks the journey's entries."""
        ...

    async def supersede(self, entry: int) -> None:
        """Close the record of a run that is no more: another one runs under its workflow id."""
        ...

    async def enter(self, entry: NewEntry) -> GivenNumbers:
        """Open the run; what its customer and its subjects had since it began is routed again."""
        ...

    async def write_first(self, entry: int, record: RunRecord) -> None:
        """Write down how the run of this entry stands at first."""
        ...

    async def refuse(self, refusal: Refusal) -> None:
        """Record that the run may not begin, also among the fates of its touchpoints."""
        ...

    async def hand_over(self, customer: str, run: str, touchpoints: Sequence[Touchpoint]) -> None:
        """Store touchpoints as the customer's own, so that their open run gets them."""
        ...


class AdmissionDesks(Protocol):
    """Where admissions are decided and definitions are found."""

    def desk(self, order: AdmitRun) -> AbstractAsyncContextManager[AdmissionDesk]:
        """A transaction to decide one admission in; committed when it is left without an error."""
        ...

    async def definition(self, version: str) -> bytes | None:
        """The canonical JSON of a version."""
        ...

    async def move(self, run: RunReference, version: str) -> None:
        """Move a run to another version; what its customer had since it began is routed again.

        Raises: `UnknownDefinitionError`.
        """
        ...
