"""`python -m tests.integration.dying_router DATABASE TEMPORAL TELLS`: carries out acts, and dies as killed.

After it has told so many runs it kills itself (-9), before it writes what they answered; 0: it never does.
"""

import asyncio
import os
import signal
import sys
from datetime import timedelta

from temporalio.client import Client

from contracts.bulk_acts import BulkAnswer, BulkDeed
from routing.bulk_acts import BulkActs, TemporalBulk
from stores.bulk_acts import BulkActStore
from stores.database import open_pool

PORTION = 4
LEASE = timedelta(seconds=3)


class Deadly:
    """Runs as a router tells them; the last that it may tell is its end."""

    def __init__(self, runs: TemporalBulk, tells: int) -> None:
        self._runs, self._left = runs, tells

    async def tell(self, deed: BulkDeed) -> BulkAnswer:
        """See `ToldRuns`."""
        answer = await self._runs.tell(deed)
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


async def route(database: str, temporal: str, tells: int) -> None:
    """Until it is killed."""
    pool = await open_pool(database, most=8)
    runs = Deadly(TemporalBulk(await Client.connect(temporal)), tells)
    work = BulkActs(BulkActStore(pool), runs, at_once=PORTION, lease=LEASE)
    while True:
        await work.round()
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    asyncio.run(route(sys.argv[1], sys.argv[2], int(sys.argv[3])))
