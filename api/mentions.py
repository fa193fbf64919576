"""`/v1/mentions`: somebody speaks of us in public, as a program that watches for it tells us."""

from typing import Any, Protocol, cast

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.refusals import RefusedRequestError, json_response
from api.request_body import (
    MESSAGE_BYTES,
    UnacceptableValueError,
    check_values,
    read_body,
    read_json,
)
from api.staff_key import StaffKeyCheck
from journey.identity_rules import STRENGTH
from stores.mentions import Mention, Mentioned

FIELDS = {"network": 40, "handle": 200, "link": 2_000, "text": 10_000, "queue": 64}
"""What must be told, and how long it may be."""


class Mentions(Protocol):
    """Where mentions go."""

    async def take(self, mention: Mention, queue: str) -> Mentioned: ...


def mentions_router(mentions: Mentions, staff: StaffKeyCheck) -> APIRouter:
    """For programs that hold a staff token: a write key travels in web pages, and would open cases for anybody."""
    router = APIRouter(tags=["staff"])

    async def take(request: Request) -> Response:
        """`{"network", "handle", "link", "text", "queue"}`: 201 with the case, 200 where it was known."""
        told = await _told(request)
        queue = told.pop("queue")
        found = await mentions.take(Mention(**told), queue)
        answer = {
            "case": found.case.case, "name": found.case.short_name, "new": found.new,
            "stranger": found.stranger,
        }  # fmt: skip
        return json_response(answer, 201 if found.new else 200)

    router.add_route("/v1/mentions", staff.behind(take), methods=["POST"])
    return router


async def _told(request: Request) -> dict[str, Any]:
    read, sure = read_json(await read_body(request, MESSAGE_BYTES))
    if not isinstance(read, dict):
        raise _bad("expected a JSON object")
    told = cast("dict[str, Any]", read)
    known = {*FIELDS, "language"}
    for field in told:
        if field not in known:
            raise _bad(f"{field[:60]}: is not known here; known are {', '.join(sorted(known))}")
    try:
        check_values(told, "mention", sure=sure)
    except UnacceptableValueError as error:
        raise _bad(str(error)) from None
    for field, most in FIELDS.items():
        value = told.get(field)
        if not isinstance(value, str) or not value.strip() or len(value) > most:
            raise _bad(f"{field}: expected text of 1 to {most} characters")
    language = told.get("language")
    if language is not None and (not isinstance(language, str) or not 2 <= len(language) <= 35):
        raise _bad("language: expected one such as de")
    if told["network"] in STRENGTH:
        raise _bad(f"network: {told['network']} is a name of another kind")
    if not told["link"].startswith(("https://", "http://")):
        raise _bad("link: expected one that begins with https://")
    return told


def _bad(message: str) -> RefusedRequestError:
    return RefusedRequestError(400, "bad_request", message)
