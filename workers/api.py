"""`python -m workers api`: ingest, staff, customers' own pages."""

from contextlib import AsyncExitStack

from fastapi import FastAPI

from api.unsubscribe import unsubscribe_router
from channels.unsubscribe_link import UnsubscribeLinks
from stores.unsubscribes import UnsubscribeStore
from workers.connections import database
from workers.process import Life
from workers.settings import ApiSettings
from workers.web import serve_http


async def serve(settings: ApiSettings, life: Life) -> None:
    """Answer until told to stop; then finish what was asked."""
    links = UnsubscribeLinks(settings.public_url, settings.secret.get_secret_value().encode())
    async with AsyncExitStack() as parts:
        pool = await parts.enter_async_context(database(settings, "api"))
        app = FastAPI(title="Clew")
        app.include_router(unsubscribe_router(links, UnsubscribeStore(pool)))
        await serve_http(
            app, settings.api_host, settings.api_port, life, drain_seconds=settings.drain_seconds
        )
