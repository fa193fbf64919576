"""`/v1/customers/{identity}/feeling`: what a customer feels, since when and from what; and what staff saw of it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from fastapi import APIRouter
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from api.named_customer import named_customer
from api.refusals import RefusedRequestError, json_response
from api.staff_key import StaffKeyCheck
from api.told_object import bad_request, read_object_of, text_of
from journey.feelings import STAFF_READING_LASTS, Reading, felt
from journey.language import Slug
from journey.spans import SpanError
from stores.feelings import UnknownFeelingError

_SLUG = TypeAdapter(Slug)


class Feelings(Protocol):
    """Where readings are kept; `stores.feelings.FeelingStore` says what each guarantees."""

    async def readings(self, customer: str) -> list[Reading]: ...
    async def read_by_staff(
        self, customer: str, feeling: str, *, why: str, by: str, lasts: str | None
    ) -> Reading: ...
    async def over(self, customer: str, *, why: str, by: str) -> int: ...


class Customers(Protocol):
    """Where customers are kept."""

    async def find(self, identity: str) -> Any: ...


def feelings_router(
    feelings: Feelings,
    customers: Customers,
    staff: StaffKeyCheck,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> APIRouter:
    """Who feels what, for staff. `clock` is run time."""
    router = APIRouter(tags=["moment"])

    async def _customer(request: Request) -> str:
        found = await customers.find(named_customer(request))
        if found is None:
            raise RefusedRequestError(404, "unknown_customer", "nobody is known by this")
        return found.customer

    async def shown(request: Request) -> Response:
        """What counts now, and all that holds beside it."""
        customer = await _customer(request)
        return json_response(feelings_told(customer, await feelings.readings(customer), clock()))

    async def read(request: Request) -> Response:
        """`{"feeling", "why", "by", "for"}`: somebody saw or heard it."""
        told = await read_object_of(request, ("feeling", "why", "by", "for"))
        customer = await _customer(request)
        try:
            await feelings.read_by_staff(
                customer,
                _SLUG.validate_python(text_of(told, "feeling", most=64)),
                why=text_of(told, "why", most=500),
                by=text_of(told, "by", most=200),
                lasts=text_of(told, "for", most=40, default=STAFF_READING_LASTS),
            )
        except ValidationError:
            raise bad_request("feeling: expected a word in lower case, such as upset") from None
        except (UnknownFeelingError, SpanError) as error:
            raise bad_request(str(error)) from None
        return json_response(feelings_told(customer, await feelings.readings(customer), clock()))

    async def over(request: Request) -> Response:
        """`{"why", "by"}`: nothing of it holds any more."""
        told = await read_object_of(request, ("why", "by"))
        customer = await _customer(request)
        why, by = text_of(told, "why", most=500), text_of(told, "by", most=200)
        ended = await feelings.over(customer, why=why, by=by)
        return json_response({"success": True, "customer": customer, "ended": ended})

    path = "/v1/customers/{identity}/feeling"
    router.add_route(path, staff.behind(shown), methods=["GET"])
    router.add_route(path, staff.behind(read), methods=["POST"])
    router.add_route(f"{path}/over", staff.behind(over), methods=["POST"])
    return router


def feelings_told(customer: str, readings: Sequence[Reading], now: datetime) -> dict[str, Any]:
    """Readings as JSON has them."""
    counts = felt(readings, now)
    return {
        "customer": customer,
        "feeling": counts.feeling if counts else None,
        "readings": [
            {
                "feeling": each.feeling,
                "source": each.source,
                "because": each.evidence,
                "by": each.by or None,
                "since": each.at,
                "until": each.fades_at,
                "strength": round(each.strength(now), 2),
                "counts": each == counts,
            }
            for each in readings
        ],
    }
