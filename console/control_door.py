"""The door of mission control: for those who run journeys, not for whoever answers customers."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from console.inbox_door import CONTROL, InboxDoor, Page, RefusedPageError, Visit
from journey.staff_roles import RUNNING_ROLES

_NUMBER = re.compile("[0-9]{1,18}")


def for_control(door: InboxDoor, page: Page) -> Callable[[Request], Awaitable[Response]]:
    """The page for whoever runs journeys."""

    async def allowed(visit: Visit) -> Response:
        if not visit.runs_journeys:
            *others, last = RUNNING_ROLES
            said = f"This is for {', '.join(others)} and {last}. Your cases are in the inbox."
            raise RefusedPageError(403, said)
        return await page(visit)

    return door.for_staff(allowed)


def instant_of(text: str) -> datetime | None:
    """An instant of an address, in UTC unless it says otherwise; None where it is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def number_of(text: str) -> int | None:
    """A number of an address or a form, as rows of the database have them; None where it is none."""
    return int(text) if _NUMBER.fullmatch(text) else None


def control_page(
    door: InboxDoor, visit: Visit, template: str, values: dict[str, Any], status: int = 200
) -> Response:
    """A page of mission control; everything in it is text."""
    return door.page(template, {"control": CONTROL, "visit": visit, **values}, status)
