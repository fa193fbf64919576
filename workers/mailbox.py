"""`python -m workers mailbox`: catches mail instead of sending it, and shows it in a browser."""

from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from channels.local_mailbox import LocalMailbox
from channels.mail_store import MailStore
from console.mailbox import mailbox_router
from workers.process import Life
from workers.settings import MailboxSettings
from workers.web import serve_http


def mailbox_app(store: MailStore) -> FastAPI:
    """The pages of a mailbox that has no other console around it."""
    app = FastAPI(title="Clew mailbox", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(mailbox_router(store))

    @app.get("/", include_in_schema=False)
    def front() -> RedirectResponse:
        return RedirectResponse("/mailbox")

    return app


async def serve(settings: MailboxSettings, life: Life) -> None:
    """Take mail and show it until told to stop."""
    mailbox = LocalMailbox(
        settings.mailbox_folder, settings.mailbox_host, settings.mailbox_smtp_port
    )
    async with mailbox:
        await serve_http(
            mailbox_app(mailbox.store),
            settings.mailbox_host,
            settings.mailbox_http_port,
            life,
            settings,
        )
