"""The house's policy as it is now, read at most once a second by each process."""

import asyncio
import time
from collections.abc import Callable

from journey.house_policy import NO_POLICY, HousePolicy
from stores.database import Pool

FRESH_SECONDS = 1.0
"""So long what was read is believed."""

_LIVE = """
select revision, source from published
 where kind = 'policy' and name = 'house' and live and revision is distinct from %s
"""
_IS_THERE = "select from published where kind = 'policy' and name = 'house' and live"


class HousePolicyStore:
    """Where deliveries learn the policy. Without a published one `NO_POLICY` holds."""

    def __init__(
        self,
        pool: Pool,
        *,
        fresh_seconds: float = FRESH_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._fresh = fresh_seconds
        self._clock = clock
        self._until: float | None = None
        self._revision: str | None = None
        self._policy = NO_POLICY
        self._reading = asyncio.Lock()

    async def current(self) -> HousePolicy:
        """The policy that holds. One reads, the others go on with what they know, but the first wait."""
        if self._until is not None and (self._clock() < self._until or self._reading.locked()):
            return self._policy
        async with self._reading:
            if self._until is None or self._clock() >= self._until:
                await self._read()
        return self._policy

    async def _read(self) -> None:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_LIVE, [self._revision])
            row = await cursor.fetchone()
            if row is None and self._revision is not None:
                cursor = await connection.execute(_IS_THERE)
                if await cursor.fetchone() is None:
                    self._revision, self._policy = None, NO_POLICY
        if row is not None:
            self._policy = HousePolicy.model_validate(row["source"])
            self._revision = row["revision"]
        self._until = self._clock() + self._fresh
