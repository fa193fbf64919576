"""`/v1/staff/figures`: how work goes for staff, by queue, member and place."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Protocol

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.refusals import json_response
from api.staff_key import StaffKeyCheck
from api.told_object import bad_request, queue_named
from journey.spans import SpanError, read_span
from stores.staff_figures import StaffFigures

SINCE = "28d"
"""Without `since`, so long back."""

FURTHEST = timedelta(days=400)


class Figures(Protocol):
    """Where figures are made."""

    async def figures(
        self, since: datetime, now: datetime, queue: str | None = None
    ) -> StaffFigures: ...


def staff_figures_router(
    figures: Figures, staff: StaffKeyCheck, clock: Callable[[], datetime]
) -> APIRouter:
    """For whoever leads, and whoever reads. `clock` is run time."""
    router = APIRouter(tags=["staff"])

    async def shown(request: Request) -> Response:
        """`?queue=sales&since=28d`: a length of time back, or an instant."""
        now = clock()
        since = since_of(request.query_params.get("since", SINCE), now)
        queue = queue_named(request.query_params.get("queue"))
        return json_response(asdict(await figures.figures(since, now, queue)))

    router.add_route("/v1/staff/figures", staff.behind(shown), methods=["GET"])
    return router


def since_of(text: str, now: datetime) -> datetime:
    """A length of time back from now, or an instant; 400 days at the most."""
    try:
        since = read_span(text).before(now, "UTC")
    except SpanError:
        try:
            since = datetime.fromisoformat(text)
        except ValueError:
            raise bad_request("since: expected 28d, 2w or an instant such as 2026-11-01") from None
        since = since if since.tzinfo else since.replace(tzinfo=UTC)
    if not now - FURTHEST <= since <= now:
        raise bad_request("since: expected a time within the last 400 days")
    return since
