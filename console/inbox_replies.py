"""What staff say often: each member's own texts, those of the house, and macros that do something besides."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from starlette.responses import Response

from console.inbox_acts import SPANS
from console.inbox_door import AT, InboxDoor, RefusedPageError, Visit, to
from console.inbox_list import Houses
from journey.templates import TemplateFault
from stores.inbox_keepsakes import CannedReply, KeepsakeRefusedError

ACTS: dict[str, str] = {
    "": "Only the words",
    "note": "Note the words",
    "wait": "Note the words, then wait for the customer",
    **{f"snooze {span}": f"Note the words, then put it off for {span}" for span in SPANS},
}


class Replies(Protocol):
    """Where they are kept; `stores.inbox_keepsakes` says what each guarantees."""

    async def replies(self, member: str) -> list[CannedReply]: ...
    async def keep_reply(
        self, by: str, name: str, text: str, act: str, *, house: bool = False
    ) -> None: ...
    async def drop_reply(self, by: str, reply: int, *, house: bool) -> None: ...


class Words(Protocol):
    """Tells what is wrong with a template; it names the place."""

    def fault(self, template: str) -> TemplateFault | None: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class RepliesPage:
    """The page of these texts."""

    door: InboxDoor
    replies: Replies
    words: Words
    house: Houses

    async def show(self, visit: Visit) -> Response:
        """All that this member may say."""
        return await self._page(visit)

    async def keep(self, visit: Visit) -> Response:
        """Keep one, or keep one no more."""
        form, by = visit.form, visit.member.member
        dropped = form.raw("drop")
        if dropped:
            if not (dropped.isascii() and dropped.isdigit() and len(dropped) < 16):
                raise RefusedPageError(400, "There is no such text.")
            await self.replies.drop_reply(by, int(dropped), house=visit.leads)
            return to(f"{AT}/replies")
        name, text, act = form.line("name", 60), form.text("text", 5_000), form.line("act")
        wrong = await self._wrong(name, text, act)
        house = form.raw("house") == "yes"
        if house and not visit.leads:
            raise RefusedPageError(403, "A lead writes the texts of the house.")
        if not wrong:
            try:
                await self.replies.keep_reply(by, name, text, act, house=house)
            except KeepsakeRefusedError as error:
                wrong = str(error)
        if wrong:
            return await self._page(visit, wrong, {"name": name, "text": text, "act": act})
        return to(f"{AT}/replies")

    async def _wrong(self, name: str, text: str, act: str) -> str:
        if not name or not text:
            return "Give it a name and words."
        if act not in await self._acts():
            return "Choose what it does."
        fault = self.words.fault(text)
        return f"Line {fault.line}: {fault.message}. {fault.remedy}" if fault is not None else ""

    async def _acts(self) -> dict[str, str]:
        house = (await self.house.house()).queues
        queues = house.queues if house is not None else []
        return ACTS | {
            f"queue {each.queue}": f"Hand over to {each.title or each.queue}, with the words"
            for each in queues
        }

    async def _page(
        self, visit: Visit, wrong: str = "", filled: dict[str, str] | None = None
    ) -> Response:
        values = {
            "visit": visit,
            "replies": await self.replies.replies(visit.member.member),
            "acts": await self._acts(),
            "wrong": wrong,
            "filled": filled or {},
            "now": datetime.now(UTC),
        }
        return self.door.page("replies.html", values, 400 if wrong else 200)
