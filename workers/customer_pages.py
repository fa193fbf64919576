"""Customers' own pages, on our own database."""

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import APIRouter

from api.data_page import DataPage, data_router
from api.opened_links import OpeningLinks, script_router
from api.person_page import StaffDesk, person_router
from api.preferences_page import preferences_router
from api.reception import Reception
from api.status_events import LiveStatus
from api.status_page import status_router
from api.surveys import surveys_router
from api.trait_corrections import CORRECTABLE
from api.unsubscribe import unsubscribe_router
from channels.customer_links import CustomerLinks
from channels.opened_link import OpenedLinks
from channels.survey_link import SurveyLinks
from channels.unsubscribe_link import UnsubscribeLinks
from stores.answers import AnswerStore
from stores.asked_cases import AskedCaseStore
from stores.consents import ConsentStore
from stores.customer_wishes import WishStore
from stores.customers import CustomerStore
from stores.database import Pool
from stores.held_data import HeldDataStore
from stores.house_topics import HouseTopicStore
from stores.published import PublishedStore
from stores.run_standing import RunStandingStore
from stores.trait_corrections import TraitCorrectionStore
from workers.page_settings import PageSettings, answer_by


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def customer_pages(
    pool: Pool,
    ring: Callable[[], None],
    settings: PageSettings,
    *,
    public_url: str,
    secret: bytes,
    live: LiveStatus | None = None,
    wall_clock: Callable[[], datetime] = _wall_clock,
) -> list[APIRouter]:
    """All of them. `live`: who listens to status pages, and what ends that when the process ends."""
    wishes, cases = WishStore(pool), AskedCaseStore(pool, ring)
    opening = OpeningLinks(OpenedLinks(public_url, secret, wall_clock))
    reception = Reception(
        CustomerLinks(public_url, secret, wall_clock),
        wishes,
        opening,
        house=settings.business_name,
        zone=settings.page_zone,
        wall_clock=wall_clock,
    )
    desk = StaffDesk(queue=settings.person_queue, answer_by=answer_by(settings))
    data = DataPage(
        reception,
        HeldDataStore(pool),
        TraitCorrectionStore(pool, CustomerStore(pool), ring),
        cases,
        desk,
        settings.correctable_traits if settings.correctable_traits is not None else CORRECTABLE,
    )
    unsubscriptions, surveys = UnsubscribeLinks(public_url, secret), SurveyLinks(public_url, secret)
    consents, answers = ConsentStore(pool), AnswerStore(pool, ring)
    return [
        unsubscribe_router(unsubscriptions, consents, reception, wishes, wall_clock),
        surveys_router(surveys, PublishedStore(pool), answers, opening, reception),
        preferences_router(reception, wishes, settings.page_channels, HouseTopicStore(pool)),
        data_router(data, reception),
        person_router(reception, cases, desk),
        status_router(reception, RunStandingStore(pool), live),
        script_router(),
    ]
