"""A real SMTP server that answers by script, recipient by recipient, and remembers what it took."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from channels.recording import (
    Accept,
    Busy,
    RefuseForGood,
    ScriptedAnswer,
    StallAfterAccept,
    StallBeforeAccept,
)


@dataclass
class ScriptedSmtp:
    """`at_data`: refuse and stall when the mail was handed over, not already at the recipient."""

    at_data: bool = False
    taken: list[EmailMessage] = field(default_factory=list)
    connections: int = 0
    scripts: dict[str, list[ScriptedAnswer]] = field(
        default_factory=lambda: cast("dict[str, list[ScriptedAnswer]]", defaultdict(list))
    )
    sender_refused: str | None = None
    port: int = 0
    _server: asyncio.Server | None = None
    _conversations: list[SMTP] = field(default_factory=list)

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: self._conversation(loop), "127.0.0.1", self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and hang up on everyone."""
        if self._server is not None:
            self._server.close()
            self.hang_up()
            await self._server.wait_closed()
            self._server = None

    def hang_up(self) -> None:
        """Drop every connection; go on listening."""
        for conversation in self._conversations:
            if conversation.transport is not None:
                conversation.transport.close()
        self._conversations.clear()

    def _conversation(self, loop: asyncio.AbstractEventLoop) -> SMTP:
        self.connections += 1
        conversation = SMTP(self, loop=loop, hostname="relay.example", enable_SMTPUTF8=False)
        self._conversations.append(conversation)
        return conversation

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if self.sender_refused:
            return self.sender_refused
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        script = self.scripts[address]
        if script and not self.at_data and isinstance(script[0], RefuseForGood | Busy):
            return cast("RefuseForGood | Busy", script.pop(0)).words
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        script = self.scripts[envelope.rcpt_tos[0]]
        match script.pop(0) if script else Accept():
            case Accept():
                self._take(envelope)
                return "250 OK queued"
            case RefuseForGood(words=words) | Busy(words=words):
                return words
            case StallAfterAccept():
                self._take(envelope)
            case StallBeforeAccept():
                pass
        assert server.transport is not None
        server.transport.close()
        await asyncio.Event().wait()
        return "never said"

    def _take(self, envelope: Envelope) -> None:
        raw = envelope.content
        assert isinstance(raw, bytes)
        mail = message_from_bytes(raw, policy=default)
        assert isinstance(mail, EmailMessage)
        self.taken.append(mail)
