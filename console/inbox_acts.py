"""What a member does with a case from its page: take it, decide it, pass it on, put it off, say something."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Protocol
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import JsonValue
from starlette.responses import Response

from activities.message_channel import Attachment
from activities.message_text import MessageCannotRenderError
from activities.staff_cases import UnknownCaseError
from console.inbox_case import CHANNELS, CasePage, Shown, can
from console.inbox_door import AT, Form, RefusedPageError, Visit, to
from journey.decision_line import field_value
from journey.decisions import AuthorityExceededError, UnknownDecisionError, WrongFieldError
from stores.case_decisions import REFUSALS as REFUSED_BY_CASES
from stores.case_decisions import ApprovalRefusedError
from stores.case_messages import (
    LONGEST_SUBJECT,
    LONGEST_TEXT,
    CaseMessage,
    Letter,
    TooLateError,
    UnknownMessageError,
)
from stores.case_rows import Case
from stores.members import UnknownMemberError

REFUSALS = (
    UnknownDecisionError, WrongFieldError, AuthorityExceededError, ApprovalRefusedError,
    *REFUSED_BY_CASES,
    UnknownMemberError, UnknownCaseError, UnknownMessageError, TooLateError, MessageCannotRenderError, ValueError,
)  # fmt: skip
"""What the desk says no with, each in words for whoever asked."""

SPANS: dict[str, timedelta] = {
    "1h": timedelta(hours=1), "3h": timedelta(hours=3), "1d": timedelta(days=1),
    "3d": timedelta(days=3), "7d": timedelta(days=7),
}  # fmt: skip
MORNING = time(9)


class Desk(Protocol):
    """What staff do with cases; `stores.case_desk` says what each guarantees."""

    async def claim(self, case: str, by: str) -> Case: ...
    async def let_go(self, case: str, by: str, *, why: str = "") -> Case: ...
    async def hand_over(
        self, case: str, by: str, *, queue: str | None = None, to: str | None = None, note: str
    ) -> Case: ...
    async def snooze(
        self, case: str, by: str, *, until: datetime | None = None, event: str | None = None
    ) -> Case: ...
    async def wait_for_customer(self, case: str, by: str) -> Case: ...
    async def go_on(self, case: str, by: str) -> Case: ...
    async def note(self, case: str, by: str, text: str) -> Case: ...
    async def decide(
        self,
        case: str,
        decision: str,
        fields: Mapping[str, JsonValue],
        *,
        by: str,
        authority: float | None = None,
        ask: str | None = None,
        note: str = "",
        feeling: str = "",
        lacked: str = "",
    ) -> Case: ...
    async def verify(self, case: str, by: str, how: str) -> Case: ...
    async def write(self, case: str, by: str, letter: Letter) -> CaseMessage: ...
    async def undo(self, case: str, message: int, by: str) -> CaseMessage: ...
    async def answered_in_public(
        self, case: str, by: str, *, link: str, words: str = ""
    ) -> None: ...
    async def approve(self, case: str, by: str, *, why: str = "") -> Case: ...
    async def disapprove(self, case: str, by: str, *, why: str) -> Case: ...
    async def reopen(self, case: str, by: str, *, why: str) -> Case: ...
    async def merge(self, case: str, into: str, by: str) -> Case: ...


class Writers(Protocol):
    """Who writes where."""

    async def writes(self, case: str, member: str) -> None: ...
    async def stops(self, case: str, member: str) -> None: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class Acts:
    """Each act is a form of the page; what is refused is said there, and what was filled in stays."""

    page: CasePage
    desk: Desk
    writers: Writers

    async def do(self, visit: Visit) -> Response:
        """One act."""
        act = visit.request.path_params["act"]
        doing = self._doing().get(act)
        if doing is None:
            raise RefusedPageError(404, "There is nothing of this kind to do.")
        case = await self.page.seen(visit)
        if act == "writing":
            await doing(visit, case)
            return Response(status_code=204)
        _refuse_others(visit, case, act)
        try:
            done = await doing(visit, case)
        except REFUSALS as error:
            shown = Shown(
                wrong=_in_words(error), filled=_filled(visit.form), form=_form_of(visit, act), status=409
            )  # fmt: skip
            return await self.page.page(visit, await self.page.seen(visit), shown)
        await self.writers.stops(case.case, visit.member.member)
        after = await self.page.cases.named(case.short_name)
        if after is None or not visit.member.sees(after):
            return to(AT)  # it went where this member sees it no more
        return to(f"{AT}/case/{quote(case.short_name, safe=':')}?did={done or act}")

    def _doing(self) -> dict[str, Callable[[Visit, Case], Awaitable[str | None]]]:
        return {
            "claim": self._claim,
            "let-go": self._let_go,
            "hand-over": self._hand_over,
            "snooze": self._snooze,
            "wait": self._wait,
            "go-on": self._go_on,
            "note": self._note,
            "verify": self._verify,
            "write": self._write,
            "undo": self._undo,
            "answered": self._answered,
            "decide": self._decide,
            "approve": self._approve,
            "disapprove": self._disapprove,
            "reopen": self._reopen,
            "merge": self._merge,
            "macro": self._macro,
            "writing": self._writing,
        }

    async def _claim(self, visit: Visit, case: Case) -> None:
        await self.desk.claim(case.case, visit.member.member)

    async def _let_go(self, visit: Visit, case: Case) -> None:
        await self.desk.let_go(case.case, visit.member.member, why=visit.form.text("why", 2_000))

    async def _hand_over(self, visit: Visit, case: Case) -> None:
        kind, _, name = visit.form.line("whom").partition(" ")
        note = visit.form.text("note", 4_000)
        if kind not in ("queue", "member") or not name:
            raise ValueError("Choose a queue or a colleague.")
        if not note:
            raise ValueError("Say what they must know.")
        house = (await self.page.house.house()).queues
        if kind == "queue" and (house is None or name not in {q.queue for q in house.queues}):
            raise ValueError("There is no such queue.")
        queue, member = (name, None) if kind == "queue" else (None, name)
        await self.desk.hand_over(case.case, visit.member.member, queue=queue, to=member, note=note)

    async def _snooze(self, visit: Visit, case: Case) -> None:
        event = visit.form.line("event", 100) or None
        until = self._until(visit)
        if until is None and event is None:
            raise ValueError("Say until when, or until what.")
        clock = await self.page.clocks.clock(case.case)
        at = clock.now(until) if clock is not None and until is not None else until
        await self.desk.snooze(case.case, visit.member.member, until=at, event=event)

    def _until(self, visit: Visit) -> datetime | None:
        """Until when, on the wall."""
        now, zone = self.page.now(), ZoneInfo(visit.member.zone)
        chosen, told = visit.form.line("until"), visit.form.line("at")
        if told:
            try:
                return datetime.fromisoformat(told).replace(tzinfo=zone)
            except ValueError:
                raise ValueError("That is no moment; write it as 2026-12-24T09:00.") from None
        if chosen in SPANS:
            return now + SPANS[chosen]
        local = now.astimezone(zone)
        days = {"tomorrow": 1, "monday": 7 - local.weekday()}.get(chosen)
        if days is None:
            return None
        return datetime.combine(local.date() + timedelta(days=days), MORNING, zone)

    async def _wait(self, visit: Visit, case: Case) -> None:
        await self.desk.wait_for_customer(case.case, visit.member.member)

    async def _go_on(self, visit: Visit, case: Case) -> None:
        await self.desk.go_on(case.case, visit.member.member)

    async def _note(self, visit: Visit, case: Case) -> None:
        text = visit.form.text("note", 10_000)
        if not text:
            raise ValueError("Write something first.")
        await self.desk.note(case.case, visit.member.member, text)

    async def _verify(self, visit: Visit, case: Case) -> None:
        how = visit.form.line("how")
        if not how:
            raise ValueError("Say by what they proved who they are.")
        await self.desk.verify(case.case, visit.member.member, how)

    async def _write(self, visit: Visit, case: Case) -> None:
        """Free text, or a message of the house; by the way they came, unless another was chosen."""
        form = visit.form
        template, channel = form.line("template") or None, form.line("channel") or None
        if channel is not None and channel not in CHANNELS:
            raise ValueError("Choose a channel that is offered.")
        letter = Letter(
            channel=channel,
            template=template,
            subject="" if template else form.line("subject", LONGEST_SUBJECT),
            text="" if template else form.text("letter", LONGEST_TEXT),
            files=[
                Attachment(name=each.name, media_type=each.media_type, content=each.content)
                for each in form.files
            ],
            once=form.line("once") or None,
        )
        await self.desk.write(case.case, visit.member.member, letter)

    async def _undo(self, visit: Visit, case: Case) -> None:
        message = visit.form.line("message", 16)
        if not (message.isascii() and message.isdigit()):
            raise ValueError("Choose a message.")
        await self.desk.undo(case.case, int(message), visit.member.member)

    async def _answered(self, visit: Visit, case: Case) -> None:
        link, words = visit.form.line("link", 2_000), visit.form.text("words", 10_000)
        if not link.startswith(("https://", "http://")):
            raise ValueError("Give the link of your answer.")
        await self.desk.answered_in_public(case.case, visit.member.member, link=link, words=words)

    async def _decide(self, visit: Visit, case: Case) -> str | None:
        decision = visit.form.line("decision")
        offered = case.decisions.get(decision)
        kinds = offered.fields if offered is not None else {}
        told = visit.form.beginning(f"f.{decision}.")
        fields = {
            name: field_value(name, kind, told[name])
            for name, kind in kinds.items()
            if told.get(name)
        }
        ask = visit.form.text("ask", 2_000) or None
        done = await self.desk.decide(
            case.case,
            decision,
            fields,
            by=visit.member.member,
            ask=ask,
            note=visit.form.text("note", 2_000),
            feeling=visit.form.line("feeling", 64),
            lacked=visit.form.text("lacked", 2_000),
        )
        return "ask" if done.approval is not None else None

    async def _approve(self, visit: Visit, case: Case) -> None:
        await self.desk.approve(case.case, visit.member.member, why=visit.form.text("why", 2_000))

    async def _disapprove(self, visit: Visit, case: Case) -> None:
        why = visit.form.text("why", 2_000)
        if not why:
            raise ValueError("Say why not: who asked reads it.")
        await self.desk.disapprove(case.case, visit.member.member, why=why)

    async def _reopen(self, visit: Visit, case: Case) -> None:
        why = visit.form.text("why", 2_000)
        if not why:
            raise ValueError("Say why it is open again.")
        await self.desk.reopen(case.case, visit.member.member, why=why)

    async def _merge(self, visit: Visit, case: Case) -> None:
        other = await self.page.cases.named(visit.form.line("other"))
        if other is None or not visit.member.sees(other):
            raise ValueError("Choose the case that becomes a part of this one.")
        await self.desk.merge(other.case, case.case, visit.member.member)

    async def _macro(self, visit: Visit, case: Case) -> None:
        """Note its words, then do what it does besides."""
        kept = await self.page.replies.replies(visit.member.member)
        chosen = visit.form.line("macro")
        macro = next((each for each in kept if each.act and str(each.reply) == chosen), None)
        if macro is None:
            raise ValueError("Choose a macro.")
        brief = await self.page.briefs.of(case, visit.member.member)
        text = self.page.render(macro.text, case, brief, visit.member)
        by, (what, _, how) = visit.member.member, macro.act.partition(" ")
        if what == "queue":
            await self.desk.hand_over(case.case, by, queue=how, note=text)
            return
        await self.desk.note(case.case, by, text)
        if what == "wait":
            await self.desk.wait_for_customer(case.case, by)
        elif what == "snooze":
            clock, until = await self.page.clocks.clock(case.case), self.page.now() + SPANS[how]
            await self.desk.snooze(case.case, by, until=clock.now(until) if clock else until)

    async def _writing(self, visit: Visit, case: Case) -> None:
        if visit.form.raw("stops"):
            await self.writers.stops(case.case, visit.member.member)
        else:
            await self.writers.writes(case.case, visit.member.member)


def _refuse_others(visit: Visit, case: Case, act: str) -> None:
    """What somebody may never do, whatever the state of the case: the desk refuses the rest by its lock."""
    if act in ("approve", "disapprove") and not visit.leads:
        raise RefusedPageError(403, "A lead approves; you may ask for it.")
    if act == "macro" and not can(visit, case)["note"]:
        raise RefusedPageError(403, "You may read here, and change nothing.")


def _filled(form: Form) -> dict[str, str]:
    return {name: value for name, value in form.beginning("").items() if name != "csrf"}


def _form_of(visit: Visit, act: str) -> str:
    return f"decide {visit.form.line('decision')}" if act == "decide" else act


def _in_words(error: Exception) -> str:
    if isinstance(error, AuthorityExceededError):
        return f"{error}. Say why it should be, and ask for approval."
    said = str(error)
    return said[:1].upper() + said[1:]
