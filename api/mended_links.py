"""Links whose `#` a program on the way wrote as `%23`: they are led on to what they were.

Some that guard mailboxes rewrite addresses so. The browser then sends as a path what it should have kept for itself; it
opens nothing as such, and the customer comes in all the same.
"""

import re

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.customer_page import HEADERS
from channels.opened_link import UNUSED

_BROKEN = re.compile(
    rf"/([{''.join(UNUSED)}]|u/[A-Za-z0-9_.-]{{1,4000}})(?:#|%23)([A-Za-z0-9_.-]{{1,4000}})(?:\?(.*))?"
)


class MendedLinks:
    """Stands before the pages of customers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        found = _BROKEN.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if found is None or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        asked = found[3] or Request(scope).url.query
        where = f"/{found[1]}#{found[2]}{'?' if asked else ''}{asked}"
        await RedirectResponse(where, status_code=303, headers=HEADERS)(scope, receive, send)
