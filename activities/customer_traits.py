"""Reading and writing a customer's traits for a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.run_record import RunRecords
from contracts.customer_traits import CustomerTraits, ReadCustomerTraits, SetCustomerTraits
from contracts.ids import effect_key
from contracts.names import READ_TRAITS, SET_TRAITS


class TraitRefusedError(ValueError):
    """A trait that cannot be written; the message says which and why."""


@dataclass(slots=True, frozen=True, kw_only=True)
class KnownTraits:
    """All traits of a customer, and their time zone."""

    traits: Mapping[str, JsonValue]
    zone: str | None


class CustomerProfiles(Protocol):
    """Where traits are kept."""

    async def read(self, customer: str) -> KnownTraits:
        """All traits; of a customer whom nobody knows, none."""
        ...

    async def change(
        self, customer: str, traits: Mapping[str, JsonValue], *, message_id: str, at: datetime
    ) -> KnownTraits:
        """Lay traits over those held, null removing one, and tell the customer's runs what changed.

        What changed is stored as a touchpoint under `message_id`. Raises: `TraitRefusedError`.
        """
        ...


@dataclass(slots=True, frozen=True, kw_only=True)
class TraitsOfCustomer:
    """Reads and writes traits."""

    profiles: CustomerProfiles
    records: RunRecords

    @activity.defn(name=READ_TRAITS)
    async def read_traits(self, order: ReadCustomerTraits) -> CustomerTraits:
        """The traits asked for, as they stand now; one that the customer lacks is absent."""
        if order.record is not None:
            await self.records.write(order.run, order.record)
        return _told(await self.profiles.read(order.run.customer), order.read.names)

    @activity.defn(name=SET_TRAITS)
    async def set_traits(self, order: SetCustomerTraits) -> CustomerTraits:
        """Write traits. Writing the same twice is writing it once, and is told to runs once.

        Raises: non-retryable `TraitRefusedError`.
        """
        if order.record is not None:
            await self.records.write(order.run, order.record)
        key = effect_key(order.run.workflow_id, order.run.entry, order.set.n)
        try:
            known = await self.profiles.change(
                order.run.customer, order.set.traits, message_id=f"traits/{key}", at=order.run.now
            )
        except TraitRefusedError as error:
            raise ApplicationError(
                str(error), type=TraitRefusedError.__name__, non_retryable=True
            ) from error
        return _told(known, order.set.traits)


def _told(known: KnownTraits, names: tuple[str, ...] | Mapping[str, JsonValue]) -> CustomerTraits:
    return CustomerTraits(
        traits={name: known.traits[name] for name in names if name in known.traits},
        zone=known.zone,
    )
