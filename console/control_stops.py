"""The emergency stop: a journey, a channel or everything sends nothing more, until somebody lets it send again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.responses import Response

from console.control_door import control_page
from console.inbox_door import CONTROL, InboxDoor, RefusedPageError, Visit, to
from journey.channels import CHANNELS
from journey.staff_roles import door_role, may
from stores.stops import Scope, Stop

_SCOPES: dict[str, Scope] = {
    "everything": "everything",
    "channel": "channel",
    "journey": "journey",
}


class Stops(Protocol):
    """Where stops are kept; `stores.stops` says what each guarantees."""

    async def begin(self, scope: Scope, name: str, *, reason: str, by: str) -> bool: ...
    async def lift(self, scope: Scope, name: str, *, by: str) -> bool: ...
    async def now(self) -> list[Stop]: ...
    async def journeys(self) -> Sequence[str]: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class StopsPage:
    """The page, and what its forms do: only for who may stop what the house sends."""

    door: InboxDoor
    stops: Stops

    async def show(self, visit: Visit) -> Response:
        """What is stopped, why, by whom, and how many messages wait."""
        return await self._page(visit)

    async def begin(self, visit: Visit) -> Response:
        """`what` is `everything`, `channel email` or `journey cart`; a reason is needed."""
        scope, name = await self._what(visit)
        reason = visit.form.line("reason", 500)
        if not reason:
            return await self._page(visit, "Say why: whoever lifts it wants to know.")
        await self.stops.begin(scope, name, reason=reason, by=visit.member.member)
        return to(f"{CONTROL}/stops")

    async def lift(self, visit: Visit) -> Response:
        """Let it send again."""
        scope, name = await self._what(visit)
        await self.stops.lift(scope, name, by=visit.member.member)
        return to(f"{CONTROL}/stops")

    async def _what(self, visit: Visit) -> tuple[Scope, str]:
        if not may_stop(visit):
            raise RefusedPageError(
                403, "An admin stops what the house sends, and lets it send again."
            )
        scope, _, name = visit.form.line("what").partition(" ")
        known = {
            "everything": [""],
            "channel": list(CHANNELS),
            "journey": list(await self.stops.journeys()),
        }
        if name not in known.get(scope, []):
            raise RefusedPageError(400, "Choose what to stop: everything, a channel, or a journey.")
        return _SCOPES[scope], name

    async def _page(self, visit: Visit, wrong: str = "") -> Response:
        values: dict[str, Any] = {
            "stops": await self.stops.now(),
            "journeys": await self.stops.journeys(),
            "channels": list(CHANNELS),
            "may_stop": may_stop(visit),
            "wrong": wrong,
        }
        return control_page(self.door, visit, "control-stops.html", values, 400 if wrong else 200)


def may_stop(visit: Visit) -> bool:
    """Whether this member may stop what the house sends."""
    return may(door_role(visit.member.role), "operator")
