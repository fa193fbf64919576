"""`/v1/queues`: the queues of staff as they are live, and how they stand."""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from typing import Any, Protocol

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.refusals import json_response
from api.staff_key import StaffKeyCheck
from stores.queue_standings import QueueStanding


class Queues(Protocol):
    """Where it is known how queues stand."""

    async def standings(self, now: datetime) -> list[QueueStanding]: ...


def queues_router(
    queues: Queues, staff: StaffKeyCheck, wall_clock: Callable[[], datetime]
) -> APIRouter:
    """All queues: at most 500 are written down."""
    router = APIRouter(tags=["staff"])

    async def several(request: Request) -> Response:  # noqa: ARG001 -- it asks for nothing
        """Every queue: as it is written, what waits, what is late, and who is there now."""
        found = await queues.standings(wall_clock())
        return json_response({"queues": [_told(each) for each in found]})

    router.add_route("/v1/queues", staff.behind(several), methods=["GET"])
    return router


def _told(standing: QueueStanding) -> dict[str, Any]:
    written = standing.queue.model_dump(mode="json", by_alias=True)
    figures = {
        each.name: getattr(standing, each.name) for each in fields(standing) if each.name != "queue"
    }
    return {**written, **figures}
