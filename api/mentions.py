"""`/v1/mentions`: somebody speaks of us in public, as a program that watches for it tells us."""

from typing import Any, Protocol

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.refusals import json_response
from api.staff_key import StaffKeyCheck
from api.told_object import bad_request, read_object_of, text_of
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
    told = await read_object_of(request, (*FIELDS, "language"))
    mention = {name: text_of(told, name, most=most) for name, most in FIELDS.items()}
    if told.get("language") is not None:
        mention["language"] = text_of(told, "language", most=35)
    if mention["network"] in STRENGTH:
        raise bad_request(f"network: {mention['network']} is a name of another kind")
    if not mention["link"].startswith(("https://", "http://")):
        raise bad_request("link: expected one that begins with https://")
    return mention
