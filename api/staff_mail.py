"""What members of staff answer by mail to a case: orders, and a letter to the customer."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

import structlog
from pydantic import JsonValue

from activities.message_channel import Attachment
from activities.staff_cases import UnknownCaseError
from channels.staff_address import StaffAddresses
from contracts.inbound_message import Heard, InboundMessage
from journey.decision_line import read_decision_line
from journey.decisions import AuthorityExceededError, UnknownDecisionError, WrongFieldError
from journey.staff_orders import Ordered, UnreadableOrderError, read_orders
from stores.audit import Origin, acting
from stores.case_decisions import (
    REFUSALS,
    ApprovalRefusedError,
    CaseAlreadyClaimedError,
    NotYoursError,
)
from stores.case_messages import CaseMessage, Letter
from stores.case_rows import Case
from stores.members import Member

HOW_TO_ASK = "Write the same line again and below it #ask and why it should be granted: somebody who may is asked."
LONGEST_NOTE = 8_000
_REFUSED = (
    *REFUSALS, ApprovalRefusedError, AuthorityExceededError, UnknownCaseError, UnknownDecisionError,
    UnreadableOrderError, WrongFieldError, ValueError,
)  # fmt: skip
_log = structlog.get_logger(__name__)


class MailDesk(Protocol):
    """Where staff work on cases; `stores.case_messages.CaseWriter` says what each guarantees."""

    async def named(self, name: str) -> Case | None: ...
    async def claim(self, case: str, by: str) -> Case: ...
    async def let_go(self, case: str, by: str, *, why: str = "") -> Case: ...
    async def note(self, case: str, by: str, text: str) -> Case: ...
    async def decide(
        self,
        case: str,
        decision: str,
        fields: Mapping[str, JsonValue],
        *,
        by: str,
        ask: str | None = None,
    ) -> Case: ...
    async def approve(self, case: str, by: str, *, why: str = "") -> Case: ...
    async def disapprove(self, case: str, by: str, *, why: str) -> Case: ...
    async def write(self, case: str, by: str, letter: Letter) -> CaseMessage: ...


class MailMembers(Protocol):
    """Where members are kept."""

    async def of_email(self, email: str) -> Member | None: ...


class StaffReplies(Protocol):
    """Where it is kept how far a mail was obeyed; `stores.staff_mails` says what each guarantees."""

    def answered(
        self, reply: str, member: str, case: str
    ) -> AbstractAsyncContextManager[int | None]: ...
    async def obeyed(self, reply: str, done: int | None) -> None: ...
    async def answer(self, reply: str, member: str, case: str, words: str) -> None: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class StaffMailDesk:
    """Obeys members who answer. Whoever it is not is answered nothing, and nothing of theirs is kept."""

    addresses: StaffAddresses
    members: MailMembers
    desk: MailDesk
    replies: StaffReplies

    def takes(self, message: InboundMessage) -> bool:
        """Whether it came to an address of staff, whatever that is worth."""
        return self.addresses.is_staffs(message.sent_to)

    async def take(self, message: InboundMessage) -> Heard:
        """Obey it, once. Raises what the database raises: then it may be sent again."""
        if message.kind in ("automatic", "bounce"):
            return _heard(message, "automatic")
        found = await self._whose(message)
        if found is None:
            return _heard(message, "not_of_staff")
        member, case = found
        async with self.replies.answered(message.reply, member.member, case.case) as done:
            if done is None:
                return _heard(message, "again")
            with acting(Origin(actor=member.member)):
                words = await self._obey(message, member, case, done)
            if words:
                await self.replies.answer(message.reply, member.member, case.case, words)
            await self.replies.obeyed(message.reply, None)
        return Heard(
            reply=message.reply,
            new=True,
            kind="reply",
            told=not words,
            reason="refused" if words else "",
        )

    async def _whose(self, message: InboundMessage) -> tuple[Member, Case] | None:
        """Whose mail it is, and about which case: the sender's address and the signature must be one member's."""
        read = self.addresses.read_staffs(message.sent_to)
        member = await self.members.of_email(message.address) if read and message.address else None
        if read is None or member is None or not self.addresses.holds(read, member.member):
            return None
        if not member.works:
            return None
        case = await self.desk.named(f"{read.entry}:{read.n}")
        return (member, case) if case is not None else None

    async def _obey(self, message: InboundMessage, member: Member, case: Case, done: int) -> str:
        """What was refused, in words; nothing where all was done. What follows a refusal is not done."""
        if not member.sees(case):
            return "Nothing was done: this case is not of your queues, and not yours."
        try:
            orders, letter = read_orders(message.text)
            if not orders and not letter and not message.files:
                raise UnreadableOrderError("there is nothing in this mail but what it quotes")
        except UnreadableOrderError as error:
            return f"Nothing was done: {error}."
        said = [f"#{each.order} {each.text}".strip() for each in orders]
        for at, order in enumerate(orders):
            if at < done:
                continue
            try:
                await self._do(order, member, case)
            except _REFUSED as error:
                return _refusal(error, said[at], said[:at], rest=bool(letter or message.files))
            await self.replies.obeyed(message.reply, at + 1)
        if not letter and not message.files:
            return ""
        files = [
            Attachment(name=each.name, media_type=each.media_type, content=each.content)
            for each in message.files
        ]
        try:
            written = Letter(text=letter, files=files, once=f"mail/{message.reply}")
            await self.desk.write(case.case, member.member, written)
        except _REFUSED as error:
            return _refusal(error, "your letter", said, rest=False)
        return ""

    async def _do(self, order: Ordered, member: Member, case: Case) -> None:
        by = member.member
        match order.order:
            case "claim":
                await self.desk.claim(case.case, by)
            case "let-go":
                await self.desk.let_go(case.case, by, why=order.text[:2_000])
            case "note":
                await self.desk.note(case.case, by, order.text[:LONGEST_NOTE])
            case "decide" | "ask":
                name, fields = read_decision_line(order.text, case.decisions)
                await self.desk.decide(case.case, name, fields, by=by, ask=order.ask)
            case "approve" | "disapprove":
                if not member.leads:
                    raise ApprovalRefusedError(f"you are {member.role}; who leads says yes or no")
                if order.order == "approve":
                    await self.desk.approve(case.case, by, why=order.text[:2_000])
                else:
                    await self.desk.disapprove(case.case, by, why=order.text[:2_000])


def _refusal(error: Exception, what: str, done: Sequence[str], *, rest: bool) -> str:
    parts = [f"This was not done: {what[:300]}", f"Why not: {error}."]
    if isinstance(error, AuthorityExceededError):
        parts.append(HOW_TO_ASK)
    if isinstance(error, NotYoursError | CaseAlreadyClaimedError):
        parts.append("Ask whoever has it to hand it over, or who leads you.")
    if done:
        parts.append("Done before it: " + "; ".join(each[:100] for each in done))
    if rest:
        parts.append("What stood below it was not sent to the customer.")
    return "\n".join(parts)


def _heard(message: InboundMessage, reason: str) -> Heard:
    if reason == "not_of_staff":
        _log.warning("staff_mail_refused", reply=message.reply, files=len(message.files))
    kind = "automatic" if reason != "again" else message.kind
    return Heard(reply=message.reply, new=False, kind=kind, reason=reason)
