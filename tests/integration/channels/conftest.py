"""Channels under one suite: the recording fake, and SMTP against a scripted server."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from activities.message_channel import MessageChannel, RenderedMessage
from channels.http_call import HttpCaller
from channels.mail import MailSender
from channels.recording import RecordingChannel, ScriptedAnswer
from channels.smtp import SmtpChannel, SmtpServer
from channels.unsubscribe_link import UnsubscribeLinks
from tests.integration.channels.called_service import calling
from tests.integration.channels.mail_providers import MAIL_PROVIDERS, mail_provider
from tests.integration.channels.scripted_smtp import ScriptedSmtp

LINKS = UnsubscribeLinks("https://journeys.example", b"s" * 32)
SENDER = MailSender(address="care@air.example", name="Air Example", reply_to="desk@air.example")


def smtp_channel(port: int, *, connections: int = 2) -> SmtpChannel:
    server = SmtpServer(
        host="127.0.0.1",
        port=port,
        security="plain",
        timeout=timedelta(seconds=5),
        connections=connections,
    )
    return SmtpChannel(server, SENDER, LINKS)


def a_message(n: int = 1, to: str = "anna@example.com") -> RenderedMessage:
    return RenderedMessage(
        key=f"journey/flight/c_anna:7:{n}",
        customer="c_anna",
        address=to,
        purpose="service",
        subject="Gate B4",
        text="Your gate is B4.\n",
        at=datetime(2013, 2, 8, 17, 2, tzinfo=UTC),
    )


@dataclass
class Provider:
    """A channel with the provider behind it: how it is to answer, and what it took."""

    channel: MessageChannel
    script: Callable[[str, Sequence[ScriptedAnswer]], None]
    subjects: Callable[[], list[str]]
    repeats_its_id: bool = True


@pytest_asyncio.fixture
async def relay() -> AsyncIterator[ScriptedSmtp]:
    server = ScriptedSmtp()
    await server.open()
    yield server
    await server.close()


@pytest_asyncio.fixture(
    params=["recording", "smtp", "smtp, answering after the mail", *MAIL_PROVIDERS]
)
async def provider(request: pytest.FixtureRequest, relay: ScriptedSmtp) -> AsyncIterator[Provider]:
    if request.param == "recording":
        channel = RecordingChannel()
        yield Provider(channel, channel.script, lambda: [taken.subject for taken in channel.taken])
        return
    if request.param in MAIL_PROVIDERS:
        async with mail_provider(request.param) as (channel, vendor):
            repeats = request.param != "ses"  # which puts an id of its own in the place of ours
            yield Provider(channel, vendor.script, lambda: vendor.subjects, repeats)
        return
    relay.at_data = request.param != "smtp"
    channel = smtp_channel(relay.port)

    def script(address: str, answers: Sequence[ScriptedAnswer]) -> None:
        relay.scripts[address] = list(answers)

    yield Provider(channel, script, lambda: [str(mail["Subject"]) for mail in relay.taken])
    await channel.close()


@pytest_asyncio.fixture(scope="session")
async def caller() -> AsyncIterator[HttpCaller]:
    """May call this machine. By its clock: the library of Standard Webhooks refuses what was not signed just now."""
    async with calling("localhost", clock=lambda: datetime.now(UTC)) as caller:
        yield caller


@pytest_asyncio.fixture(scope="session")
async def stranger() -> AsyncIterator[HttpCaller]:
    """May call nothing of ours; its clock stands still."""
    async with calling("stock.internal") as caller:
        yield caller


@pytest_asyncio.fixture(scope="session")
async def punctual() -> AsyncIterator[HttpCaller]:
    """May call this machine; its clock stands still."""
    async with calling("localhost") as caller:
        yield caller
