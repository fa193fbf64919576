"""Who does something for staff over HTTP: a member we know, or whoever a program with a token says it is."""

from dataclasses import dataclass
from typing import Any, Protocol

from starlette.requests import Request

from api.refusals import RefusedRequestError
from api.staff_key import StaffKeyCheck
from api.told_object import text_of
from journey.queues import QueuesFile
from journey.staff_roles import Role, door_role, may
from stores.members import Member


class Members(Protocol):
    """Where members are kept."""

    async def member(self, member: str) -> Member | None: ...


class LiveHouse(Protocol):
    """What the house has published of its queues."""

    async def queues(self) -> QueuesFile | None: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class Actor:
    """Who acts. `authority`: up to which amount they may decide, where we do not know them as a member."""

    by: str
    member: Member | None
    authority: float | None


class ActingStaff:
    """Tells who acts, and that they may: the token's role holds, and a member's own as well."""

    def __init__(self, staff: StaffKeyCheck, members: Members, house: LiveHouse) -> None:
        self._staff, self._members, self._house = staff, members, house

    async def actor(self, request: Request, told: dict[str, Any], needed: Role = "agent") -> Actor:
        """Whom `by` names. Raises: `RefusedRequestError` 400, or 403 where they left or may not."""
        by = text_of(told, "by", most=200)
        member = await self._members.member(by)
        if member is None:
            return Actor(by=by, member=None, authority=await self._authority(request))
        if member.left_at is not None:
            raise RefusedRequestError(403, "member_left", f"{by} works here no more")
        if not may(door_role(member.role), needed):
            said = f"{by} has the role {member.role}; this needs {needed}"
            raise RefusedRequestError(403, "role_too_low", said)
        return Actor(by=by, member=member, authority=None)

    async def _authority(self, request: Request) -> float | None:
        """As far as the role of the token goes, where the house wrote down how far that is."""
        role, queues = await self._staff.role(request), await self._house.queues()
        grants = queues.grants if queues is not None else None
        if grants is None:
            return None
        match role:
            case "operator":
                return None
            case "lead":
                return grants.lead
            case "agent":
                return grants.agent
            case "viewer":
                return 0.0
