"""What customers correct of what we hold about them; their runs hear of it."""

from collections.abc import Callable, Mapping
from datetime import datetime

from pydantic import JsonValue

from contracts.ids import message_id
from stores.customer_traits import lay_traits
from stores.customers import CustomerStore
from stores.database import Pool

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
            laid = await lay_traits(
                connection,
                self._customers,
                customer,
                traits,
                message_id=message_id("correction", f"{customer} {form}"),
                at=at,
                context={"source": CUSTOMER_PAGE},
            )
        if laid.changed:
            self._ring()
        return bool(laid.changed)
