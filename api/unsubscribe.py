"""`/u/{token}`: one click and the customer gets no more of it. No login, no questions.

A GET never changes anything: mail scanners follow links. The POST is RFC 8058's one-click, and
the button of the page.
"""

from typing import Protocol

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.customer_page import customer_page, invalid_link
from channels.unsubscribe_link import InvalidLinkError, UnsubscribeLinks, Unsubscription
from journey.effects import Purpose

_LARGEST_BODY = 4_096


class Consents(Protocol):
    """Where withdrawn consents are kept."""

    async def withdraw(
        self, customer: str, purpose: Purpose, channel: str, *, source: str, proof: str
    ) -> None: ...


def unsubscribe_router(links: UnsubscribeLinks, consents: Consents) -> APIRouter:
    """The customer's own page for not being written to any more."""
    router = APIRouter(tags=["customers' own pages"])

    @router.get("/u/{token}", response_class=HTMLResponse)
    async def ask(token: str) -> HTMLResponse:
        """Show a button; change nothing."""
        try:
            wanted = links.read(token)
        except InvalidLinkError as error:
            return invalid_link(error)
        return customer_page(
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
            return invalid_link(error)
        one_click = b"List-Unsubscribe=One-Click" in await _beginning(request)
        way = "one-click" if one_click else "page"
        agent = request.headers.get("user-agent", "")[:200]
        await consents.withdraw(
            wanted.customer,
            wanted.purpose,
            wanted.channel,
            source=way,
            proof=f"{way} {token} {agent}".strip(),
        )
        return customer_page("Done", f"<p>You get no more marketing by {_channel(wanted)}.</p>")

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
