"""`/v1/journeys/{journey}/enter`: asking that a customer enter; `/v1/offers`: what a coupon is worth."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, cast
from urllib.parse import unquote

from fastapi import APIRouter
from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import Response

from api.refusals import RefusedRequestError, json_response
from api.reported import LONGEST_NAME
from api.request_body import (
    MESSAGE_BYTES,
    UnacceptableValueError,
    check_values,
    read_body,
    read_json,
)
from api.staff_key import StaffKeyCheck
from contracts.ids import message_id
from journey.touchpoint import ENTER_NAMES
from stores.coupons import Coupon

LONGEST_ID = 150
OFFER_CODE = "X-Offer-Code"
_FIELDS = ("customer", "properties", "message_id")


class Entries(Protocol):
    """Where it is asked that customers enter."""

    async def request(
        self,
        customer: str,
        journey: str,
        properties: Mapping[str, JsonValue],
        *,
        message_id: str,
        at: datetime,
        by: str = "",
    ) -> None: ...


class Customers(Protocol):
    """Where customers are kept."""

    async def known(self, identity: str) -> str: ...


class Live(Protocol):
    """Which journeys customers may enter."""

    async def journeys(self) -> Sequence[str]: ...


class Coupons(Protocol):
    """Where coupons are kept."""

    async def look_up(self, code: str) -> Coupon | None: ...


def entries_router(
    entries: Entries, customers: Customers, live: Live, coupons: Coupons, staff: StaffKeyCheck
) -> APIRouter:
    """For programs that hold the staff token: a write key travels in web pages and may not."""
    router = APIRouter(tags=["control"])

    async def enter(request: Request) -> Response:
        """`{"customer", "properties", "message_id"}`: 202 once it is stored; what became of it is told by the run."""
        journey = request.path_params["journey"]
        known = await live.journeys()
        if journey not in known:
            told = ", ".join(known) or "none"
            raise RefusedRequestError(
                404, "unknown_journey", f"{journey!r} is not live; live are: {told}"
            )
        customer, said, named = _asked(await _told(request))
        message = message_id("request", named)
        found = await customers.known(customer)
        now = datetime.now(UTC)
        await entries.request(found, journey, said, message_id=message, at=now, by="program")
        return json_response({"success": True, "customer": found, "message_id": message}, 202)

    async def coupon(request: Request) -> Response:
        """What a coupon is worth now: its state, its amount, until when.

        A code is as good as money, and stands in a header: logs keep the addresses of requests.
        """
        code = unquote(request.headers.get(OFFER_CODE, ""))
        if not code:
            raise _bad(f"{OFFER_CODE}: expected the code, in this header, percent-encoded")
        found = await coupons.look_up(code)
        if found is None:
            raise RefusedRequestError(404, "unknown_code", "there is no such code")
        return json_response(
            {
                "code": found.code,
                "offer": found.offer,
                "state": found.state,
                "valid": found.state == "open",
                "amount": found.amount,
                "expires_at": found.expires_at,
            }
        )

    router.add_api_route(
        "/v1/journeys/{journey}/enter", staff.behind(enter, "lead"), methods=["POST"]
    )
    router.add_api_route("/v1/offers", staff.behind(coupon), methods=["GET"])
    return router


def _asked(told: dict[str, Any]) -> tuple[str, dict[str, JsonValue], str]:
    """Who is to enter, with what properties, under which message id. Raises: `RefusedRequestError`."""
    for name in told:
        if name not in _FIELDS:
            raise _bad(f"{name[:60]}: is not known here; known are {', '.join(_FIELDS)}")
    customer: Any = told.get("customer")
    if not isinstance(customer, str) or not 1 <= len(customer.strip()) <= LONGEST_NAME:
        raise _bad(f"customer: expected who is to enter, text of 1 to {LONGEST_NAME} characters")
    properties: Any = told.get("properties")
    if properties is None:
        properties = {}
    if not isinstance(properties, dict):
        raise _bad("properties: expected an object")
    for ours in ENTER_NAMES:
        if ours in properties:
            raise _bad(f"properties.{ours}: this is a name of our own; choose another")
    named: Any = told.get("message_id")
    if named is None:
        named = secrets.token_hex(16)
    if not isinstance(named, str) or not 1 <= len(named) <= LONGEST_ID:
        raise _bad(f"message_id: expected text of 1 to {LONGEST_ID} characters")
    return customer.strip(), cast("dict[str, JsonValue]", properties), named


async def _told(request: Request) -> dict[str, Any]:
    raw, sure = read_json(await read_body(request, MESSAGE_BYTES))
    if not isinstance(raw, dict):
        raise _bad("expected one JSON object")
    try:
        check_values(raw, "body", sure=sure)
    except UnacceptableValueError as error:
        raise _bad(str(error)) from None
    return raw  # pyright: ignore[reportUnknownVariableType] -- JSON


def _bad(message: str) -> RefusedRequestError:
    return RefusedRequestError(400, "invalid_request", message)
