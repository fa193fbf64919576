"""`/v1/cases`: what customers were handed over to staff for, and what staff decide."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Protocol, cast

from fastapi import APIRouter
from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import Response

from activities.staff_cases import UnknownCaseError
from api.refusals import RefusedRequestError, json_response
from api.request_body import (
    MESSAGE_BYTES,
    UnacceptableValueError,
    check_values,
    read_body,
    read_json,
)
from api.staff_key import StaffKeyCheck
from journey.decisions import AuthorityExceededError, UnknownDecisionError, WrongFieldError
from stores.case_decisions import CaseAlreadyDecidedError, CaseClosedError
from stores.case_rows import Case

STATES = ("open", "claimed", "resolved", "closed")
MOST = 500


class Cases(Protocol):
    """Where cases are kept."""

    async def named(self, name: str) -> Case | None: ...

    async def cases(self, *, state: str | None, queue: str | None, most: int) -> list[Case]: ...

    async def decide(
        self, case: str, decision: str, fields: Mapping[str, JsonValue], *, by: str
    ) -> Case: ...


def cases_router(cases: Cases, staff: StaffKeyCheck) -> APIRouter:
    """List cases, show one, decide one. A case is named by its id or by its short name, `12:3`."""
    router = APIRouter(tags=["staff"])

    async def several(request: Request) -> Response:
        state, queue = request.query_params.get("state", "open"), request.query_params.get("queue")
        if state not in (*STATES, "all"):
            raise _bad(f"state: expected one of {', '.join(STATES)}, all")
        found = await cases.cases(state=None if state == "all" else state, queue=queue, most=MOST)
        return json_response({"cases": [told(case) for case in found]})

    async def one(request: Request) -> Response:
        return json_response(told(await _present(cases, request)))

    async def decide(request: Request) -> Response:
        order = await _decision(request)
        case = await _present(cases, request)
        return json_response(told(await _decide(cases, case, order)))

    router.add_route("/v1/cases", staff.behind(several), methods=["GET"])
    router.add_route("/v1/cases/{case:path}/decide", staff.behind(decide), methods=["POST"])
    router.add_route("/v1/cases/{case:path}", staff.behind(one), methods=["GET"])
    return router


def told(case: Case) -> dict[str, Any]:
    """A case as JSON has it."""
    return {**asdict(case), "name": case.short_name}


async def _present(cases: Cases, request: Request) -> Case:
    name = request.path_params["case"]
    case = await cases.named(name)
    if case is None:
        raise RefusedRequestError(404, "unknown_case", f"there is no case {name[:200]!r}")
    return case


async def _decision(request: Request) -> dict[str, Any]:
    order, sure = read_json(await read_body(request, MESSAGE_BYTES))
    if not isinstance(order, dict):
        raise _bad('expected {"decision": …, "by": …, "fields": {…}}')
    read = cast("dict[str, Any]", order)
    for field in read:
        if field not in ("decision", "by", "fields"):
            raise _bad(f"{field[:60]}: is not known here; known are decision, by, fields")
    for field in ("decision", "by"):
        value = read.get(field)
        if not isinstance(value, str) or not 1 <= len(value) <= 200:
            raise _bad(f"{field}: expected text of 1 to 200 characters")
    if not isinstance(read.setdefault("fields", {}), dict):
        raise _bad("fields: expected a JSON object")
    try:
        check_values(read, "decision", sure=sure)
    except UnacceptableValueError as error:
        raise _bad(str(error)) from None
    return read


async def _decide(cases: Cases, case: Case, order: dict[str, Any]) -> Case:
    try:
        return await cases.decide(case.case, order["decision"], order["fields"], by=order["by"])
    except (UnknownDecisionError, WrongFieldError) as error:
        raise _bad(str(error)) from None
    except AuthorityExceededError as error:
        raise RefusedRequestError(403, "authority_exceeded", str(error)) from None
    except UnknownCaseError as error:
        raise RefusedRequestError(404, "unknown_case", str(error)) from None
    except (CaseAlreadyDecidedError, CaseClosedError) as error:
        raise RefusedRequestError(409, "not_open", str(error)) from None


def _bad(message: str) -> RefusedRequestError:
    return RefusedRequestError(400, "bad_request", message)
