"""`/inbox`: a customer's inbox for a business's own app or web page, live.

The token is made for one customer by `POST /v1/customers/{identity}/inbox-token`, and for that a
program needs the staff token, as a business's own server holds it: a write key travels in web
pages, and whoever has it could read everybody's inbox. It goes in the header `Authorization: Bearer`, never in
an address: logs keep addresses. It ends after a day. Web pages of any origin may call: what opens the inbox is
the token alone, never a cookie.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Protocol

from fastapi import APIRouter, Depends, Header, HTTPException
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response

from api.named_customer import named_customer
from api.refusals import json_response
from api.staff_key import StaffKeyCheck
from channels.inbox_token import InboxTokens
from channels.signed_link import InvalidLinkError
from stores.inbox_messages import InboxMessage

LOOK_EVERY_SECONDS = 15.0
"""How often a stream looks by itself, in case a bell was not heard; and shows that it is alive."""

_OPEN = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
_ASKED_FIRST = _OPEN | {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Last-Event-ID",
    "Access-Control-Max-Age": "86400",
}
"""What a browser asks before it sends a header from another origin."""


class Inboxes(Protocol):
    """Where the messages are kept."""

    async def messages(
        self, customer: str, *, before: int | None = None, archived: bool = False, most: int = 100
    ) -> Sequence[InboxMessage]: ...
    async def since(self, customer: str, after: int) -> Sequence[InboxMessage]: ...
    async def newest(self, customer: str) -> int: ...
    async def unread(self, customer: str) -> int: ...
    async def read(self, customer: str, message: int) -> bool: ...
    async def click(self, customer: str, message: int) -> bool: ...
    async def mark(
        self, customer: str, message: int, column: Literal["read_at", "archived_at"], *, set_: bool
    ) -> bool: ...


class Ears(Protocol):
    """Hears that something came into an inbox."""

    def of(self, customer: str) -> AbstractContextManager[asyncio.Event]: ...


class Customers(Protocol):
    """Where customers are kept."""

    async def known(self, identity: str) -> str: ...


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def inbox_router(
    inboxes: Inboxes,
    ears: Ears,
    tokens: InboxTokens,
    customers: Customers,
    staff: StaffKeyCheck,
    *,
    wall_clock: Callable[[], datetime] = _wall_clock,
    look_every_seconds: float = LOOK_EVERY_SECONDS,
) -> APIRouter:
    """The inbox, and the making of tokens for it."""
    router = APIRouter(tags=["inbox"])

    def customer_of(authorization: Annotated[str, Header()] = "") -> str:
        scheme, _, token = authorization.partition(" ")
        try:
            if scheme.lower() != "bearer":
                raise InvalidLinkError("send the inbox's token: Authorization: Bearer …")
            return tokens.read(token.strip(), wall_clock())
        except InvalidLinkError as error:
            raise HTTPException(401, str(error), headers=_OPEN) from None

    opened = Depends(customer_of)

    @router.get("/inbox")
    async def listed(
        customer: Annotated[str, opened],
        before: int | None = None,
        most: int = 50,
        *,
        archived: bool = False,
    ) -> Response:
        """The messages, the newest first, and how many are unread; `before` gives the next page."""
        found = await inboxes.messages(
            customer, before=before, archived=archived, most=max(1, min(most, 100))
        )
        unread = await inboxes.unread(customer)
        return _answer({"messages": [asdict(each) for each in found], "unread": unread})

    @router.get("/inbox/unread")
    async def unread(customer: Annotated[str, opened]) -> Response:
        """How many messages are unread."""
        return _answer({"unread": await inboxes.unread(customer)})

    _tokens(router, tokens, customers, staff, wall_clock)
    _acts(router, inboxes, opened)
    _stream(router, inboxes, ears, opened, look_every_seconds)
    for path in ("/inbox", "/inbox/unread", "/inbox/stream", "/inbox/{message}/{act}"):
        router.add_route(path, _asked_first, methods=["OPTIONS"])
    return router


async def _asked_first(request: Request) -> Response:
    del request
    return Response(status_code=204, headers=_ASKED_FIRST)


def _tokens(
    router: APIRouter,
    tokens: InboxTokens,
    customers: Customers,
    staff: StaffKeyCheck,
    wall_clock: Callable[[], datetime],
) -> None:
    async def make(request: Request) -> Response:
        """A token for one customer: `{"token", "url", "expires_at"}`."""
        customer = await customers.known(named_customer(request))
        made = tokens.make(customer, wall_clock())
        return json_response(asdict(made), 201)

    router.add_api_route(
        "/v1/customers/{identity}/inbox-token", staff.behind(make), methods=["POST"]
    )


def _acts(router: APIRouter, inboxes: Inboxes, opened: Any) -> None:
    @router.post("/inbox/{message}/{act}")
    async def act(
        customer: Annotated[str, opened],
        message: int,
        act: Literal["read", "click", "unread", "archive", "unarchive"],
    ) -> Response:
        """What the customer does with one message. `read` and `click` are told as touchpoints, once."""
        match act:
            case "read":
                done = await inboxes.read(customer, message)
            case "click":
                done = await inboxes.click(customer, message)
            case "unread":
                done = await inboxes.mark(customer, message, "read_at", set_=False)
            case _:
                done = await inboxes.mark(customer, message, "archived_at", set_=act == "archive")
        if not done:
            said = "this inbox has no such message, or the message no link"
            return _answer({"success": False, "code": "unknown_message", "message": said}, 404)
        return _answer({"success": True, "unread": await inboxes.unread(customer)})


def _stream(
    router: APIRouter,
    inboxes: Inboxes,
    ears: Ears,
    opened: Any,
    look_every_seconds: float,
) -> None:

    def open_to_all(response: Response) -> None:
        response.headers.update(_OPEN)

    @router.get(
        "/inbox/stream",
        response_class=EventSourceResponse,
        dependencies=[Depends(open_to_all)],
    )
    async def stream(
        customer: Annotated[str, opened], last_event_id: Annotated[str | None, Header()] = None
    ) -> AsyncIterator[ServerSentEvent]:
        """Each new message as it comes, as event `message`; and `unread` whenever the number changes.

        A browser that comes back says which it saw last, and misses none.
        """
        seen = await _from(inboxes, customer, last_event_id)
        counted = -1
        with ears.of(customer) as heard:
            while True:
                heard.clear()
                for each in await inboxes.since(customer, seen):
                    seen = each.message
                    yield ServerSentEvent(event="message", id=str(seen), data=asdict(each))
                unread = await inboxes.unread(customer)
                if unread != counted:
                    counted = unread
                    yield ServerSentEvent(event="unread", data={"unread": unread})
                else:
                    yield ServerSentEvent(comment="here")
                try:
                    async with asyncio.timeout(look_every_seconds):
                        await heard.wait()
                except TimeoutError:
                    pass


async def _from(inboxes: Inboxes, customer: str, told: str | None) -> int:
    if told is not None and told.isdecimal() and len(told) < 19:
        return int(told)
    return await inboxes.newest(customer)


def _answer(body: dict[str, Any], status: int = 200) -> Response:
    return json_response(body, status, _OPEN)
