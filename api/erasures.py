"""`/v1/customers/{identity}/erase` and `/v1/erasures`: a customer is erased, and what proves it; for staff."""

from dataclasses import asdict
from typing import Any, Protocol

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.named_customer import named_customer
from api.refusals import RefusedRequestError, json_response
from api.staff_key import StaffKeyCheck
from api.told_object import bad_request, read_object_of, text_of
from stores.erasures import NobodyToEraseError, Preview, Proof, UnknownErasureError

LONGEST = 500
KNOWN = ("by", "reason", "dry_run")


class Erasures(Protocol):
    """Where erasures begin and are proved."""

    async def preview(self, identity: str, *, kind: str | None = None) -> Preview: ...

    async def begin(self, customer: str, *, by: str, reason: str = "") -> str: ...

    async def proof(self, erasure: str) -> Proof: ...


def erasures_router(erasures: Erasures, staff: StaffKeyCheck) -> APIRouter:
    """Begin one, and look how far it is; the router carries it on."""
    router = APIRouter(tags=["staff"])

    async def erase(request: Request) -> Response:
        """`{"by", "reason", "dry_run"}`: 202 with the erasure and what goes; 200 where it is only looked at."""
        asked = await _asked(request)
        try:
            shown = await erasures.preview(named_customer(request))
            if asked["dry_run"]:
                return json_response(asdict(shown))
            erasure = await erasures.begin(shown.customer, by=asked["by"], reason=asked["reason"])
        except NobodyToEraseError as error:
            raise RefusedRequestError(404, "unknown_customer", str(error)[:300]) from None
        return json_response({"erasure": erasure, **asdict(shown)}, 202)

    async def proof(request: Request) -> Response:
        """How far it is, and the proof once it is done."""
        try:
            found = await erasures.proof(request.path_params["erasure"])
        except UnknownErasureError as error:
            raise RefusedRequestError(404, "unknown_erasure", str(error)[:300]) from None
        return json_response(asdict(found))

    begin = staff.behind(erase, "operator")
    router.add_route("/v1/customers/{identity}/erase", begin, methods=["POST"])
    router.add_route("/v1/erasures/{erasure}", staff.behind(proof), methods=["GET"])
    return router


async def _asked(request: Request) -> dict[str, Any]:
    told = await read_object_of(request, KNOWN)
    dry_run = told.get("dry_run", False)
    if not isinstance(dry_run, bool):
        raise bad_request("dry_run: expected true or false")
    return {
        "by": text_of(told, "by", most=LONGEST),
        "reason": text_of(told, "reason", most=LONGEST) if told.get("reason") else "",
        "dry_run": dry_run,
    }
