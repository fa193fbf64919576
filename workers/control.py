"""Mission control, on our own database."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter

from activities.case_messages import FreeText
from channels.liquid_text import LiquidText
from channels.message_renderer import MessageFileRenderer
from console.control import Control, control_router
from console.control_bulk import BulkPage
from console.control_channels import ChannelsPage
from console.control_customer import CustomerPage
from console.control_deliveries import DeliveriesPage
from console.control_house import HousePage
from console.control_journey import JourneyPage
from console.control_keys import KeysPage
from console.control_live import LiveFigures, Shared
from console.control_messages import MessagesPage
from console.control_offers import OffersPage
from console.control_overview import OverviewPage
from console.control_promises import PromisesPage
from console.control_saved import SavedPage
from console.control_search import SearchPage
from console.control_source import SourcePage
from console.control_stops import StopsPage
from console.control_surveys import SurveysPage
from console.control_tried import WhatIfs
from console.inbox_door import InboxDoor
from contracts.clock import RunClock
from routing.journey_programs import JourneyPrograms
from stores.audit import AuditStore
from stores.bulk_acts import BulkActStore
from stores.channel_reports import ChannelReportStore
from stores.channel_tests import ChannelTestStore
from stores.control_looks import ControlLooks
from stores.customer_timeline import CustomerTimelineStore
from stores.customers import CustomerStore
from stores.database import Pool
from stores.definitions import DefinitionStore
from stores.delivery_looks import DeliveryLooks
from stores.engines import EngineStore
from stores.figure_looks import FigureLooks
from stores.figures_ear import FiguresEar
from stores.house import HouseStore
from stores.house_policy import HousePolicyStore
from stores.kept_scenarios import KeptScenarioStore
from stores.lags import LagStore
from stores.members import MemberStore
from stores.messages import MessageStore
from stores.offer_looks import OfferLooks
from stores.preferences import PreferenceStore
from stores.promise_looks import PromiseLooks
from stores.published import PublishedStore
from stores.queue_standings import QueueStandingStore
from stores.run_files import RunFiles
from stores.run_search import RunSearch
from stores.runs import RunStore
from stores.saved_searches import SavedSearchStore
from stores.staff_sign_ins import SignInStore
from stores.stops import StopStore
from stores.survey_looks import SurveyLooks
from stores.write_keys import WriteKeyStore
from workers.trials import Trials


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSettings:
    """Of the settings of the API process, what pages show. `per_second`: what a write key's name may send; 0: any."""

    public_url: str = "http://127.0.0.1:8000"
    per_second: float = 10_000


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
    shown: ShownSettings | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> APIRouter:
    """All its pages. `url`: the database; `stopping` ends what they listen to; `run_clock` is that of runs."""

    def run_now() -> datetime:
        return run_clock.now(now()) if run_clock is not None else now()

    place = _Place(
        pool=pool, door=InboxDoor(SignInStore(pool, now), https), url=url,
        programs=JourneyPrograms(DefinitionStore(pool)), run_now=run_now, now=now,
    )  # fmt: skip
    figures, looks, shared = FigureLooks(pool), ControlLooks(pool), Shared(ear)
    stops = StopStore(pool, ring)
    search, saved = _search(place)
    deliveries, messages = _told(place)
    return control_router(
        Control(
            door=place.door,
            overview=OverviewPage(
                door=place.door, figures=figures, looks=looks, lateness=LagStore(pool, run_clock), stops=stops,
                processes=EngineStore(pool),
                programs=place.programs, shared=shared, run_now=run_now, now=now,
            ),
            journey=JourneyPage(
                door=place.door, figures=figures, people=looks, definitions=DefinitionStore(pool),
                programs=place.programs, shared=shared, run_now=run_now,
            ),
            customer=CustomerPage(
                door=place.door, customers=CustomerStore(pool), all_runs=RunStore(pool),
                timelines=CustomerTimelineStore(pool), now=now, web_ui=web_ui, namespace=namespace,
            ),
            stops=StopsPage(door=place.door, stops=stops),
            source=_source(place, figures),
            search=search,
            saved=saved,
            bulk=_bulk(place, figures),
            deliveries=deliveries,
            messages=messages,
            surveys=_surveys(place, shared),
            promises=_promises(place, shared),
            offers=_offers(place, shared),
            channels=_channels(place, stops),
            keys=_keys(place, shown or ShownSettings()),
            house=_house(place),
            live=LiveFigures(changes=ear, stopping=stopping),
        )
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """What the pages stand on. `url`: the database; `run_now`: the time of runs."""

    pool: Pool
    door: InboxDoor
    url: str
    programs: JourneyPrograms
    run_now: Callable[[], datetime]
    now: Callable[[], datetime]


def _search(place: _Place) -> tuple[SearchPage, SavedPage]:
    kept = SavedSearchStore(place.pool, place.now)
    search = SearchPage(
        door=place.door, searches=RunSearch(place.pool), exports=RunFiles(place.pool), kept=kept,
        definitions=DefinitionStore(place.pool), programs=place.programs, run_now=place.run_now, now=place.now,
    )  # fmt: skip
    return search, SavedPage(page=search, saved=kept)


def _surveys(place: _Place, shared: Shared) -> SurveysPage:
    return SurveysPage(
        door=place.door, looks=SurveyLooks(place.pool), programs=place.programs, shared=shared,
        now=place.now, run_now=place.run_now,
    )  # fmt: skip


def _promises(place: _Place, shared: Shared) -> PromisesPage:
    return PromisesPage(
        door=place.door, looks=PromiseLooks(place.pool), programs=place.programs, shared=shared,
        run_now=place.run_now,
    )  # fmt: skip


def _offers(place: _Place, shared: Shared) -> OffersPage:
    looks = OfferLooks(place.pool)
    return OffersPage(door=place.door, looks=looks, shared=shared, run_now=place.run_now)


def _bulk(place: _Place, figures: FigureLooks) -> BulkPage:
    return BulkPage(
        door=place.door, acts=BulkActStore(place.pool), definitions=DefinitionStore(place.pool),
        programs=place.programs, figures=figures, run_now=place.run_now,
    )  # fmt: skip


def _source(place: _Place, figures: FigureLooks) -> SourcePage:
    messages = MessageStore(place.pool)
    what_ifs = WhatIfs(
        trials=Trials(), messages=messages, url=place.url, run_now=place.run_now, now=place.now
    )
    return SourcePage(
        door=place.door, definitions=DefinitionStore(place.pool), messages=messages,
        words=PublishedStore(place.pool), figures=figures, programs=place.programs, templates=LiquidText(),
        audit=AuditStore(place.pool), what_ifs=what_ifs, kept=KeptScenarioStore(place.pool),
    )  # fmt: skip


def _told(place: _Place) -> tuple[DeliveriesPage, MessagesPage]:
    deliveries = DeliveriesPage(
        door=place.door, deliveries=DeliveryLooks(pool=place.pool), run_now=place.run_now
    )
    messages = MessagesPage(
        door=place.door, messages=FreeText(MessageStore(place.pool)), names=MessageStore(place.pool),
        customers=CustomerStore(place.pool), wishes=PreferenceStore(place.pool),
        renderer=MessageFileRenderer(), now=place.run_now,
    )  # fmt: skip
    return deliveries, messages


def _keys(place: _Place, shown: ShownSettings) -> KeysPage:
    return KeysPage(
        door=place.door, keys=WriteKeyStore(place.pool), per_second=shown.per_second,
        public_url=shown.public_url, now=place.now,
    )  # fmt: skip


def _house(place: _Place) -> HousePage:
    return HousePage(
        door=place.door, standings=QueueStandingStore(place.pool), members=MemberStore(place.pool),
        policies=HousePolicyStore(place.pool), files=PublishedStore(place.pool),
        houses=HouseStore(place.pool), now=place.now,
    )  # fmt: skip


def _channels(place: _Place, stops: StopStore) -> ChannelsPage:
    return ChannelsPage(
        door=place.door, reports=ChannelReportStore(place.pool), tests=ChannelTestStore(place.pool), stops=stops,
    )  # fmt: skip
