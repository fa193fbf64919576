"""What every answer carries, whatever it is: nothing is sniffed, framed, kept or told elsewhere."""

from collections.abc import Mapping

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.let_in import Entrances
from api.refusals import RefusedRequestError, json_response
from api.staff_key import request_id

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
ONLY_BY_HTTPS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}

_log = structlog.get_logger(__name__)


class AnswerHeaders:
    """Adds what an answer does not say by itself; and the request's name, by which logs and audit know it.

    Who was let in and who was not is in the log.
    """

    def __init__(self, app: ASGIApp, *, https: bool = False) -> None:
        self._app = app
        self._headers = HEADERS | (ONLY_BY_HTTPS if https else {})
        self._entrances = Entrances()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        named = request_id(Request(scope))

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._entrances.answered(scope, message["status"], named)
                add_missing(MutableHeaders(scope=message), self._headers | {"X-Request-Id": named})
            await send(message)

        await self._app(scope, receive, with_headers)


def add_missing(headers: MutableHeaders, ours: Mapping[str, str]) -> None:
    """What is said already stays."""
    for name, value in ours.items():
        headers.setdefault(name, value)


async def away(request: Request, error: Exception) -> Response:
    """The answer of any door where the database is away, full, or out of connections."""
    del request
    _log.warning("database_away", error=str(error).split("\n", 1)[0])
    said = "the database is away for the moment: try again"
    return RefusedRequestError(503, "unavailable", said, retry_after=2).response()


async def broken(request: Request, error: Exception) -> Response:
    """The answer where we failed: it says nothing of how."""
    del error
    named = request_id(request)
    body = {"success": False, "code": "internal", "message": f"this is our fault: {named}"}
    return json_response(body, 500, HEADERS | {"X-Request-Id": named})
