"""Traits as runs read and write them."""

from collections.abc import Callable, Mapping
from datetime import datetime

from pydantic import JsonValue

from activities.customer_traits import KnownTraits, TraitRefusedError
from contracts.fault_points import reach
from journey.touchpoint import TRAITS_CHANGED
from stores.customers import CustomerStore, TraitsMerged, UnknownZoneError
from stores.database import Connection, Pool
from stores.touchpoints import store_touchpoint


async def lay_traits(
    connection: Connection,
    customers: CustomerStore,
    customer: str,
    traits: Mapping[str, JsonValue],
    *,
    message_id: str,
    at: datetime,
    context: Mapping[str, JsonValue] | None = None,
) -> TraitsMerged:
    """Lay traits over those held, and store what changed as a touchpoint, of which runs hear.

    Raises as `CustomerStore.merge_traits`. Ring `stores.wakeup.Bell` after the commit where it changed anything.
    """
    merged = await customers.merge_traits(connection, customer, traits)
    if merged.changed:
        await store_touchpoint(
            connection,
            customer=merged.customer.customer,
            subject=None,
            message_id=message_id,
            event=TRAITS_CHANGED,
            occurred_at=at,
            properties=merged.changed,
            context=dict(context or {}),
        )
    return merged


class CustomerTraitStore:
    """Reads and changes traits. `ring` is called where the customer's runs are to be told."""

    def __init__(
        self, pool: Pool, customers: CustomerStore, ring: Callable[[], None] | None = None
    ) -> None:
        self._pool = pool
        self._customers = customers
        self._ring = ring or (lambda: None)

    async def read(self, customer: str) -> KnownTraits:
        """All traits; of a customer whom nobody knows, none."""
        found = await self._customers.customer(customer)
        return KnownTraits(traits=found.traits if found else {}, zone=found.zone if found else None)

    async def change(
        self, customer: str, traits: Mapping[str, JsonValue], *, message_id: str, at: datetime
    ) -> KnownTraits:
        """Lay traits over those held, and store what changed as a touchpoint of the customer."""
        async with self._pool.connection() as connection:
            try:
                merged = await lay_traits(
                    connection, self._customers, customer, traits, message_id=message_id, at=at
                )
            except (UnknownZoneError, LookupError) as error:
                raise TraitRefusedError(str(error)) from error
            if merged.refused:
                raise TraitRefusedError("; ".join(merged.refused.values()))
        reach("traits.after_commit")
        if merged.changed:
            self._ring()
        return KnownTraits(traits=merged.customer.traits, zone=merged.customer.zone)
