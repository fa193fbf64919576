"""`python -m workers router`: takes touchpoints to runs, and keeps the tables of touchpoints ahead."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from contracts.clock import RunClock
from routing.background_work import BackgroundWork
from routing.bulk_acts import BulkActs, TemporalBulk
from routing.case_clocks import CaseClocks, TemporalClocks
from routing.entry_scanner import EntryScanner
from routing.journey_programs import JourneyPrograms
from routing.router import Router
from routing.router_parts import Pace, RouterParts
from routing.run_sweeper import RunSweeper
from routing.signals import RunSignals
from routing.stop_waker import StopWaker
from routing.temporal_runs import TemporalRuns
from routing.temporal_standing import TemporalStanding
from stores.bulk_acts import BulkActStore
from stores.case_clocks import CaseClockStore
from stores.customer_readings import CustomerReadings
from stores.customers import CustomerStore
from stores.database import Pool
from stores.definitions import DefinitionStore
from stores.due_traits import DueTraits
from stores.entry_looks import EntryLookStore
from stores.journey_figures import JourneyFiguresStore
from stores.leases import UnitLeases
from stores.outbox import OutboxStore
from stores.problem_reach import ProblemReach
from stores.run_sweep import RunSweepStore
from stores.runs import RunStore
from stores.saved_searches import SavedSearchStore
from stores.stops import StopStore
from stores.touchpoints import ensure_partitions
from stores.wakeup import Ear
from workers.build import process_name
from workers.connections import database, temporal
from workers.erasing import eraser
from workers.lags import watch_lags
from workers.process import Life
from workers.sealed_history import data_converter, sealing
from workers.settings import RouterSettings
from workers.telemetry import tracing
from workers.trace_headers import TracedRuns

PARTITIONS_EACH_SECONDS = 3_600
TRAITS_EACH_SECONDS = 30
CLOCKS_EACH = timedelta(seconds=1)
FOLDS_EACH = timedelta(seconds=1)
BULK_EACH = timedelta(seconds=1)
"""Between two portions of an act: with those, a router touches at most 20 runs a second."""
LOOKS_EACH = timedelta(seconds=10)
"""How often a router asks whether it is time to look for runs that ended outside."""

_log = structlog.get_logger(__name__)


def router_parts(
    pool: Pool,
    signals: RunSignals,
    looks: EntryLookStore | None = None,
    readings: CustomerReadings | None = None,
) -> RouterParts:
    """What a router works with, on our own database."""
    return RouterParts(
        outbox=OutboxStore(pool),
        leases=UnitLeases(pool),
        runs=RunStore(pool),
        profiles=CustomerStore(pool),
        programs=JourneyPrograms(DefinitionStore(pool)),
        signals=signals,
        looks=looks or EntryLookStore(pool),
        readings=readings or CustomerReadings(pool),
    )


async def serve(settings: RouterSettings, life: Life) -> None:
    """Route until told to stop; then finish the customers under way."""
    async with AsyncExitStack() as parts:
        pool = await parts.enter_async_context(database(settings, "router"))
        ear = await parts.enter_async_context(Ear(settings.database_url))
        converter = data_converter(sealing=sealing(settings, pool))
        client = await temporal(settings, converter=converter, identity="router")
        runs: RunSignals = TemporalRuns(client, clock=settings.run_clock)
        if tracing():
            runs = TracedRuns(runs)
        ring, now = ear.heard.set, _run_time(settings.run_clock)
        looks = EntryLookStore(pool, ring, now)
        readings = CustomerReadings(pool, ring, now)
        router = Router(
            router_parts(pool, runs, looks, readings),
            name=process_name(),
            pace=Pace(units=settings.units_at_once),
            heard=ear.heard,
        )
        _background(parts, _keep_partitions(pool))
        scanner = EntryScanner(looks, JourneyPrograms(DefinitionStore(pool)))
        _background(parts, scanner.run())
        _background(parts, StopWaker(StopStore(pool, ear.heard.set)).run())
        _background(parts, _keep_traits(DueTraits(pool, ear.heard.set)))
        _background(parts, BackgroundWork("problems", ProblemReach(pool, ring, now).round).run())
        _background(parts, BackgroundWork("feelings", readings.fade).run())
        _background(parts, BackgroundWork("erasures", eraser(pool, client).round).run())
        cases = CaseClockStore(pool)
        clocks = CaseClocks(cases, TemporalClocks(client))
        overlooked = BackgroundWork("overlooked cases", cases.ring_overlooked, pause=LOOKS_EACH)
        _background(parts, overlooked.run())
        _background(parts, BackgroundWork("case clocks", clocks.round, pause=CLOCKS_EACH).run())
        sweeper = RunSweeper(RunSweepStore(pool, now, ring), TemporalStanding(client))
        _background(parts, BackgroundWork("ended outside", sweeper.round, pause=LOOKS_EACH).run())
        saved = SavedSearchStore(pool, lambda: datetime.now(UTC))
        _background(parts, BackgroundWork("searches", saved.round, pause=LOOKS_EACH).run())
        bulk = BulkActs(BulkActStore(pool), TemporalBulk(client))
        _background(parts, BackgroundWork("bulk acts", bulk.round, breath=BULK_EACH).run())
        figures = JourneyFiguresStore(pool)
        _background(parts, BackgroundWork("figures", figures.fold, pause=FOLDS_EACH).run())
        if settings.metrics_port is not None or tracing():
            _background(parts, watch_lags(pool, settings.run_clock))
        life.ready()
        await router.run(life.stop)


def _run_time(clock: RunClock | None) -> Callable[[], datetime]:
    """The time of the runs that this router starts."""

    def now() -> datetime:
        wall = datetime.now(UTC)
        return clock.now(wall) if clock is not None else wall

    return now


def _background(parts: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    parts.callback(asyncio.create_task(work).cancel)


async def _keep_traits(due: DueTraits) -> None:
    """Compute anew what time alone changes; a failure is tried again."""
    while True:
        try:
            while await due.refresh():
                pass
        except Exception as error:
            _log.warning("traits_not_computed", error=str(error).split("\n", 1)[0])
        await asyncio.sleep(TRAITS_EACH_SECONDS)


async def _keep_partitions(pool: Pool) -> None:
    """Make the tables of the coming months; a failure is tried again within the hour."""
    while True:
        try:
            await ensure_partitions(pool)
        except Exception as error:
            _log.warning("partitions_not_made", error=str(error).split("\n", 1)[0])
        await asyncio.sleep(PARTITIONS_EACH_SECONDS)
