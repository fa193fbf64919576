"""The page of one case: what must be known, what happened, and what can be done."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from starlette.responses import Response

from activities.message_channel import Attachment
from activities.message_text import MessageCannotRenderError
from console.inbox_door import InboxDoor, RefusedPageError, Visit, new_secret
from console.inbox_list import Houses, Members
from console.inbox_thread import Reader, ThreadLine, thread_of
from console.inbox_words import (
    STATES,
    clock_words,
    left_in_words,
    on_the_wall,
    title_of,
)
from contracts.case_brief import CaseBrief
from contracts.clock import RunClock
from contracts.inbound_message import InboundFile
from contracts.saved_files import SAVED_AS, headers_of
from journey.case_clock import OVER, TAKEN, UNTAKEN
from journey.queues import titles_of
from stores.case_events import CaseEvent
from stores.case_messages import CaseMessage
from stores.case_rows import Case
from stores.conversations import Spoken
from stores.inbox_keepsakes import CannedReply
from stores.members import Member

DONE: dict[str, str] = {
    "opened": "A new case.",
    "known": "They have this case already; it goes on here.",
    "claim": "It is yours.",
    "let-go": "It is back in its queue.",
    "hand-over": "It is handed over.",
    "snooze": "It is put off.",
    "wait": "It waits for the customer.",
    "go-on": "It is yours again.",
    "note": "Noted.",
    "verify": "Verified: what was withheld is shown.",
    "write": "Written. It leaves in ten seconds; until then the thread has Undo.",
    "undo": "Undone: it does not leave.",
    "answered": "Written down that they were answered in public.",
    "decide": "Decided.",
    "ask": "It was more than you may grant: you asked for approval.",
    "approve": "Approved, and decided.",
    "disapprove": "Refused; who asked goes on.",
    "reopen": "It is open again.",
    "merge": "The other case was merged into this one.",
    "macro": "Done.",
}
CHANNELS = {"email": "e-mail", "whatsapp": "WhatsApp", "sms": "text message", "slack": "Slack"}
"""By which staff may choose to write; unsaid, by the way that the customer came."""

_MESSAGES = 60


class Cases(Protocol):
    """Where cases are kept."""

    async def named(self, name: str) -> Case | None: ...
    async def cases(self, *, customer: str | None = None, most: int = 100) -> list[Case]: ...


class Briefs(Protocol):
    """What must be known of a case, for one member."""

    async def of(self, case: Case, member: str) -> CaseBrief: ...


class Events(Protocol):
    """What happened to a case."""

    async def of(self, case: str, most: int = 500) -> list[CaseEvent]: ...


class Conversations(Protocol):
    """What was said both ways."""

    async def of(self, customer: str, most: int = 100) -> list[Spoken]: ...


class Letters(Protocol):
    """What staff wrote from a case, and the files that travelled."""

    async def messages(self, case: str) -> list[CaseMessage]: ...
    async def file(self, message: int, n: int) -> Attachment | None: ...


class Received(Protocol):
    """Files of customers."""

    async def file(self, reply: str, n: int) -> InboundFile | None: ...


class Published(Protocol):
    """The messages of the house, by name."""

    async def names(self) -> list[str]: ...


class Clocks(Protocol):
    """On which clock a case lives; None is wall time."""

    async def clock(self, case: str) -> RunClock | None: ...


class Replies(Protocol):
    """What is said often."""

    async def replies(self, member: str) -> list[CannedReply]: ...


class Words(Protocol):
    """Puts a template into words."""

    def render(self, template: str, values: Mapping[str, object], now: datetime) -> str: ...


class Writers(Protocol):
    """Who writes where."""

    async def all(self) -> dict[str, list[tuple[str, str]]]: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class Shown:
    """What the page says besides. `wrong`: what was refused; `filled`: what was filled in then, by form."""

    wrong: str = ""
    filled: Mapping[str, str] = field(default_factory=dict[str, str])
    form: str = ""
    status: int = 200


@dataclass(slots=True, frozen=True, kw_only=True)
class CasePage:
    """The page. `now` is wall time."""

    door: InboxDoor
    cases: Cases
    briefs: Briefs
    events: Events
    conversations: Conversations
    letters: Letters
    received: Received
    published: Published
    clocks: Clocks
    replies: Replies
    words: Words
    writers: Writers
    house: Houses
    members: Members
    now: Callable[[], datetime]

    async def show(self, visit: Visit) -> Response:
        """One case."""
        return await self.page(visit, await self.seen(visit), Shown())

    async def file(self, visit: Visit) -> Response:
        """A file of the thread, to be saved."""
        case, asked = await self.seen(visit), visit.request.query_params
        found: Attachment | InboundFile | None = None
        n = asked.get("n", "")
        if n.isascii() and n.isdigit() and len(n) < 6:
            found = await self._file(
                visit, case, asked.get("way", ""), asked.get("message", ""), int(n)
            )
        if found is None:
            raise RefusedPageError(404, "There is no such file.")
        return Response(found.content, media_type=SAVED_AS, headers=headers_of(found.name))

    async def _file(
        self, visit: Visit, case: Case, way: str, message: str, n: int
    ) -> Attachment | InboundFile | None:
        """Of this case, or of this customer where they are proven: nobody reads another's by its number."""
        if way == "out":
            written = await self.letters.messages(case.case)
            ours = next((each for each in written if f"{each.message}" == message), None)
            return await self.letters.file(ours.message, n) if ours is not None else None
        brief = await self.briefs.of(case, visit.member.member)
        spoken = await self.conversations.of(case.customer, _MESSAGES)
        theirs = any(each.way == "in" and each.id == message for each in spoken)
        return await self.received.file(message, n) if theirs and not brief.who.withheld else None

    async def seen(self, visit: Visit) -> Case:
        """The case that was asked for, if this member may see it. Raises: `RefusedPageError`."""
        case = await self.cases.named(visit.request.path_params["case"])
        if case is None or not visit.member.sees(case):
            # The same words for both: who may not see a case does not learn that it is there.
            raise RefusedPageError(404, "There is no such case, or it is not of your queues.")
        return case

    async def page(self, visit: Visit, case: Case, shown: Shown) -> Response:
        """The page as it is now."""
        now, member = self.now(), visit.member
        clock = await self.clocks.clock(case.case)
        brief = await self.briefs.of(case, member.member)
        everybody = await self.members.members()
        names = {each.member: each.name for each in everybody}
        written = await self.house.house()
        titles = titles_of(written.queues)
        replies = await self.replies.replies(member.member)
        said, wrong = self._reply(visit, case, brief, replies)
        writing = (await self.writers.all()).get(case.case, [])
        done = visit.request.query_params.get("did", "") if not shown.wrong else ""
        values: dict[str, Any] = {
            "visit": visit,
            "case": case,
            "title": title_of(case.title, case.brief, case.queue),
            "queue": titles.get(case.queue, case.queue),
            "state": STATES.get(case.state, case.state),
            "holder": names.get(case.claimed_by or "", case.claimed_by or ""),
            "asked": self._asked(case, names),
            "brief": brief,
            "deadlines": _deadlines(case, clock, member, now),
            "when": partial(_when, clock, member.zone, now),
            "thread": await self._thread(visit, case, brief, names, clock),
            "queues": [each for each in titles.items() if each[0] != case.queue],
            "colleagues": [each for each in everybody if each.works and each != member],
            "others": await self._others(visit, case) if visit.works else [],
            "replies": [each for each in replies if not each.act],
            "macros": [each for each in replies if each.act],
            "said": said,
            "into": "letter" if visit.request.query_params.get("into") == "letter" else "note",
            "channels": CHANNELS,
            "templates": await self.published.names() if visit.works else [],
            "once": new_secret(),
            "feelings": [each.feeling for each in written.feelings.feelings] if written.feelings else [],
            "writing": [name for who, name in writing if who != member.member],
            "can": can(visit, case),
            "done": DONE.get(done, ""),
            "wrong": shown.wrong or wrong,
            "filled": shown.filled,
            "form": shown.form,
        }  # fmt: skip
        return self.door.page("case.html", values, shown.status)

    def render(self, template: str, case: Case, brief: CaseBrief, member: Member) -> str:
        """A text that is said often, for this case. Raises: `MessageCannotRenderError`."""
        first, _, last = member.name.partition(" ")
        values: dict[str, object] = {
            "customer": {**brief.traits, "name": brief.who.name},
            "case": {
                "title": title_of(case.title, case.brief, case.queue),
                "name": case.short_name,
                "queue": case.queue,
            },
            "me": {"name": member.name, "first_name": first, "last_name": last},
        }  # fmt: skip
        return self.words.render(template, values, self.now())

    def _reply(
        self, visit: Visit, case: Case, brief: CaseBrief, replies: Sequence[CannedReply]
    ) -> tuple[str, str]:
        asked = visit.request.query_params.get("reply", "")
        chosen = next((each for each in replies if str(each.reply) == asked), None)
        if chosen is None:
            return "", ""
        try:
            return self.render(chosen.text, case, brief, visit.member), ""
        except MessageCannotRenderError as error:
            return "", f"{chosen.name}: {error}"

    def _asked(self, case: Case, names: Mapping[str, str]) -> dict[str, Any] | None:
        asked = case.approval
        if asked is None:
            return None
        fields = asked["fields"]
        told = fields.items() if isinstance(fields, dict) else ()
        by = str(asked["by"])
        return {
            "decision": asked["decision"],
            "fields": [(name, value) for name, value in told],
            "by": names.get(by, by),
            "of": by,
            "words": asked["words"],
            "why": asked["why"],
        }

    async def _thread(
        self, visit: Visit, case: Case, brief: CaseBrief, names: Mapping[str, str], clock: RunClock | None
    ) -> Sequence[ThreadLine]:  # fmt: skip
        reader = Reader(
            names=names, zone=visit.member.zone, now=self.now(), withheld=bool(brief.who.withheld),
            works=visit.works,
        )  # fmt: skip
        events = await self.events.of(case.case)
        spoken = await self.conversations.of(case.customer, _MESSAGES)
        return thread_of(events, spoken, await self.letters.messages(case.case), clock, reader)

    async def _others(self, visit: Visit, case: Case) -> list[tuple[str, str]]:
        """Other open cases of this customer that may become a part of this one."""
        found = await self.cases.cases(customer=case.customer, most=50)
        return [
            (each.case, f"{each.short_name} {title_of(each.title, each.brief, each.queue)}")
            for each in found
            if each.case != case.case
            and each.state not in OVER
            and not each.of_a_run
            and visit.member.sees(each)
        ]


