"""The door for customers' mail: SMTP or LMTP, for the addresses of one domain and nobody else's."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Literal, Self
from weakref import WeakSet

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from channels.inbound_mail import LARGEST_MAIL
from channels.reply_address import ReplyAddresses

MOST_RECIPIENTS = 100
MOST_CONVERSATIONS = 100
"""Relays that may speak to us at the same time; each may hold a mail in memory."""

LONGEST_SILENCE = 120.0
"""Seconds after which a relay that says nothing is hung up on."""

# The standard says 998 bytes, and many programs write longer lines.
_LONGEST_LINE = 65_536

_log = structlog.get_logger(__name__)

TakeMail = Callable[[bytes, str, list[str]], Awaitable[None]]
"""Keeps a mail: its bytes, the envelope's sender and recipients. Raises where it could not be kept."""


class _Smtp(SMTP):
    line_length_limit = _LONGEST_LINE


class _Lmtp(LMTP):
    line_length_limit = _LONGEST_LINE


class MailDoor:
    """Listens, and hands each mail to `take`; it says that a mail is kept when it is.

    Port 0 takes a free one, told by `port` once it is open. Nothing is sent on, whatever is asked.
    """

    def __init__(
        self,
        take: TakeMail,
        replies: ReplyAddresses,
        host: str = "127.0.0.1",
        port: int = 2525,
        *,
        protocol: Literal["smtp", "lmtp"] = "smtp",
        tls: ssl.SSLContext | None = None,
        largest: int = LARGEST_MAIL,
        at_once: int = MOST_CONVERSATIONS,
    ) -> None:
        self._take, self._replies = take, replies
        self.host, self.port = host, port
        self._protocol, self._tls = protocol, tls
        self._largest, self._at_once = largest, at_once
        self._server: asyncio.Server | None = None
        self._conversations = WeakSet[SMTP]()
        self._under_way = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    async def open(self) -> None:
        """Begin to listen. Raises: `OSError` where the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: self._conversation(loop), self.host, self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self, *, drain_seconds: float = 5.0) -> None:
        """Take no new ones, let mails that are being kept be acknowledged, then hang up."""
        if self._server is None:
            return
        self._server.close()
        try:
            async with asyncio.timeout(drain_seconds):
                await self._quiet.wait()
                await asyncio.sleep(0)  # the answer is written by the conversation itself
        except TimeoutError:
            _log.warning("mails_left_to_be_sent_again", count=self._under_way)
        for conversation in list(self._conversations):
            if conversation.transport is not None:
                conversation.transport.close()
        await self._server.wait_closed()
        self._server = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _conversation(self, loop: asyncio.AbstractEventLoop) -> SMTP:
        kind = _Lmtp if self._protocol == "lmtp" else _Smtp
        conversation = kind(
            self,
            loop=loop,
            hostname=self._replies.domain,
            ident="Clew",
            data_size_limit=self._largest,
            enable_SMTPUTF8=True,
            timeout=LONGEST_SILENCE,
            tls_context=self._tls,
        )
        self._conversations.add(conversation)
        return conversation

    # The names of these are aiosmtpd's.

    async def handle_MAIL(  # noqa: N802 -- aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Take the sender, unless too many speak to us already."""
        open_ones = sum(each.transport is not None for each in self._conversations)
        if open_ones > self._at_once:
            return "451 4.3.2 too many at once, come again"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 go on"

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Take a recipient of ours."""
        if not self._replies.is_ours(address):
            return f"550 5.7.1 only mail to {self._replies.domain} is taken here"
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 too many recipients of one mail"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 go on"

    async def handle_DATA(  # noqa: N802 -- aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep the mail, then say so; where it cannot be kept now, the relay keeps it and comes again."""
        raw = envelope.content
        assert isinstance(raw, bytes)
        self._under_way += 1
        self._quiet.clear()
        try:
            sender = envelope.mail_from or ""  # of a robot's mail it is <>
            await self._take(raw, sender.removesuffix("<>"), list(envelope.rcpt_tos))
            said = "250 2.0.0 kept"
        except Exception as error:  # whatever it is, the mail must not be lost
            _log.warning("mail_not_kept", error=str(error).split("\n", 1)[0][:300])
            said = "451 4.3.0 cannot be kept now, come again"
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._quiet.set()
        # RFC 2033: LMTP answers once for each recipient.
        times = len(envelope.rcpt_tos) if self._protocol == "lmtp" else 1
        return "\r\n".join([said] * times)
