"""The list of the inbox: what is to be done, soonest first, as far as a member may see it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from console.inbox_door import AT, InboxDoor, RefusedPageError, Visit, to
from console.inbox_search import keep, new_number, sought
from console.inbox_words import SHORT_STATES, STATES, clock_words, due_of, title_of
from journey.house_files import House
from journey.queues import titles_of
from stores.customers import Customer, NameOfNobodyError
from stores.inbox_keepsakes import KeepsakeRefusedError, SavedView
from stores.inbox_list import COUNTED, MOST_PAGES, ListedCase, Load, Scope, Wanted
from stores.members import Member

SCOPES: dict[Scope, str] = {
    "mine": "My cases",
    "queues": "My queues",
    "approvals": "To approve",
    "all": "All I may see",
}
IN_ADDRESSES = ("scope", "state", "queue", "place", "language")
"""Of what is looked for, what may stand in an address; what is searched for (`q`) may not."""

FILTERS = (*IN_ADDRESSES, "q")


class Lists(Protocol):
    """Where lists are read; `stores.inbox_list` says what each guarantees."""

    async def cases(self, member: Member, wanted: Wanted) -> tuple[list[ListedCase], bool]: ...
    async def counts(self, member: Member) -> dict[Scope, int]: ...
    async def loads(self, member: Member) -> list[Load]: ...


class Views(Protocol):
    """What members keep."""

    async def views(self, member: str) -> list[SavedView]: ...
    async def keep_view(self, member: str, name: str, filters: dict[str, str]) -> None: ...
    async def drop_view(self, member: str, view: int) -> None: ...


class Customers(Protocol):
    """Who has a name or a number."""

    async def find(self, identity: str) -> Customer | None: ...


class Houses(Protocol):
    """What the house wrote down."""

    async def house(self) -> House: ...


class Members(Protocol):
    """Who works here."""

    async def members(self, queue: str | None = None) -> list[Member]: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class ListPage:
    """The list, and the views that are kept of it. `now` is wall time."""

    door: InboxDoor
    lists: Lists
    views: Views
    customers: Customers
    house: Houses
    members: Members
    now: Callable[[], datetime]

    async def show(self, visit: Visit) -> Response:
        """One page of the list."""
        views = await self.views.views(visit.member.member)
        asked = self._asked(visit.request, views)
        wanted, found = await self._wanted(visit, asked)
        cases, more = await self.lists.cases(visit.member, wanted)
        names = {each.member: each.name for each in await self.members.members()}
        counts = await self.lists.counts(visit.member)
        titles = titles_of((await self.house.house()).queues)
        own = set(visit.member.queues)
        queues = sorted(own | set(titles) if visit.member.role == "admin" else own)
        values: dict[str, Any] = {
            "visit": visit,
            "rows": [self._row(each, visit.member, names, titles) for each in cases],
            "scopes": _scopes(visit, asked, counts),
            "asked": asked,
            "scope": wanted.scope,
            "states": SHORT_STATES,
            "queues": [(name, titles.get(name, name)) for name in queues],
            "filtered": any(asked.get(each) for each in FILTERS if each != "scope"),
            "found": found,
            "views": [(each, f"{AT}?{urlencode({'view': each.view})}") for each in views],
            "page": wanted.page,
            "before": _address(asked, wanted.page - 1) if wanted.page > 1 else "",
            "after": _address(asked, wanted.page + 1) if more and wanted.page < MOST_PAGES else "",
            "loads": await self.lists.loads(visit.member) if visit.leads else [],
            "nobody": not visit.member.queues and visit.member.role != "admin",
        }  # fmt: skip
        return self.door.page("list.html", values)

    async def search(self, visit: Visit) -> Response:
        """Look for what was filled in. What is searched for stands in no address."""
        form = visit.form
        asked = {name: form.line(name) for name in IN_ADDRESSES if form.line(name)}
        words = " ".join(form.line("q").split())[:200]
        if not words:
            return to(f"{AT}?{urlencode(asked)}")
        number = new_number()
        answer = to(f"{AT}?{urlencode({**asked, 'sought': number})}")
        keep(self.door, visit.request, answer, number, words)
        return answer

    async def keep(self, visit: Visit) -> Response:
        """Keep this list under a name, or keep one no more."""
        form = visit.form
        filters = {name: form.line(name) for name in FILTERS if form.line(name)}
        if form.raw("drop"):
            if not form.raw("drop").isascii() or not form.raw("drop").isdigit():
                raise RefusedPageError(400, "There is no such view.")
            await self.views.drop_view(visit.member.member, int(form.raw("drop")[:15]))
            return to(AT)
        name = form.line("name", 60)
        if not name:
            raise RefusedPageError(400, "Give the view a name.")
        try:
            await self.views.keep_view(visit.member.member, name, filters)
        except KeepsakeRefusedError as error:
            raise RefusedPageError(409, str(error)) from None
        return to(f"{AT}?{urlencode(_in_address({**filters, 'sought': form.line('sought', 8)}))}")

    def _asked(self, request: Request, views: Sequence[SavedView]) -> dict[str, str]:
        """What is looked for: as a view of theirs says, or the address, with what they searched for."""
        query = request.query_params
        names = (*IN_ADDRESSES, "page", "view", "sought")
        asked = {
            name: " ".join(query[name].split())[:200]
            for name in names
            if query.get(name, "").strip()
        }
        kept = next((each for each in views if str(each.view) == asked.get("view")), None)
        if kept is not None:
            return {**kept.filters, **asked}
        words = sought(self.door, request, asked.get("sought", ""))
        return {**asked, "q": words} if words else asked

    async def _wanted(self, visit: Visit, asked: dict[str, str]) -> tuple[Wanted, str]:
        """What is looked for, and whom a name or a number leads to, in words."""
        default: Scope = "queues" if visit.works else "all"
        scope = asked.get("scope", default)
        if scope not in SCOPES or (scope == "approvals" and not visit.leads):
            scope = default
        state = asked.get("state")
        wanted = Wanted(
            scope=scope,
            state=state if state in STATES else None,
            queue=asked.get("queue") or None,
            place=asked.get("place") or None,
            language=asked.get("language") or None,
            page=_number(asked.get("page", "1")),
        )
        sought = asked.get("q", "")
        if not sought:
            return wanted, ""
        try:
            customer = await self.customers.find(sought)
        except NameOfNobodyError:  # such as an address that all of a shop's tills share
            customer = None
        if customer is None:
            return replace(wanted, words=sought), ""
        found = replace(wanted, customers=(customer.customer,))
        return found, f"{_called(customer)} is known by {sought}."

    def _row(
        self,
        case: ListedCase,
        member: Member,
        names: dict[str, str],
        titles: dict[str, str],
    ) -> dict[str, Any]:
        now = self.now()
        return {
            "case": case,
            "name": case.short_name,
            "title": title_of(case.title, case.brief, titles.get(case.queue, case.queue)),
            "called": case.called or "A customer without a name",
            "queue": titles.get(case.queue, case.queue),
            "state": SHORT_STATES.get(case.state, case.state),
            "holder": names.get(case.claimed_by or "", case.claimed_by or ""),
            "mine": case.claimed_by == member.member,
            "due": due_of(case, now),
            "opened": clock_words(case.opened_wall, member.zone, now),
            "asked_by": names.get(case.asked_by or "", case.asked_by or ""),
        }


def _in_address(asked: Mapping[str, str]) -> dict[str, str]:
    """The part of it that an address has."""
    names = (*IN_ADDRESSES, "view", "sought")
    return {name: asked[name] for name in names if asked.get(name)}


def _address(asked: Mapping[str, str], page: int) -> str:
    return f"{AT}?{urlencode({**_in_address(asked), 'page': str(page)})}"


def _number(text: str) -> int:
    return min(max(int(text), 1), MOST_PAGES) if text.isascii() and text.isdigit() and len(text) < 6 else 1  # fmt: skip


def _called(customer: Customer) -> str:
    said = [customer.traits.get(each) for each in ("first_name", "last_name")]
    name = " ".join(each for each in said if isinstance(each, str))
    whole = customer.traits.get("name")
    return name or (whole if isinstance(whole, str) else "A customer without a name")


def _scopes(
    visit: Visit, asked: dict[str, str], counts: dict[Scope, int]
) -> Sequence[tuple[Scope, str, str, str]]:
    """The tabs: name, words, count, address."""
    kept = _in_address(asked)
    shown: list[tuple[Scope, str, str, str]] = []
    for scope, words in SCOPES.items():
        if (scope == "approvals" and not visit.leads) or (scope == "mine" and not visit.works):
            continue
        n = counts.get(scope)
        count = "" if n is None else f"{COUNTED:,}+" if n >= COUNTED else f"{n:,}"
        shown.append((scope, words, count, f"{AT}?{urlencode({**kept, 'scope': scope})}"))
    return shown
