"""Mission control, on our own database."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import APIRouter

from channels.liquid_text import LiquidText
from console.control import Control, control_router
from console.control_bulk import BulkPage
from console.control_customer import CustomerPage
from console.control_journey import JourneyPage
from console.control_live import LiveFigures, Shared
from console.control_overview import OverviewPage
from console.control_saved import SavedPage
from console.control_search import SearchPage
from console.control_source import SourcePage
from console.control_stops import StopsPage
from console.control_tried import WhatIfs
from console.inbox_door import InboxDoor
from contracts.clock import RunClock
from routing.journey_programs import JourneyPrograms
from stores.audit import AuditStore
from stores.bulk_acts import BulkActStore
from stores.control_looks import ControlLooks
from stores.customer_timeline import CustomerTimelineStore
from stores.customers import CustomerStore
from stores.database import Pool
from stores.definitions import DefinitionStore
from stores.figure_looks import FigureLooks
from stores.figures_ear import FiguresEar
from stores.lags import LagStore
from stores.messages import MessageStore
from stores.published import PublishedStore
from stores.run_files import RunFiles
from stores.run_search import RunSearch
from stores.runs import RunStore
from stores.saved_searches import SavedSearchStore
from stores.staff_sign_ins import SignInStore
from stores.stops import StopStore
from workers.trials import Trials


def mission_control(
    pool: Pool,
    ear: FiguresEar,
    ring: Callable[[], None],
    *,
    url: str,
    https: bool,
    stopping: asyncio.Event,
    run_clock: RunClock | None = None,
    web_ui: str | None = None,
    namespace: str = "default",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> APIRouter:
    """All its pages. `url`: the database; `stopping` ends what they listen to; `run_clock` is that of runs."""

    def run_now() -> datetime:
        return run_clock.now(now()) if run_clock is not None else now()

    door = InboxDoor(SignInStore(pool, now), https)
    figures, looks, definitions = FigureLooks(pool), ControlLooks(pool), DefinitionStore(pool)
    programs, shared, stops = JourneyPrograms(definitions), Shared(ear), StopStore(pool, ring)
    what_ifs = WhatIfs(
        trials=Trials(), messages=MessageStore(pool), url=url, run_now=run_now, now=now
    )
    kept = SavedSearchStore(pool, now)
    search = SearchPage(
        door=door, searches=RunSearch(pool), exports=RunFiles(pool), kept=kept, definitions=definitions,
        programs=programs, run_now=run_now, now=now,
    )  # fmt: skip
    return control_router(
        Control(
            door=door,
            overview=OverviewPage(
                door=door, figures=figures, looks=looks, lateness=LagStore(pool), stops=stops,
                programs=programs, shared=shared, run_now=run_now, now=now,
            ),
            journey=JourneyPage(
                door=door, figures=figures, people=looks, definitions=definitions, programs=programs,
                shared=shared, run_now=run_now,
            ),
            customer=CustomerPage(
                door=door, customers=CustomerStore(pool), all_runs=RunStore(pool),
                timelines=CustomerTimelineStore(pool), now=now, web_ui=web_ui, namespace=namespace,
            ),
            stops=StopsPage(door=door, stops=stops),
            source=SourcePage(
                door=door, definitions=definitions, messages=MessageStore(pool), words=PublishedStore(pool),
                figures=figures, programs=programs, templates=LiquidText(), audit=AuditStore(pool),
                what_ifs=what_ifs,
            ),
            search=search,
            saved=SavedPage(page=search, saved=kept),
            bulk=BulkPage(
                door=door, acts=BulkActStore(pool), definitions=definitions, programs=programs, figures=figures,
                run_now=run_now,
            ),
            live=LiveFigures(changes=ear, stopping=stopping),
        )
    )  # fmt: skip
