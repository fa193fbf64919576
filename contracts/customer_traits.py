"""Reading and writing a customer's traits."""

from dataclasses import dataclass, field

from pydantic import JsonValue

from contracts.journey_run import RunReference
from journey.effects import ReadTraits, SentRecord, SetTraits


@dataclass(slots=True, frozen=True, kw_only=True)
class ReadCustomerTraits:
    """Read traits by name; a trait that the customer lacks is absent in the answer."""

    run: RunReference
    read: ReadTraits
    record: SentRecord | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class SetCustomerTraits:
    """Write traits; null removes one. Writing the same twice is writing it once."""

    run: RunReference
    set: SetTraits
    record: SentRecord | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class CustomerTraits:
    """The traits asked for or written, as they stand now."""

    traits: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    zone: str | None = None
