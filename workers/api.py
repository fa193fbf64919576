"""`python -m workers api`: ingest, staff, customers' own pages."""

from contextlib import AsyncExitStack

from fastapi import FastAPI

from api.app import create_app
from api.cases import cases_router
from api.entries import entries_router
from api.feelings import feelings_router
from api.ingest import Ingest
from api.intake import Intake
from api.now import now_router
from api.pressure import Pressure
from api.problems import problems_router
from api.staff_key import StaffKeyCheck
from api.surveys import surveys_router
from api.unsubscribe import unsubscribe_router
from api.write_key_check import WriteKeyCheck
from channels.liquid_text import LiquidText
from channels.survey_link import SurveyLinks
from channels.unsubscribe_link import UnsubscribeLinks
from stores.answers import AnswerStore
from stores.cases import CaseStore
from stores.consents import ConsentStore
from stores.coupons import CouponStore
from stores.customers import CustomerStore
from stores.database import Pool, one_statement
from stores.definitions import DefinitionStore
from stores.feelings import FeelingStore
from stores.house import HouseStore
from stores.moment import MomentStore
from stores.problems import ProblemStore
from stores.published import PublishedStore
from stores.requested_entries import RequestedEntryStore
from stores.suggestions import SuggestionStore
from stores.wakeup import Bell
from stores.write_keys import WriteKeyStore
from workers.connections import database
from workers.http_spans import HttpSpans, TracedIntake
from workers.process import Life
from workers.settings import ApiSettings
from workers.telemetry import tracing
from workers.web import serve_http


def api_app(pool: Pool, bell: Bell, settings: ApiSettings) -> FastAPI:
    """The application on our own database."""
    secret = settings.secret.get_secret_value().encode()
    links, customers = UnsubscribeLinks(settings.public_url, secret), CustomerStore(pool)
    token = settings.staff_token.get_secret_value() if settings.staff_token else None
    intake = TracedIntake if tracing() else Intake
    ingest = Ingest(
        intake(pool, customers, bell),
        WriteKeyCheck(WriteKeyStore(pool)),
        Pressure(settings.requests_at_once),
    )

    async def database_answers() -> None:
        async with one_statement(pool) as connection:
            await connection.execute("select 1")

    staff, house = StaffKeyCheck(token), HouseStore(pool)
    return create_app(
        cases_router(CaseStore(pool, bell.ring), staff),
        now_router(
            MomentStore(pool, house),
            SuggestionStore(pool, bell.ring),
            customers,
            LiquidText(),
            staff,
        ),
        feelings_router(FeelingStore(pool, house, bell.ring), customers, staff),
        problems_router(ProblemStore(pool, bell.ring), customers, CaseStore(pool), staff),
        entries_router(
            RequestedEntryStore(pool, bell.ring),
            customers,
            DefinitionStore(pool),
            CouponStore(pool),
            staff,
        ),
        unsubscribe_router(links, ConsentStore(pool)),
        surveys_router(
            SurveyLinks(settings.public_url, secret),
            PublishedStore(pool),
            AnswerStore(pool, bell.ring),
        ),
        ingest=ingest,
        checks={"database": database_answers},
    )


async def serve(settings: ApiSettings, life: Life) -> None:
    """Answer until told to stop; then finish what was asked."""
    async with AsyncExitStack() as parts:
        pool = await parts.enter_async_context(database(settings, "api"))
        bell = await parts.enter_async_context(Bell(settings.database_url))
        app = api_app(pool, bell, settings)
        await serve_http(
            HttpSpans(app) if tracing() else app,
            settings.api_host,
            settings.api_port,
            life,
            drain_seconds=settings.drain_seconds,
        )
