"""`/v1/stops`: the emergency stop of a journey, a channel or everything, for programs and pages of staff."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol, cast

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.refusals import RefusedRequestError, json_response
from api.request_body import MESSAGE_BYTES, read_body, read_json
from api.staff_key import StaffKeyCheck
from stores.stops import Scope

LONGEST_WORDS = 500
_FIELDS = ("scope", "name", "reason", "by")
_SCOPES: dict[str, Scope] = {
    "everything": "everything",
    "channel": "channel",
    "journey": "journey",
}


class StopNow(Protocol):
    """What is stopped."""

    @property
    def scope(self) -> Scope: ...
    @property
    def name(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def began_by(self) -> str: ...
    @property
    def began_at(self) -> datetime: ...
    @property
    def waiting(self) -> int: ...


class Stops(Protocol):
    """Where stops are kept; `stores.stops.StopStore` says what each guarantees."""

    async def begin(self, scope: Scope, name: str, *, reason: str, by: str) -> bool: ...
    async def lift(self, scope: Scope, name: str, *, by: str) -> bool: ...
    async def now(self) -> Sequence[StopNow]: ...
    async def journeys(self) -> Sequence[str]: ...


def stops_router(stops: Stops, staff: StaffKeyCheck) -> APIRouter:
    """POST begins, DELETE lifts (`/v1/stops/journey/NAME?by=…`), GET lists; with the staff token."""
    router = APIRouter(tags=["control"])

    async def begin(request: Request) -> Response:
        """`{"scope", "name", "reason", "by"}`: 201, or 200 where it was stopped already."""
        told = await _told(request)
        scope, name = _of(told.get("scope"), told.get("name") or "")
        if scope == "journey" and name not in (known := await stops.journeys()):
            said = f"{name!r} is no journey; they are {', '.join(known) or 'none'}"
            raise RefusedRequestError(404, "unknown_journey", said)
        reason, by = _words(told, "reason"), _words(told, "by")
        began = await stops.begin(scope, name, reason=reason, by=by)
        return json_response({"scope": scope, "name": name, "began": began}, 201 if began else 200)

    async def lift(request: Request) -> Response:
        """204 once it may send again; 404 where it was not stopped."""
        scope, name = _of(request.path_params["scope"], request.path_params.get("name", ""))
        by = _words(dict(request.query_params), "by")
        if not await stops.lift(scope, name, by=by):
            raise RefusedRequestError(
                404, "not_stopped", f"{scope} {name}".strip() + " is not stopped"
            )
        return Response(status_code=204)

    async def now(request: Request) -> Response:  # noqa: ARG001 -- it asks for nothing
        """What is stopped now, and how many messages wait for it."""
        found = [
            {
                "scope": each.scope,
                "name": each.name,
                "reason": each.reason,
                "by": each.began_by,
                "since": each.began_at,
                "waiting": each.waiting,
            }
            for each in await stops.now()
        ]
        return json_response({"stops": found})

    router.add_api_route("/v1/stops", staff.behind(begin, "operator"), methods=["POST"])
    router.add_api_route("/v1/stops", staff.behind(now), methods=["GET"])
    router.add_api_route("/v1/stops/{scope}", staff.behind(lift, "operator"), methods=["DELETE"])
    router.add_api_route(
        "/v1/stops/{scope}/{name}", staff.behind(lift, "operator"), methods=["DELETE"]
    )
    return router


def _of(scope: object, name: object) -> tuple[Scope, str]:
    """What is meant. Raises: `RefusedRequestError`."""
    if not isinstance(scope, str) or scope not in _SCOPES:
        raise _bad(f"scope: expected one of {', '.join(_SCOPES)}")
    if not isinstance(name, str) or (scope == "everything") != (name == ""):
        raise _bad("name: expected the journey or channel; with everything, none")
    return _SCOPES[scope], name


def _words(told: dict[str, Any], field: str) -> str:
    found = told.get(field)
    if not isinstance(found, str) or not 1 <= len(found.strip()) <= LONGEST_WORDS:
        raise _bad(f"{field}: expected text of 1 to {LONGEST_WORDS} characters")
    return found.strip()


async def _told(request: Request) -> dict[str, Any]:
    raw, _ = read_json(await read_body(request, MESSAGE_BYTES))
    if not isinstance(raw, dict):
        raise _bad("expected one JSON object")
    for name in cast("dict[str, Any]", raw):
        if name not in _FIELDS:
            raise _bad(f"{name[:60]}: is not known here; known are {', '.join(_FIELDS)}")
    return raw  # pyright: ignore[reportUnknownVariableType] -- JSON


def _bad(message: str) -> RefusedRequestError:
    return RefusedRequestError(400, "invalid_request", message)
