"""`/v1/customers/{identity}/conversation`, `/v1/inbound`: what was said both ways, for staff."""

from dataclasses import asdict
from typing import Protocol

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.named_customer import named_customer
from api.refusals import RefusedRequestError, json_response
from api.staff_key import StaffKeyCheck
from contracts.inbound_message import InboundFile
from contracts.saved_files import SAVED_AS, headers_of
from stores.conversations import MOST, Spoken
from stores.customers import Customer


class Customers(Protocol):
    """Who a name leads to."""

    async def find(self, identity: str) -> Customer | None: ...


class Conversations(Protocol):
    """Where conversations are read."""

    async def of(self, customer: str, most: int) -> list[Spoken]: ...

    async def strangers(self, most: int) -> list[Spoken]: ...


class Files(Protocol):
    """Where files of messages are kept."""

    async def file(self, reply: str, n: int) -> InboundFile | None: ...


def conversation_router(
    customers: Customers, conversations: Conversations, files: Files, staff: StaffKeyCheck
) -> APIRouter:
    """A customer's conversation, what nobody we know wrote, and files, which are never shown inline."""
    router = APIRouter(tags=["staff"])

    async def of_customer(request: Request) -> Response:
        identity = named_customer(request)
        found = await customers.find(identity)
        if found is None:
            said = f"nobody is known by {identity[:200]!r}"
            raise RefusedRequestError(404, "unknown_customer", said)
        spoken = await conversations.of(found.customer, _most(request))
        return json_response(
            {"customer": found.customer, "messages": [asdict(each) for each in spoken]}
        )

    async def strangers(request: Request) -> Response:
        spoken = await conversations.strangers(_most(request))
        return json_response({"messages": [asdict(each) for each in spoken]})

    async def file(request: Request) -> Response:
        reply, n = request.path_params["reply"], request.path_params["n"]
        found = await files.file(reply, n) if n < 2**31 else None
        if found is None:
            said = f"there is no file {n} of {reply[:200]!r}"
            raise RefusedRequestError(404, "unknown_file", said)
        return Response(found.content, media_type=SAVED_AS, headers=headers_of(found.name))

    router.add_route(
        "/v1/customers/{identity:path}/conversation", staff.behind(of_customer), methods=["GET"]
    )
    router.add_route("/v1/inbound/strangers", staff.behind(strangers), methods=["GET"])
    router.add_route("/v1/inbound/{reply}/files/{n:int}", staff.behind(file), methods=["GET"])
    return router


def _most(request: Request) -> int:
    told = request.query_params.get("most", str(MOST))
    if not told.isascii() or not told.isdecimal() or not 1 <= int(told[:9]) <= MOST:
        raise RefusedRequestError(400, "bad_request", f"most: expected a number from 1 to {MOST}")
    return int(told)
