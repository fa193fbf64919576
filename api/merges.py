"""`/v1/merges`: two customers who are one, and one who is two, as staff say; all of it is audited."""

from dataclasses import asdict
from typing import Any, Protocol, cast

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.named_customer import named_customer
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
from stores.staff_merges import (
    Merge,
    RefusedName,
    RunsBeingToldError,
    SameCustomerError,
    UnknownCustomerError,
    UnknownMergeError,
)
from stores.unmerges import CannotBePartedError

LONGEST_WHY = 500


class Merges(Protocol):
    """Where merges are made and undone."""

    async def merge(self, one: str, other: str, *, by: str, why: str) -> Merge: ...

    async def unmerge(self, merge: int, *, by: str, why: str) -> Merge: ...

    async def of(self, customer: str) -> list[Merge]: ...

    async def refused(self, customer: str) -> list[RefusedName]: ...


def merges_router(merges: Merges, staff: StaffKeyCheck) -> APIRouter:
    """Merge, undo, and the merges of one customer; for programs that hold the staff token."""
    router = APIRouter(tags=["staff"])

    async def merge(request: Request) -> Response:
        """`{"one", "other", "by", "why"}`, each customer by any name: 201 with the merge."""
        asked = await _asked(request, ("one", "other", "by", "why"))
        try:
            made = await merges.merge(
                asked["one"], asked["other"], by=asked["by"], why=asked["why"]
            )
        except UnknownCustomerError as error:
            raise RefusedRequestError(404, "unknown_customer", str(error)) from None
        except SameCustomerError as error:
            raise RefusedRequestError(409, "same_customer", str(error)) from None
        return json_response(asdict(made), 201)

    async def undo(request: Request) -> Response:
        """`{"by", "why"}`: the merge as it was undone."""
        number, asked = request.path_params["merge"], await _asked(request, ("by", "why"))
        try:
            undone = await merges.unmerge(int(number), by=asked["by"], why=asked["why"])
        except (UnknownMergeError, ValueError) as error:
            if isinstance(error, CannotBePartedError):
                raise RefusedRequestError(409, "cannot_be_parted", str(error)) from None
            said = f"there is no merge {number[:40]!r}"
            raise RefusedRequestError(404, "unknown_merge", said) from None
        except RunsBeingToldError as error:
            raise RefusedRequestError(503, "unavailable", str(error), retry_after=5) from None
        return json_response(asdict(undone))

    async def several(request: Request) -> Response:
        """Who became this customer, and which names are not tied to them."""
        name = named_customer(request)
        try:
            made, refused = await merges.of(name), await merges.refused(name)
        except UnknownCustomerError as error:
            raise RefusedRequestError(404, "unknown_customer", str(error)[:300]) from None
        return json_response(
            {"merges": [asdict(each) for each in made], "refused": [asdict(r) for r in refused]}
        )

    router.add_api_route("/v1/merges", staff.behind(merge, "lead"), methods=["POST"])
    router.add_api_route("/v1/merges/{merge}/undo", staff.behind(undo, "lead"), methods=["POST"])
    router.add_api_route("/v1/customers/{identity}/merges", staff.behind(several), methods=["GET"])
    return router


async def _asked(request: Request, names: tuple[str, ...]) -> dict[str, str]:
    """The texts that are asked for. Raises: `RefusedRequestError` naming the field."""
    raw, sure = read_json(await read_body(request, MESSAGE_BYTES))
    if not isinstance(raw, dict):
        raise _bad("expected one JSON object")
    told = cast("dict[str, Any]", raw)
    try:
        check_values(told, "body", sure=sure)
    except UnacceptableValueError as error:
        raise _bad(str(error)) from None
    for name in told:
        if name not in names:
            raise _bad(f"{name[:60]}: is not known here; known are {', '.join(names)}")
    for name in names:
        most = LONGEST_WHY if name == "why" else LONGEST_NAME
        value = told.get(name)
        if not isinstance(value, str) or not 1 <= len(value.strip()) <= most:
            raise _bad(f"{name}: expected text of 1 to {most} characters")
    return {name: told[name].strip() for name in names}


def _bad(message: str) -> RefusedRequestError:
    return RefusedRequestError(400, "invalid_request", message)
