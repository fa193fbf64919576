"""A run's admission: what the workflow asks on its first task, and what it is told."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field, JsonValue

from contracts.clock import RunClock
from journey.effects import NOT_SENT, SentRecord
from journey.happenings import Entered
from journey.state import State
from journey.tagged import KeepKind
from journey.touchpoint import Touchpoint


@dataclass(slots=True, frozen=True, kw_only=True)
class RunReference:
    """Which admission of which run an activity acts for, and the run's own time when it was asked.

    What the server tells every activity anyway (the workflow id, and whose run of which journey it
    names), or the record beside it (the time), is not sent again: `workers.plugin` puts it in before
    the activity sees it.
    """

    entry: int
    journey: str = ""
    customer: str = ""
    workflow_id: str = ""
    version: str = ""
    now: datetime = NOT_SENT
    clock: RunClock | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class AdmitRun:
    """Ask whether this run may begin. Idempotent under `first_run_id`.

    `customer` may be any identity; `arrived` are the touchpoints that came with the start,
    the first of them that the journey enters on is the entering one. `version` None asks for
    the live one. `began_at` is wall time; `now` is the run's time.
    """

    workflow_id: str
    first_run_id: str
    journey: str
    customer: str
    key: str | None
    began_at: datetime
    now: datetime
    version: str | None = None
    arrived: tuple[Touchpoint, ...] = ()


@dataclass(slots=True, frozen=True, kw_only=True)
class Admitted:
    """The run may begin, under this entry number, version and engine.

    `version` and `customer` are left out where they are those that were asked for. `entering` is
    the index in `AdmitRun.arrived` of the entering touchpoint. `traits` holds the
    customer's traits that the version names, `zone` their IANA time zone or None.
    """

    kind: Literal["admitted"] = "admitted"
    entry: int
    version: str = ""
    engine: int
    customer: str = ""
    entering: int | None = None
    zone: str | None = None
    held_out: bool = False
    traits: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])

    def happening(self, key: str | None, entering: Touchpoint | None) -> Entered:
        """What the run is told of it."""
        return Entered(
            entry=self.entry,
            customer=self.customer,
            key=key,
            zone=self.zone,
            held_out=self.held_out,
            traits=self.traits,
            entering=entering,
        )

    def answering(self, order: AdmitRun) -> "Admitted":
        """The same without what was asked for."""
        version = "" if self.version == order.version else self.version
        customer = "" if self.customer == order.customer else self.customer
        return replace(self, version=version, customer=customer)

    def whole(self, version: str | None, customer: str) -> "Admitted":
        """The same with what was asked for."""
        return replace(
            self, version=self.version or version or "", customer=self.customer or customer
        )


@dataclass(slots=True, frozen=True, kw_only=True)
class NotAdmitted:
    """The run ends as `not_admitted`; the entering touchpoint keeps this reason as its fate."""

    kind: Literal["not_admitted"] = "not_admitted"
    reason: str
    detail: str = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class Admission:
    """The answer to `AdmitRun` (one value, so that the union stays tagged).

    `version`: the one that was admitted, which the answer may leave out; it stays on this side.
    """

    answer: Annotated[Admitted | NotAdmitted, Field(discriminator="kind"), KeepKind]
    version: Annotated[str | None, Field(exclude=True)] = field(default=None, compare=False)

    @property
    def definition_version(self) -> str | None:
        """The definition that the run will need: it travels with this value into the worker's cache."""
        return self.version


@dataclass(slots=True, frozen=True, kw_only=True)
class MoveRun:
    """Ask to move a run to another version of its journey."""

    run: RunReference
    version: str


@dataclass(slots=True, frozen=True, kw_only=True)
class DefinitionFound:
    """A definition is at hand under this version; travelling with this value, it is in the worker's cache."""

    version: str

    @property
    def definition_version(self) -> str:
        """The definition that travels with this value."""
        return self.version


@dataclass(slots=True, frozen=True, kw_only=True)
class FindDefinition:
    """Ask for a definition that could not be found when the run needed it."""

    version: str


@dataclass(slots=True, frozen=True, kw_only=True)
class RecordRun:
    """Write down how a run stands and why."""

    run: RunReference
    record: SentRecord


@dataclass(slots=True, frozen=True, kw_only=True)
class HandBack:
    """Hand back touchpoints that came to a run after its end, for the run that may follow it.

    `run.entry` is 0 where the run was not admitted; its customer may be any identity then.
    """

    run: RunReference
    touchpoints: tuple[Touchpoint, ...]
    key: str | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class CarriedRun:
    """What continue-as-new hands to the next run of the same journey: nothing else is remembered.

    `inbox` holds touchpoints that came and were not yet looked at; `refused` the last refusals, in words.
    """

    journey: str
    customer: str
    key: str | None
    version: str
    engine: int
    entry: int
    state: State
    clock: RunClock | None = None
    inbox: tuple[Touchpoint, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def definition_version(self) -> str:
        """The definition that travels with this value."""
        return self.version


@dataclass(slots=True, frozen=True, kw_only=True)
class JourneyResult:
    """How a run ended. `outcome` is `not_admitted` with a reason where it never began.

    Whoever started it, in any SDK, may wait for it and read it: ids and words only.
    """

    stays_readable: ClassVar[bool] = True

    outcome: str
    goal: bool = False
    reason: str = ""
    journey: str = ""
    entry: int = 0
