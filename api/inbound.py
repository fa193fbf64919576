"""Taking in what customers write, by whatever door: read beside the event loop, kept before it is answered."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

import psycopg
import structlog
from psycopg_pool import PoolClosed, PoolTimeout

from api.refusals import RefusedRequestError
from channels.given_mail import GivenMail
from channels.inbound_mail import Envelope, MailReader, ReadMail
from contracts.delivery_feedback import Feedback
from contracts.inbound_message import Heard, InboundMessage

READ_AT_ONCE = 4
"""Mails that are read at the same time: each may take a hundred megabytes while it is."""

_log = structlog.get_logger(__name__)


class Messages(Protocol):
    """Where messages are kept."""

    async def take(self, message: InboundMessage) -> Heard: ...

    async def delivery_key(self, entry: int, n: int) -> str | None: ...


class Reports(Protocol):
    """Where reports about deliveries go."""

    async def take(self, reported: Sequence[Feedback]) -> object:
        """Write down what was reported; the same event again changes nothing."""
        ...


class MailOfStaff(Protocol):
    """Takes what members of staff answer; `api.staff_mail.StaffMailDesk` says what each guarantees."""

    def takes(self, message: InboundMessage) -> bool: ...

    async def take(self, message: InboundMessage) -> Heard: ...


class InboundDesk:
    """Takes mails and messages. It returns only when everything is committed. `staff`: takes what is theirs."""

    def __init__(
        self,
        reader: MailReader,
        messages: Messages,
        feedback: Reports,
        staff: MailOfStaff | None = None,
    ) -> None:
        self._reader, self._messages, self._feedback = reader, messages, feedback
        self._staff = staff
        self._slots = asyncio.Semaphore(READ_AT_ONCE)

    async def take_mail(self, raw: bytes, sender: str | None, recipients: Sequence[str]) -> Heard:
        """A mail as it came over the wire. Raises what the database raises: then nothing was kept."""
        return await self.take_given(GivenMail(raw=raw, sender=sender, recipients=recipients))

    async def take_given(self, given: GivenMail) -> Heard:
        """A mail that a provider hands over."""
        async with self._slots:
            read = await asyncio.to_thread(self._read, given)
            if self._staff is not None and self._staff.takes(read.message):
                return _logged(await self._staff.take(read.message), read.message)
            heard = await self._messages.take(read.message)
            if read.reports:
                await self._feedback.take(await self._known(read))
        return _logged(heard, read.message)

    async def take(self, message: InboundMessage) -> Heard:
        """A message of another channel, read already."""
        return _logged(await self._messages.take(message), message)

    def _read(self, given: GivenMail) -> ReadMail:
        envelope = Envelope(at=datetime.now(UTC), recipients=given.recipients, sender=given.sender)
        if given.mail is None:
            return self._reader.read(given.raw, envelope)
        return self._reader.read_parts(given.mail, given.parts, envelope, mark=given.mark)

    async def _known(self, read: ReadMail) -> list[Feedback]:
        """The reports, with the delivery's key where the address that they came to says it."""
        if read.message.delivery is None:
            return list(read.reports)
        key = await self._messages.delivery_key(*read.message.delivery)
        return [replace(event, mark=key or "") for event in read.reports]


def unavailable(error: Exception) -> RefusedRequestError | None:
    """How to refuse where the database is away: nothing was kept, and it may be sent again."""
    if isinstance(
        error, psycopg.OperationalError | psycopg.InterfaceError | PoolTimeout | PoolClosed
    ):
        said = "the database is away; nothing was kept, send it again"
        return RefusedRequestError(503, "unavailable", said, retry_after=5)
    return None


def _logged(heard: Heard, message: InboundMessage) -> Heard:
    _log.info(
        "message_heard",
        reply=heard.reply,
        channel=message.channel,
        kind=heard.kind,
        new=heard.new,
        customer=heard.customer,
        told=heard.told,
        reason=heard.reason,
        files=len(message.files),
    )
    return heard
