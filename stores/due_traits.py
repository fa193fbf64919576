"""Computed traits that time alone changes: so many in the last 30 days are fewer tomorrow."""

from collections.abc import Callable

from stores.computed_traits import refresh_due
from stores.database import Pool
from stores.touchpoints import tell_computed

AT_ONCE = 200


class DueTraits:
    """Keeps them as they are now, and tells runs. `ring` wakes the routers."""

    def __init__(self, pool: Pool, ring: Callable[[], None] | None = None) -> None:
        self._pool = pool
        self._ring = ring or (lambda: None)

    async def refresh(self) -> bool:
        """Compute those that are due. Whether there may be more."""
        async with self._pool.connection() as connection:
            looked_at, told = await refresh_due(connection, AT_ONCE)
            await tell_computed(connection, told)
        if told:
            self._ring()
        return looked_at == AT_ONCE
