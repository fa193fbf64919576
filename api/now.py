"""`/v1/customers/{identity}/now`: who this is, what was promised, what is open, and what to say or offer here.

For programs that hold the staff token, such as the line's switchboard, the till, or the server
behind a web page: the answer holds what customers told us, and write keys travel in web pages.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from fastapi import APIRouter
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from api.moment_words import anyones, moment_told
from api.named_customer import named_customer
from api.refusals import RefusedRequestError, json_response
from api.staff_key import StaffKeyCheck
from api.told_object import read_object_of, text_of
from contracts.ids import message_id
from journey.language import Slug
from journey.moment_events import EVENT_OF
from journey.spans import SpanError
from stores.moment import Moment
from stores.suggestions import AGAIN_AFTER, SuggestionTold, UnknownSuggestionError

LONGEST_IDENTITY = 320
ANYWHERE = "agent"
"""The place that is meant where none is named."""

_FIELDS = ("suggestion", "place", "message_id", "by", "again_after")
_SLUG = TypeAdapter(Slug)


class Moments(Protocol):
    """Where moments are read."""

    async def of(self, identity: str, place: str) -> Moment | None: ...
    async def said_to_anyone(self, place: str) -> list[dict[str, Any]]: ...


class Suggestions(Protocol):
    """Where it is kept what became of suggestions."""

    async def tell(self, told: SuggestionTold) -> bool: ...


class Words(Protocol):
    """Puts a template into words."""

    def words_of(
        self, template: str, values: Mapping[str, object], now: datetime
    ) -> str | None: ...


class Customers(Protocol):
    """Where customers are kept."""

    async def find(self, identity: str) -> Any: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class MomentDoors:
    """One call in, one call back. `clock` is run time."""

    moments: Moments
    suggestions: Suggestions
    customers: Customers
    words: Words
    clock: Callable[[], datetime]

    async def now(self, request: Request) -> Response:
        """All that is known in the moment. 404 for whom nobody knows, with what is said to anyone here."""
        identity, place = _identity(request), _place(request.query_params.get("place", ANYWHERE))
        moment, at = await self.moments.of(identity, place), self.clock()
        if moment is None:
            said = anyones(await self.moments.said_to_anyone(place))
            words = "nobody is known by this; what is said to anyone here is in `suggestions`"
            body = {"known": False, "code": "unknown_customer", "message": words}
            return json_response({**body, "place": place, "suggestions": said}, 404)

        def in_words(template: str, values: Mapping[str, object]) -> str | None:
            return self.words.words_of(template, values, at)

        return json_response(moment_told(moment, place, in_words, at))

    async def told(self, request: Request) -> Response:
        """`{"suggestion", "place", "message_id", "by", "again_after"}`: 200 once it is stored."""
        what = request.path_params["what"]
        if what not in EVENT_OF:
            said = f"there is no {what[:40]!r} here; there are {', '.join(EVENT_OF)}"
            raise RefusedRequestError(404, "unknown_path", said)
        body = await read_object_of(request, _FIELDS)
        found = await self.customers.find(_identity(request))
        if found is None:
            raise RefusedRequestError(404, "unknown_customer", "nobody is known by this")
        named = text_of(body, "message_id", most=150, default=secrets.token_hex(16))
        order = SuggestionTold(
            customer=found.customer,
            suggestion=text_of(body, "suggestion", most=300),
            told=what,
            place=_place(text_of(body, "place", most=64, default=ANYWHERE)),
            message_id=message_id("suggestion", named),
            by=text_of(body, "by", most=200, default=""),
            again_after=text_of(body, "again_after", most=40, default=AGAIN_AFTER),
        )
        try:
            new = await self.suggestions.tell(order)
        except UnknownSuggestionError as error:
            raise RefusedRequestError(404, "unknown_suggestion", str(error)) from None
        except SpanError as error:
            raise RefusedRequestError(400, "bad_request", f"again_after: {error}") from None
        return json_response({"success": True, "new": new, "message_id": order.message_id})


def now_router(
    moments: Moments,
    suggestions: Suggestions,
    customers: Customers,
    words: Words,
    staff: StaffKeyCheck,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> APIRouter:
    """For programs that act for staff."""
    router = APIRouter(tags=["moment"])
    doors = MomentDoors(
        moments=moments, suggestions=suggestions, customers=customers, words=words, clock=clock
    )
    path = "/v1/customers/{identity}/now"
    router.add_route(path, staff.behind(doors.now), methods=["GET"])
    router.add_route(f"{path}/{{what}}", staff.behind(doors.told), methods=["POST"])
    return router


def _identity(request: Request) -> str:
    identity = named_customer(request).strip()
    if not 1 <= len(identity) <= LONGEST_IDENTITY:
        said = f"identity: expected text of 1 to {LONGEST_IDENTITY} characters"
        raise RefusedRequestError(400, "bad_request", said)
    return identity


def _place(place: str) -> str:
    try:
        return _SLUG.validate_python(place)
    except ValidationError:
        said = "place: expected a name in lower case with dashes, such as ivr, web, till"
        raise RefusedRequestError(400, "bad_request", said) from None
