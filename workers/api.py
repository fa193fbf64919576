"""`python -m workers api`: ingest, staff, customers' own pages."""

import asyncio
from contextlib import AsyncExitStack

from fastapi import FastAPI

from api.app import create_app
from api.cases import cases_router
from api.entries import entries_router
from api.ingest import Ingest
from api.intake import Intake
from api.pressure import Pressure
from api.staff_key import StaffKeyCheck
from api.status_events import LiveStatus
from api.write_key_check import WriteKeyCheck
from stores.cases import CaseStore
from stores.coupons import CouponStore
from stores.customers import CustomerStore
from stores.database import Pool, one_statement
from stores.definitions import DefinitionStore
from stores.requested_entries import RequestedEntryStore
from stores.wakeup import Bell
from stores.write_keys import WriteKeyStore
from workers.connections import database
from workers.customer_pages import customer_pages
from workers.http_spans import HttpSpans, TracedIntake
from workers.process import Life
from workers.settings import ApiSettings
from workers.telemetry import tracing
from workers.web import serve_http


def api_app(
    pool: Pool, bell: Bell, settings: ApiSettings, stopping: asyncio.Event | None = None
) -> FastAPI:
    """The application on our own database. `stopping` ends what customers' pages listen to."""
    customers = CustomerStore(pool)
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

    staff = StaffKeyCheck(token)
    return create_app(
        cases_router(CaseStore(pool, bell.ring), staff),
        entries_router(
            RequestedEntryStore(pool, bell.ring),
            customers,
            DefinitionStore(pool),
            CouponStore(pool),
            staff,
        ),
        *customer_pages(
            pool,
            bell.ring,
            settings,
            public_url=settings.public_url,
            secret=settings.secret.get_secret_value().encode(),
            live=LiveStatus(stopping=stopping or asyncio.Event()),
        ),
        ingest=ingest,
        checks={"database": database_answers},
    )


async def serve(settings: ApiSettings, life: Life) -> None:
    """Answer until told to stop; then finish what was asked."""
    async with AsyncExitStack() as parts:
        pool = await parts.enter_async_context(database(settings, "api"))
        bell = await parts.enter_async_context(Bell(settings.database_url))
        app = api_app(pool, bell, settings, life.stop)
        await serve_http(
            HttpSpans(app) if tracing() else app,
            settings.api_host,
            settings.api_port,
            life,
            drain_seconds=settings.drain_seconds,
        )
