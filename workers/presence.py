"""What a process tells of itself while it is at work: its kind, its build and the engines it knows."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import psycopg
import structlog

from journey.machine import KNOWN_ENGINES
from stores.database import Pool
from stores.engines import EngineStore
from workers.build import build_id, process_name
from workers.process import UnfitInstallationError

BEAT_SECONDS = 10.0
GOODBYE_SECONDS = 3.0

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def present(pool: Pool, kind: str) -> AsyncGenerator[None]:
    """Tell of this process every few seconds, from now until it ends."""
    engines = EngineStore(pool)
    name = process_name()
    with suppress(psycopg.Error):  # it is told again soon
        await engines.beat(name, kind, build_id(), KNOWN_ENGINES)
    beating = asyncio.create_task(_beat(engines, name, kind), name="presence")
    try:
        yield
    finally:
        beating.cancel()
        with suppress(Exception):  # whoever is silent counts as gone soon
            await asyncio.wait_for(engines.gone(name), GOODBYE_SECONDS)


async def require_known_engines(pool: Pool) -> None:
    """See that this build can carry every run there is, and those to come.

    Raises: `UnfitInstallationError` naming the engines that it does not know.
    """
    strange = await EngineStore(pool).strange(KNOWN_ENGINES)
    if strange:
        listed = ", ".join(str(each) for each in strange)
        known = ", ".join(str(each) for each in sorted(KNOWN_ENGINES))
        raise UnfitInstallationError(
            f"Runs here have engine {listed}, and this build ({build_id()}) knows {known} only: it could "
            "not carry them. Start a build that knows them; `clew engine status` tells which one does."
        )


async def _beat(engines: EngineStore, name: str, kind: str) -> None:
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        try:
            await engines.beat(name, kind, build_id(), KNOWN_ENGINES)
        except Exception as error:  # the database may be away; the next beat tells
            _log.debug("presence_not_told", error=str(error).split("\n", 1)[0])
