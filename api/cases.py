"""`/v1/cases`: what customers were handed over to staff for, and what staff do with it."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.acting_staff import ActingStaff
from api.case_acts import CaseActs, DeskOfCases
from api.case_listing import filter_of, most_of, place_of, written_place
from api.case_opening import CaseOpening, OpenedCases
from api.case_refusals import in_words, present_case
from api.case_told import told
from api.named_customer import sought_customer
from api.refusals import json_response
from api.staff_key import StaffKeyCheck
from api.told_object import bad_request
from contracts.case_brief import CaseBrief
from journey.staff_roles import Role
from stores.case_events import CaseEvent
from stores.case_lists import CaseFilter, CasePage, CasePlace
from stores.case_rows import Case
from stores.customers import Customer

MOST_EVENTS, USUAL_EVENTS = 500, 100


class ListsOfCases(Protocol):
    """Where cases are found; `stores.case_lists.CaseListStore` says what it guarantees."""

    async def page(self, wanted: CaseFilter, after: CasePlace | None, most: int) -> CasePage: ...


class EventsOfCases(Protocol):
    """Where it is kept what happened to cases."""

    async def of(self, case: str, most: int, *, before: int | None = None) -> list[CaseEvent]: ...


class Briefs(Protocol):
    """Where briefs are made; `stores.case_brief.CaseBriefStore` says of what."""

    async def of(self, case: Case, member: str) -> CaseBrief: ...


class Customers(Protocol):
    """Where customers are kept."""

    async def find(self, identity: str) -> Customer | None: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class CaseParts:
    """What the doors of cases work with. `wall_clock`: by which a case is late."""

    desk: DeskOfCases
    lists: ListsOfCases
    events: EventsOfCases
    briefs: Briefs
    opened: OpenedCases
    customers: Customers
    acting: ActingStaff
    wall_clock: Callable[[], datetime]


class CaseDoors:
    """What can be asked of cases."""

    def __init__(self, parts: CaseParts) -> None:
        self._parts = parts

    async def several(self, request: Request) -> Response:
        """A page of cases, those to be answered soonest first; `next` begins the next page."""
        named = sought_customer(request)
        found = await self._parts.customers.find(named) if named else None
        customer = found.customer if found else named
        wanted = filter_of(request, customer, self._parts.wall_clock())
        page = await self._parts.lists.page(wanted, place_of(request), most_of(request))
        cases = [told(case) for case in page.cases]
        return json_response({"cases": cases, "next": written_place(page.after)})

    async def one(self, request: Request) -> Response:
        """A case with what happened to it last, the oldest first; `?before=` a number of an event: before that."""
        for name in request.query_params:
            if name not in ("most", "before"):
                raise bad_request(f"{name[:60]}: is not known here; known are most, before")
        most = most_of(request, USUAL_EVENTS, MOST_EVENTS)
        case = await present_case(self._parts.desk, request)
        events = await self._parts.events.of(case.case, most, before=_before(request))
        return json_response({**told(case), "events": [_happened(each) for each in events]})

    async def brief(self, request: Request) -> Response:
        """Who this is, what they went through, what is suggested; `?member=`: what that member may decide."""
        for name in request.query_params:
            if name != "member":
                raise bad_request(f"{name[:60]}: is not known here; known is member")
        case = await present_case(self._parts.desk, request)
        member = request.query_params.get("member", "")
        return json_response(asdict(await self._parts.briefs.of(case, member)))


def cases_router(parts: CaseParts, staff: StaffKeyCheck) -> APIRouter:
    """List, show, open, and work on cases. A case is named by its id or by its short name, `12:3`."""
    router = APIRouter(tags=["staff"])
    doors, acts = CaseDoors(parts), CaseActs(parts.desk, parts.acting)
    opening = CaseOpening(parts.opened, parts.acting)

    def add(
        path: str,
        door: Callable[[Request], Awaitable[Response]],
        method: str,
        at_least: Role | None = None,
    ) -> None:
        router.add_route(path, staff.behind(in_words(door), at_least), methods=[method])

    add("/v1/cases", doors.several, "GET")
    add("/v1/cases", opening.open, "POST")
    for name, (door, role) in acts.doors().items():
        add(f"/v1/cases/{{case:path}}/{name}", door, "POST", role)
    add("/v1/cases/{case:path}/brief", doors.brief, "GET", "agent")
    add("/v1/cases/{case:path}", doors.one, "GET")
    return router


def _before(request: Request) -> int | None:
    said = request.query_params.get("before")
    if said is None:
        return None
    if not said.isdecimal() or len(said) > 18:
        raise bad_request("before: expected the number of an event")
    return int(said)


def _happened(event: CaseEvent) -> dict[str, Any]:
    shown = asdict(event)
    for name in ("case", "customer", "queue", "claimed_by", "at_wall"):
        del shown[name]
    return shown
