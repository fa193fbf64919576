"""The mailbox of the embedded installation: it keeps what it gets and sends nothing on."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, Envelope, Session

from channels.mail_store import MailStore

LARGEST_MAIL = 10_000_000


def _wall_clock() -> datetime:
    return datetime.now(UTC)


class LocalMailbox:
    """Listens for mail and keeps it in `state_dir` (see `MailStore`); answers when it is kept.

    Port 0 takes a free one, told by `port` once it is open.
    """

    def __init__(
        self,
        state_dir: Path,
        host: str = "127.0.0.1",
        port: int = 1025,
        *,
        wall_clock: Callable[[], datetime] = _wall_clock,
    ) -> None:
        self.store = MailStore(state_dir)
        self.host, self.port = host, port
        self._wall_clock = wall_clock
        self._server: asyncio.Server | None = None
        self._conversations = WeakSet[SMTP]()

    async def open(self) -> None:
        """Begin to listen. Raises: OSError where the port is taken."""
        self.store.open()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: self._conversation(loop), self.host, self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            for conversation in list(self._conversations):
                if conversation.transport is not None:
                    conversation.transport.close()
            await self._server.wait_closed()
            self._server = None

    def _conversation(self, loop: asyncio.AbstractEventLoop) -> SMTP:
        conversation = SMTP(
            self,
            loop=loop,
            hostname="localhost",
            ident="Clew mailbox",
            data_size_limit=LARGEST_MAIL,
            enable_SMTPUTF8=True,
        )
        self._conversations.add(conversation)
        return conversation

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep the mail, then say so."""
        raw = envelope.content
        assert isinstance(raw, bytes)
        self.store.keep(raw, list(envelope.rcpt_tos), self._wall_clock().isoformat())
        return "250 kept"
