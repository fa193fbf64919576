"""What the house says of feelings, problems and personas, as it is live: asked for often, read once a second."""

import time
from collections.abc import Callable
from dataclasses import fields

from journey.house_files import House, house_of
from journey.queues import QueuesFile
from stores.database import Pool, one_statement
from stores.published import HOUSE

FRESH_SECONDS = 1.0
"""What was published holds everywhere so long after."""


class HouseStore:
    """The live files of the house, compiled. `clock` counts seconds."""

    def __init__(self, pool: Pool, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._clock = clock
        self._house = House()
        self._revisions: dict[str, str] | None = None
        self._read_at = 0.0

    async def queues(self) -> QueuesFile | None:
        """The queues that are live."""
        return (await self.house()).queues

    async def house(self) -> House:
        """What is live, as it was within the last second."""
        if self._revisions is not None and self._clock() - self._read_at < FRESH_SECONDS:
            return self._house
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select kind, revision, source from published"
                " where name = %s and live and kind = any(%s)",
                [HOUSE, [each.name for each in fields(House)]],
            )
            rows = await cursor.fetchall()
        revisions = {row["kind"]: row["revision"] for row in rows}
        if revisions != self._revisions:
            self._house = house_of({row["kind"]: row["source"] for row in rows})
            self._revisions = revisions
        self._read_at = self._clock()
        return self._house
