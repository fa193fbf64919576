"""`/u/{token}`: one click and the customer gets no more of it. No login, no questions.

A GET never changes anything: mail scanners follow links. The POST is RFC 8058's one-click, and
the button of the page.
"""

from typing import Protocol

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from channels.unsubscribe_link import InvalidLinkError, UnsubscribeLinks, Unsubscription

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none';"
    " base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
}
_LARGEST_BODY = 4_096


class Unsubscribes(Protocol):
    """Where withdrawn consents are kept."""

    async def unsubscribe(self, customer: str, purpose: str, channel: str, proof: str) -> None: ...


def unsubscribe_router(links: UnsubscribeLinks, unsubscribes: Unsubscribes) -> APIRouter:
    """The customer's own page for not being written to any more."""
    router = APIRouter(tags=["customers' own pages"])

    @router.get("/u/{token}", response_class=HTMLResponse)
    async def ask(token: str) -> HTMLResponse:
        """Show a button; change nothing."""
        try:
            wanted = links.read(token)
        except InvalidLinkError as error:
            return _invalid(error)
        return _page(
            "Unsubscribe",
            f"<p>You will get no more marketing by {_channel(wanted)} from us."
            " Messages about things you bought or booked still come.</p>"
            '<form method="post"><button type="submit">Unsubscribe</button></form>',
        )

    @router.post("/u/{token}", response_class=HTMLResponse)
    async def unsubscribe(token: str, request: Request) -> HTMLResponse:
        """Unsubscribe. Twice is the same as once."""
        try:
            wanted = links.read(token)
        except InvalidLinkError as error:
            return _invalid(error)
        one_click = b"List-Unsubscribe=One-Click" in await _beginning(request)
        way = "one-click" if one_click else "page"
        agent = request.headers.get("user-agent", "")[:200]
        await unsubscribes.unsubscribe(
            wanted.customer, wanted.purpose, wanted.channel, f"{way} {token} {agent}".strip()
        )
        return _page("Done", f"<p>You get no more marketing by {_channel(wanted)}.</p>")

    return router


async def _beginning(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) >= _LARGEST_BODY:
            break
    return body


def _channel(wanted: Unsubscription) -> str:
    return {"email": "e-mail", "sms": "text message"}.get(wanted.channel, "this channel")


def _invalid(error: InvalidLinkError) -> HTMLResponse:
    words = f"<p>Sorry, {error}. Use the link in the message as it is, or answer the message.</p>"
    return _page("This link does not work", words, status=404)


def _page(title: str, body: str, *, status: int = 200) -> HTMLResponse:
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title></head><body><main><h1>{title}</h1>{body}</main></body></html>"
    )
    return HTMLResponse(page, status_code=status, headers=_HEADERS)
