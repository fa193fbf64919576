"""E-mail by SMTP. SMTP takes no key, so an attempt whose answer is lost stays unknown."""

import asyncio
import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPStatus,
    SMTPTimeoutError,
)
from opentelemetry import trace

from activities.message_channel import (
    ProviderAnswer,
    ProviderBusyError,
    ProviderRefusedError,
    RenderedMessage,
    UnknownOutcomeError,
)
from channels.mail import MailSender, build_mail
from channels.unsubscribe_link import UnsubscribeLinks, marketing_link
from contracts.fault_points import reach

_tracer = trace.get_tracer("clew.channels")
_GONE = (SMTPServerDisconnected, SMTPTimeoutError, OSError)


@dataclass(slots=True, frozen=True, kw_only=True)
class SmtpServer:
    """The relay. `connections` are kept open per worker.

    `timeout` is for each of its answers, and for all that comes before the mail itself.
    """

    host: str
    port: int
    security: Literal["plain", "starttls", "tls"] = "starttls"
    username: str | None = None
    password: str | None = None
    timeout: timedelta = timedelta(seconds=10)
    connections: int = 4


class SmtpChannel:
    """Mails through one relay over a few kept connections."""

    name = "email"
    provider = "smtp"
    key_window: timedelta | None = None
    looks_up = False

    def __init__(self, server: SmtpServer, sender: MailSender, links: UnsubscribeLinks) -> None:
        self._server, self._sender, self._links = server, sender, links
        self._slots = asyncio.Semaphore(server.connections)
        self._idle: list[SMTP] = []

    async def send(self, message: RenderedMessage) -> ProviderAnswer:
        """Hand the mail to the relay; the provider's id is the mail's Message-ID.

        Raises: `ProviderRefusedError` (5xx for this address or mail), `ProviderBusyError`
        (4xx, no connection, or the relay does not take our sender), `UnknownOutcomeError` (the
        mail was handed over and no answer came).
        """
        mail = build_mail(message, self._sender, marketing_link(self._links, message))
        recipient = mail["To"].addresses[0].addr_spec
        with _tracer.start_as_current_span("smtp send", attributes={"clew.delivery": message.key}):
            async with AsyncExitStack() as held:
                sender = self._sender.returns_to(message.key)
                smtp = await self._in_time(held, sender, recipient)
                reach("delivery.after_envelope")
                await self._hand_over(smtp, mail.as_bytes())
        return ProviderAnswer(provider_id=str(mail["Message-ID"]))

    async def look_up(self, key: str) -> ProviderAnswer | None:
        """SMTP cannot be asked."""
        raise NotImplementedError(f"SMTP cannot say what became of {key}")

    async def close(self) -> None:
        """Say goodbye on every kept connection."""
        while self._idle:
            smtp = self._idle.pop()
            try:
                await smtp.quit()
            except (SMTPException, OSError):
                smtp.close()

    async def _in_time(self, held: AsyncExitStack, sender: str, recipient: str) -> SMTP:
        """A connection that has the envelope. Until then nothing left: who waits too long is in no doubt."""
        try:
            async with asyncio.timeout(self._server.timeout.total_seconds()):
                await held.enter_async_context(self._slots)
                return await self._with_envelope(sender, recipient)
        except TimeoutError as error:
            said = f"the relay had no time for it within {self._server.timeout.total_seconds():g} s"
            raise ProviderBusyError(said) from error

    async def _with_envelope(self, sender: str, recipient: str) -> SMTP:
        """A connection that has taken sender and recipient; a kept one that died is no failure."""
        while self._idle:
            smtp = self._idle.pop()
            try:
                await self._envelope(smtp, sender, recipient)
                return smtp
            except _GONE:
                smtp.close()
        smtp = await self._connect()
        try:
            await self._envelope(smtp, sender, recipient)
            return smtp
        except _GONE as error:
            smtp.close()
            raise ProviderBusyError(f"the relay went away: {error}") from error

    async def _connect(self) -> SMTP:
        smtp = SMTP(
            hostname=self._server.host,
            port=self._server.port,
            username=self._server.username,
            password=self._server.password,
            use_tls=self._server.security == "tls",
            start_tls=self._server.security == "starttls",
            timeout=self._server.timeout.total_seconds(),
        )
        try:
            await smtp.connect()
        except (SMTPException, ssl.SSLError, OSError) as error:
            smtp.close()
            raise ProviderBusyError(f"no connection to the relay: {error}") from error
        except BaseException:
            smtp.close()
            raise
        return smtp

    async def _envelope(self, smtp: SMTP, sender: str, recipient: str) -> None:
        try:
            await smtp.mail(sender, encoding="ascii")
            await smtp.rcpt(recipient, encoding="ascii")
        except SMTPRecipientRefused as error:
            await self._keep(smtp, reset=True)
            raise _said_no(error) from error
        except SMTPResponseException as error:
            # About our sender or our login, not about this customer: it can be mended.
            smtp.close()
            raise ProviderBusyError(f"the relay does not take our mail: {_words(error)}") from error
        except BaseException:
            smtp.close()
            raise

    async def _hand_over(self, smtp: SMTP, mail: bytes) -> None:
        try:
            await smtp.data(mail)
            reach("delivery.after_reply")
        except SMTPResponseException as error:
            if error.code < 400:
                smtp.close()
                raise _out_of_step(error) from error
            await self._keep(smtp, reset=True)
            raise _said_no(error) from error
        except (SMTPException, OSError) as error:
            smtp.close()
            raise UnknownOutcomeError(
                f"no answer after the mail was handed over: {error}"
            ) from error
        except BaseException:
            smtp.close()
            raise
        await self._keep(smtp)

    async def _keep(self, smtp: SMTP, *, reset: bool = False) -> None:
        try:
            if reset:
                await smtp.rset()
        except (SMTPException, OSError):
            smtp.close()
        if smtp.is_connected and not _says_more(smtp):
            self._idle.append(smtp)
        else:
            smtp.close()


def _says_more(smtp: SMTP) -> bool:
    """Whether it answered more than it was asked: the rest would be taken for its next answer."""
    return bool(getattr(smtp.protocol, "_buffer", b""))


def _out_of_step(error: SMTPResponseException) -> ProviderBusyError | UnknownOutcomeError:
    """An answer that fits no question. 250 is what `DATA` never has: then the mail was not sent on."""
    if error.code == SMTPStatus.completed:
        return ProviderBusyError(f"the relay is out of step: {_words(error)}")
    return UnknownOutcomeError(f"the relay said what it never should: {_words(error)}")


def _said_no(error: SMTPResponseException) -> ProviderBusyError | ProviderRefusedError:
    if 400 <= error.code < 500:
        return ProviderBusyError(_words(error))
    return ProviderRefusedError(_words(error))


def _words(error: SMTPResponseException) -> str:
    return f"{error.code} {' '.join(error.message.split())}"[:500]
