"""`/v1/members`: who works here, what they can, when they are away."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any, Protocol

from fastapi import APIRouter
from pydantic import AwareDatetime, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from api.case_listing import most_of
from api.refusals import RefusedRequestError, json_response
from api.staff_key import StaffKeyCheck
from api.told_object import bad_request, queue_named, read_object_of, text_of
from journey.member import MemberFile
from journey.staff_roles import Role
from stores.members import Absence, Member, TakenError, UnknownMemberError, member_written

FIELDS = (
    *("name", "role", "by", "queues", "skills", "languages", "capacity", "grants", "zone", "shift"),
    *("email", "subject", "slack"),
)
PRIVATE = ("email", "subject", "slack")
"""What only an operator sees of a member."""

_MOMENT = TypeAdapter(AwareDatetime)


class Members(Protocol):
    """Where members are kept; `stores.members.MemberStore` says what each guarantees."""

    async def put(self, member: Member, *, by: str) -> None: ...
    async def leave(self, member: str, *, by: str) -> None: ...
    async def member(self, member: str) -> Member | None: ...
    async def members(self, queue: str | None = None) -> list[Member]: ...
    async def absent(
        self, member: str, since: datetime, until: datetime, why: str, *, by: str
    ) -> int: ...
    async def back(self, absence: int, *, by: str) -> bool: ...
    async def absences(self, member: str | None = None) -> list[Absence]: ...


class MemberDoors:
    """What can be asked of members."""

    def __init__(self, members: Members, staff: StaffKeyCheck) -> None:
        self._members, self._staff = members, staff

    async def several(self, request: Request) -> Response:
        """`?queue=`, `?most=`, `?after=` a member: those who work here, by name."""
        for name in request.query_params:
            if name not in ("queue", "most", "after"):
                raise bad_request(f"{name[:60]}: is not known here; known are queue, most, after")
        most, after = most_of(request), request.query_params.get("after", "")
        there = await self._members.members(queue_named(request.query_params.get("queue")))
        found = [each for each in there if each.member > after]
        shown, whole = found[:most], await self._whole(request)
        following = shown[-1].member if len(found) > most else None
        told = [_told(each, whole=whole) for each in shown]
        return json_response({"members": told, "next": following})

    async def one(self, request: Request) -> Response:
        """A member, also one who left, and their absences that are not over."""
        member = await self._present(request)
        absences = await self._members.absences(member.member)
        told = _told(member, whole=await self._whole(request))
        return json_response({**told, "absences": [_absence(each) for each in absences]})

    async def put(self, request: Request) -> Response:
        """All that is said of a member; what is left out is as usual again."""
        said = await read_object_of(request, FIELDS)
        by = text_of(said, "by", most=200)
        member = _member(request.path_params["member"], said)
        try:
            await self._members.put(member, by=by)
        except TakenError as error:
            raise RefusedRequestError(409, "taken", str(error)) from None
        return json_response(_told(await self._present(request), whole=True))

    async def leave(self, request: Request) -> Response:
        """204: they work here no more; their cases go to somebody else."""
        by = text_of(dict(request.query_params), "by", most=200)
        await self._members.leave(request.path_params["member"], by=by)
        return Response(status_code=204)

    async def absent(self, request: Request) -> Response:
        """`{"since", "until", "why", "by"}`: 201 with its number."""
        said = await read_object_of(request, ("since", "until", "why", "by"))
        since, until = _moment(said, "since"), _moment(said, "until")
        if until <= since:
            raise bad_request("until: it is not after `since`")
        why, by = text_of(said, "why", most=500, default=""), text_of(said, "by", most=200)
        name = request.path_params["member"]
        number = await self._members.absent(name, since, until, why, by=by)
        return json_response({"absence": number}, 201)

    async def back(self, request: Request) -> Response:
        """204: that absence is none."""
        by = text_of(dict(request.query_params), "by", most=200)
        member, number = await self._present(request), request.path_params["absence"]
        theirs = {each.absence for each in await self._members.absences(member.member)}
        if number not in theirs or not await self._members.back(number, by=by):
            said = f"{member.member} has no absence {number} that is not over"
            raise RefusedRequestError(404, "unknown_absence", said)
        return Response(status_code=204)

    async def _present(self, request: Request) -> Member:
        name = request.path_params["member"]
        found = await self._members.member(name)
        if found is None:
            raise UnknownMemberError(f"there is no member {name[:200]!r}")
        return found

    async def _whole(self, request: Request) -> bool:
        return await self._staff.role(request) == "operator"


def members_router(members: Members, staff: StaffKeyCheck) -> APIRouter:
    """Whoever reads may read; changing them is for operators."""
    router, doors = APIRouter(tags=["staff"]), MemberDoors(members, staff)

    def add(
        path: str,
        door: Callable[[Request], Awaitable[Response]],
        method: str,
        at_least: Role | None = None,
    ) -> None:
        router.add_route(path, staff.behind(_in_words(door), at_least), methods=[method])

    add("/v1/members", doors.several, "GET")
    add("/v1/members/{member}", doors.one, "GET")
    add("/v1/members/{member}", doors.put, "PUT", "operator")
    add("/v1/members/{member}", doors.leave, "DELETE", "operator")
    add("/v1/members/{member}/absences", doors.absent, "POST", "operator")
    add("/v1/members/{member}/absences/{absence:int}", doors.back, "DELETE", "operator")
    return router


def _in_words(
    door: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await door(request)
        except UnknownMemberError as error:
            raise RefusedRequestError(404, "unknown_member", str(error)) from None

    return answer


def _member(name: str, said: dict[str, Any]) -> Member:
    told = {key: value for key, value in said.items() if key != "by" and value is not None}
    try:
        read = MemberFile.model_validate({**told, "member": name})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(each) for each in first["loc"]) or "member"
        raise bad_request(f"{place}: {first['msg']}") from None
    return member_written(read)


def _told(member: Member, *, whole: bool) -> dict[str, Any]:
    shift = member.shift.model_dump(mode="json") if member.shift else None
    told = {**asdict(member), "shift": shift}
    return told if whole else {name: told[name] for name in told if name not in PRIVATE}


def _absence(absence: Absence) -> dict[str, Any]:
    return {name: value for name, value in asdict(absence).items() if name != "member"}


def _moment(said: dict[str, Any], name: str) -> datetime:
    value = said.get(name)
    try:
        if isinstance(value, str):
            return _MOMENT.validate_python(value)
    except ValidationError:
        pass
    raise bad_request(f"{name}: expected a moment with its zone, 2026-11-24T09:00:00Z")
