"""The door of mission control: for those who run journeys, not for whoever answers customers."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from console.inbox_door import CONTROL, InboxDoor, Page, RefusedPageError, Visit
from journey.staff_roles import MemberRole

WHO: tuple[MemberRole, ...] = ("lead", "editor", "analyst", "admin")
"""Who runs journeys, and sees all customers: agents see those whose cases they have, in the inbox."""


def for_control(door: InboxDoor, page: Page) -> Callable[[Request], Awaitable[Response]]:
    """The page for whoever runs journeys."""

    async def allowed(visit: Visit) -> Response:
        if visit.member.role not in WHO:
            raise RefusedPageError(
                403,
                f"This is for {', '.join(WHO[:-1])} and {WHO[-1]}. Your cases are in the inbox.",
            )
        return await page(visit)

    return door.for_staff(allowed)


def control_page(
    door: InboxDoor, visit: Visit, template: str, values: dict[str, Any], status: int = 200
) -> Response:
    """A page of mission control; everything in it is text."""
    return door.page(template, {"control": CONTROL, "visit": visit, **values}, status)
