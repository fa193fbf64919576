"""`python -m workers codec`: opens history for the Temporal Web UI."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime

from api.codec_server import CodecServer
from api.staff_key import StaffKeyCheck
from api.web_ui import WebUi
from contracts.history_codec import HistoryCodec
from stores.audit import AuditStore
from stores.database import one_statement
from stores.staff_sign_ins import SignInStore
from stores.staff_tokens import StaffTokenStore
from workers.connections import database
from workers.process import Life
from workers.sealed_history import sealing
from workers.settings import CodecSettings
from workers.web import serve_http


async def serve(settings: CodecSettings, life: Life) -> None:
    """Open what staff look at until told to stop."""
    async with AsyncExitStack() as parts:
        pool = await parts.enter_async_context(database(settings, "codec"))

        async def database_answers() -> None:
            async with one_statement(pool) as connection:
                await connection.execute("select 1")

        token = settings.staff_token
        server = CodecServer(
            HistoryCodec(sealing(settings, pool).keys, seals=False),
            AuditStore(pool),
            url=settings.codec_url,
            inbox=settings.public_url,
            staff=StaffKeyCheck(token.get_secret_value() if token else None, StaffTokenStore(pool)),
            sessions=SignInStore(pool, lambda: datetime.now(UTC)),
            web_ui=_web_ui(settings),
            open_to=settings.codec_origin if settings.codec_open else None,
        )
        await serve_http(
            server.app({"database": database_answers}),
            settings.codec_host,
            settings.codec_port,
            life,
            settings,
        )


def _web_ui(settings: CodecSettings) -> WebUi | None:
    if settings.codec_web_ui is None:
        return None
    return WebUi(settings.codec_web_ui, f"{settings.public_url.rstrip('/')}/staff/sessions")
