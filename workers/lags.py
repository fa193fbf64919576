"""Keeps the gauges of how far behind we are."""

import asyncio
from datetime import UTC, datetime

import structlog

from contracts.clock import RunClock
from stores.database import Pool
from stores.lags import LagStore
from workers.metrics import INGEST_LAG, PENDING, ROUTING_LAG, TIMER_LATENESS

EACH_SECONDS = 10

_log = structlog.get_logger(__name__)


async def watch_lags(pool: Pool, clock: RunClock | None) -> None:
    """Look every ten seconds. `clock`: that of the runs, where it is not the wall's."""
    store = LagStore(pool, clock)
    while True:
        try:
            lags = await store.lags(datetime.now(UTC))
        except Exception as error:
            _log.info("lags_unreadable", error=str(error).split("\n", 1)[0])
        else:
            INGEST_LAG.set(lags.ingest)
            ROUTING_LAG.set(lags.routing)
            PENDING.set(lags.pending)
            TIMER_LATENESS.set(lags.overdue)
        await asyncio.sleep(EACH_SECONDS)