def _when(clock: RunClock | None, zone: str, now: datetime, at: datetime) -> str:
    return clock_words(on_the_wall(at, clock) or at, zone, now)


def can(visit: Visit, case: Case) -> dict[str, bool]:
    """What this member can do with it now."""
    works = visit.works
    mine = case.claimed_by == visit.member.member
    holds = works and case.state in TAKEN and (mine or visit.leads)
    asked = case.approval
    return {
        "claim": works and case.state in UNTAKEN,
        "let-go": holds,
        "hand-over": works and (holds or case.state in UNTAKEN),
        "snooze": holds and case.state != "snoozed",
        "wait": holds and case.state != "pending",
        "go-on": holds and case.state in ("snoozed", "pending"),
        "note": works,
        "verify": works,
        "write": works and case.state not in OVER and (holds or case.state in UNTAKEN),
        "undo": works,
        "answered": works and case.origin == "mention" and (holds or case.state in UNTAKEN),
        "decide": works and (holds or case.state in UNTAKEN) and asked is None,
        "approve": visit.leads and asked is not None and asked["by"] != visit.member.member,
        "reopen": works and case.state in OVER and case.merged_into is None,
        "merge": works and case.state not in OVER,
    }


def _deadlines(
    case: Case, clock: RunClock | None, member: Member, now: datetime
) -> list[dict[str, Any]]:
    if case.state in OVER or case.state == "pending":
        return []
    running = {
        "First answer": case.first_answer_by if case.answered_at is None else None,
        "Next answer": case.next_answer_by,
        "Decide": case.resolve_by,
    }
    found: list[dict[str, Any]] = []
    for what, by in running.items():
        at = on_the_wall(by, clock)
        if at is None:
            continue
        how = "over" if at <= now else "soon" if (at - now).total_seconds() < 1_800 else "fine"
        when = clock_words(at, member.zone, now)
        found.append({"what": what, "at": at, "how": how, "left": left_in_words(at, now), "when": when})  # fmt: skip
    return sorted(found, key=lambda each: each["at"])
