"""What customers correct of what we hold about them; their runs hear of it."""

from collections.abc import Callable, Mapping
from datetime import datetime

from pydantic import JsonValue

from contracts.ids import message_id
from journey.touchpoint import TRAITS_CHANGED
from stores.customers import CustomerStore
from stores.database import Pool
from stores.touchpoints import store_touchpoint

CUSTOMER_PAGE = "customer page"
"""The source under which a correction is kept."""


class TraitCorrectionStore:
    """Keeps corrections. `ring` is called where the customer's runs are to be told."""

    def __init__(
        self, pool: Pool, customers: CustomerStore, ring: Callable[[], None] | None = None
    ) -> None:
        self._pool = pool
        self._customers = customers
        self._ring = ring or (lambda: None)

    async def correct(
        self, customer: str, traits: Mapping[str, JsonValue], *, form: str, at: datetime
    ) -> bool:
        """Lay corrected traits over those held; whether that changed anything. Null removes one.

        Raises: `stores.customers.UnknownZoneError`.
        """
        async with self._pool.connection() as connection:
            merged = await self._customers.merge_traits(connection, customer, traits)
            if not merged.changed:
                return False
            await store_touchpoint(
                connection,
                customer=customer,
                subject=None,
                message_id=message_id("correction", f"{customer} {form}"),
                event=TRAITS_CHANGED,
                occurred_at=at,
                properties=merged.changed,
                context={"source": CUSTOMER_PAGE},
            )
        self._ring()
        return True
