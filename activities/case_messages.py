"""Sending what staff wrote to a customer from a case: once, through the ledger, in the house's voice."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.message_channel import Attachment
from activities.message_delivery import MessageDelivery
from activities.message_text import PublishedMessage
from contracts.case_message import CaseMessageSent, SendCaseMessage
from contracts.clock import RunClock
from contracts.journey_run import RunReference
from contracts.message_delivery import MESSAGE_REJECTED, DeliverMessage, MessageDelivered
from contracts.names import DELIVER_CASE_MESSAGE
from journey.channels import WHERE_THEY_CAME
from journey.effects import Deliver

FREE_TEXT = "staff-message"
"""The message that free text is put into, where the house published one of this name; else `PLAIN`."""

TALKS_BY = ("email", "whatsapp", "sms", "slack")
"""Channels by which a customer can answer, in the order in which they are tried where nothing else tells."""

# The text is filled in by line, so that what staff wrote is never a template, and never markup.
PLAIN = """---
subject: "{{ subject }}"
purpose: service
---
{% for lines in letter %}

{% for line in lines %}{{ line }}
{% endfor %}

{% endfor %}
{% if house %}{{ house.signature }}{% endif %}
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class CaseLetter:
    """A message of staff that is to leave now. `key`: its name in the ledger; `by`: what its writer is called.

    `now`: run time; `channel` None: by which the customer is reached best.
    """

    message: int
    case: str
    short_name: str
    title: str
    customer: str
    key: str
    channel: str | None
    template: str | None
    subject: str
    text: str
    by: str
    now: datetime
    clock: RunClock | None = None
    values: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    files: tuple[Attachment, ...] = ()


class CaseLetters(Protocol):
    """Where messages of cases are kept."""

    async def take(self, message: int) -> CaseLetter | None:
        """A message that is due, so that nobody can undo it any more; None where it was undone, or settled."""
        ...

    async def settle(self, message: int, told: MessageDelivered) -> str:
        """Write down what became of a message, once; its state."""
        ...


class SharedWords(Protocol):
    """Where the blocks and the voice of the house are kept, and the messages."""

    async def shared(self) -> dict[str, JsonValue]: ...

    async def live(self, name: str) -> PublishedMessage | None: ...


@dataclass(slots=True, frozen=True)
class FreeText:
    """Messages among which free text of staff has its own."""

    messages: SharedWords

    async def live(self, name: str) -> PublishedMessage | None:
        """The live revision; of free text ours, where the house has none."""
        found = await self.messages.live(name)
        if found is not None or name != FREE_TEXT:
            return found
        shared = await self.messages.shared()
        return PublishedMessage(name=FREE_TEXT, revision="", source=PLAIN, shared=shared)


@dataclass(slots=True, frozen=True, kw_only=True)
class CaseMessageDelivery:
    """Sends messages of cases by the same way as those of journeys."""

    letters: CaseLetters
    messages: SharedWords
    delivery: MessageDelivery

    @activity.defn(name=DELIVER_CASE_MESSAGE)
    async def deliver_case_message(self, order: SendCaseMessage) -> CaseMessageSent:
        """Send it under its own key, and write down what became of it. May run twice; sends once."""
        letter = await self.letters.take(order.message)
        if letter is None:
            return CaseMessageSent(state="undone")
        try:
            told = await self._way(letter).deliver_message(self._order(letter))
        except ApplicationError as error:
            if error.type != MESSAGE_REJECTED:
                raise
            told = MessageDelivered(
                state="refused", reason="cannot_render", words=error.message or str(error)
            )
        return CaseMessageSent(state=await self.letters.settle(order.message, told))

    def _way(self, letter: CaseLetter) -> MessageDelivery:
        words = replace(self.delivery.words, files=letter.files)
        return replace(self.delivery, messages=FreeText(self.messages), words=words)

    def _order(self, letter: CaseLetter) -> DeliverMessage:
        run = RunReference(
            workflow_id=letter.case, entry=0, customer=letter.customer, now=letter.now,
            clock=letter.clock,
        )  # fmt: skip
        deliver = Deliver(
            n=letter.message,
            message=letter.template or FREE_TEXT,
            purpose="service",
            via=self._ways(letter),
            values={**letter.values, **_said(letter)},
        )
        return DeliverMessage(run=run, deliver=deliver)

    def _ways(self, letter: CaseLetter) -> tuple[str, ...]:
        if letter.channel is not None:
            return (letter.channel,)
        return (WHERE_THEY_CAME, *(way for way in TALKS_BY if way in self.delivery.channels))


def _said(letter: CaseLetter) -> Mapping[str, JsonValue]:
    """What a message of a case may name."""
    case: dict[str, JsonValue] = {"name": letter.short_name, "title": letter.title}
    said: dict[str, JsonValue] = {"case": case, "member": {"name": letter.by}}
    if letter.template is None:
        said["subject"] = letter.subject or letter.title or f"Your request {letter.short_name}"
        said["letter"] = [
            [line for line in part.split("\n") if line.strip()]
            for part in letter.text.replace("\r\n", "\n").split("\n\n")
            if part.strip()
        ]
    return said
