"""`/l/{token}`: a link of a message that leads over us; it is counted, and leads only where we wrote."""

import re
from typing import Protocol

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.customer_page import customer_page

_TOKEN = re.compile(r"[A-Za-z0-9_-]{20}")

# Who looks at every link of a message without anybody having read it: mail scanners, link previews of
# chats, crawlers. Those that pose as a browser cannot be told.
_NOBODY = re.compile(
    r"bot\b|crawl|spider|preview|scanner|curl/|wget/|python-|go-http-client|java/|okhttp|headless"
    r"|facebookexternalhit|whatsapp/|skypeuripreview|barracuda|mimecast|proofpoint|safelinks"
    r"|googleimageproxy|yahoomailproxy|ms-office",
    re.IGNORECASE,
)
_AHEAD = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


class Links(Protocol):
    """Where counted links are kept."""

    async def leads_to(self, token: str) -> str | None: ...
    async def clicked(self, token: str) -> str | None: ...


def short_links_router(links: Links) -> APIRouter:
    """Counted links. No address is taken from the request: there is nothing to redirect elsewhere."""
    router = APIRouter(tags=["customers' own pages"])

    @router.api_route("/l/{token}", methods=["GET", "HEAD"])
    async def follow(token: str, request: Request) -> Response:
        """Lead on, and count the click where it is one."""
        found = None
        if _TOKEN.fullmatch(token):
            by_nobody = _by_nobody(request)
            found = await (links.leads_to if by_nobody else links.clicked)(token)
        if found is None:
            return customer_page(
                "This link leads nowhere",
                "<p>It is not complete, or is not one of ours.</p>",
                status=404,
            )
        return RedirectResponse(found, status_code=302, headers=_HEADERS)

    return router


def _by_nobody(request: Request) -> bool:
    """Whether a program looks, for nobody or ahead of somebody."""
    if request.method == "HEAD":
        return True
    if any("prefetch" in request.headers.get(name, "").lower() for name in _AHEAD):
        return True
    agent = request.headers.get("user-agent", "")
    return not agent or _NOBODY.search(agent) is not None
