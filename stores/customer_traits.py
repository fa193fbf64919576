"""Traits as runs read and write them."""

from collections.abc import Callable, Mapping
from datetime import datetime

from pydantic import JsonValue

from activities.customer_traits import KnownTraits, TraitRefusedError
from journey.touchpoint import TRAITS_CHANGED
from stores.customers import CustomerStore, UnknownZoneError
from stores.database import Pool
from stores.touchpoints import store_touchpoint


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
                merged = await self._customers.merge_traits(connection, customer, traits)
            except (UnknownZoneError, LookupError) as error:
                raise TraitRefusedError(str(error)) from error
            if merged.refused:
                raise TraitRefusedError("; ".join(merged.refused.values()))
            if merged.changed:
                await store_touchpoint(
                    connection,
                    customer=merged.customer.customer,
                    subject=None,
                    message_id=message_id,
                    event=TRAITS_CHANGED,
                    occurred_at=at,
                    properties=merged.changed,
                    context={},
                )
        if merged.changed:
            self._ring()
        return KnownTraits(traits=merged.customer.traits, zone=merged.customer.zone)
