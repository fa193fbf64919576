"""Somebody calls or stands at the counter: who is it, and a case for them."""

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from console.inbox_door import AT, InboxDoor, Visit, to
from console.inbox_list import Houses
from journey.language import Slug
from journey.queues import titles_of
from stores.case_rows import Case
from stores.customers import NameOfNobodyError
from stores.staff_opened_cases import NewCase, UnknownCallerError

_SLUG = TypeAdapter(Slug)


class Opened(Protocol):
    """Where staff open cases; `stores.staff_opened_cases` says what it guarantees."""

    async def open_by_staff(self, new: NewCase, *, by: str) -> tuple[Case, bool]: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class NewCasePage:
    """The page with its form."""

    door: InboxDoor
    opened: Opened
    house: Houses

    async def show(self, visit: Visit) -> Response:
        """The form; `#customer=` is filled in by the page, as a telephone puts it into the address.

        What stands behind the `#` is sent by no browser: no log has who called.
        """
        return await self._page(visit, {})

    async def open(self, visit: Visit) -> Response:
        """A case for whoever it is; who has one under way in this queue gets that one."""
        form = visit.form
        told = {name: form.line(name, 320) for name in ("customer", "queue", "title", "place")}
        told["brief"] = form.text("brief", 8_000)
        wrong = await self._wrong(visit, told)
        if wrong:
            return await self._page(visit, told, wrong)
        new = NewCase(
            customer=told["customer"], queue=told["queue"], brief=told["brief"],
            title=told["title"][:200], place=told["place"] or None,
        )  # fmt: skip
        try:
            case, is_new = await self.opened.open_by_staff(new, by=visit.member.member)
        except (UnknownCallerError, NameOfNobodyError) as error:
            said = str(error)
            return await self._page(visit, told, said[:1].upper() + said[1:] + ".")
        did = "opened" if is_new else "known"
        return to(f"{AT}/case/{quote(case.short_name, safe=':')}?did={did}")

    async def _wrong(self, visit: Visit, told: dict[str, str]) -> str:
        if not told["customer"]:
            return "Say who it is: a number, an address, or what they are known by."
        if told["queue"] not in {name for name, _ in await self._queues(visit)}:
            return "Choose a queue."
        if not told["brief"]:
            return "Say what it is about."
        try:
            _SLUG.validate_python(told["place"] or "none")
        except ValidationError:
            return "A place is written in lower case with dashes, such as prague-west."
        return ""

    async def _queues(self, visit: Visit) -> list[tuple[str, str]]:
        """Any queue of the house: whoever answers the telephone is not always who can help."""
        titles = titles_of((await self.house.house()).queues)
        return sorted(
            {name: titles.get(name, name) for name in (*visit.member.queues, *titles)}.items()
        )

    async def _page(self, visit: Visit, told: dict[str, str], wrong: str = "") -> Response:
        values = {
            "visit": visit, "filled": told, "wrong": wrong, "queues": await self._queues(visit),
        }  # fmt: skip
        return self.door.page("new.html", values, 400 if wrong else 200)
