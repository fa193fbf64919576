"""Every channel with a provider behind it that answers by script: what the one suite is run on."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from activities.message_channel import (
    MessageChannel,
    ProviderBusyError,
    ProviderRefusedError,
    RenderedMessage,
    UnknownOutcomeError,
)
from channels.apprise_services import AppriseChannel
from channels.fcm_access import FcmAccess
from channels.push import PushChannel
from channels.recording import RecordingChannel, ScriptedAnswer
from channels.slack import SlackChannel
from channels.sms import SmsChannel
from channels.smtp import SmtpChannel, SmtpServer
from channels.vapid import VapidKey, new_pair
from channels.webhook import WebhookChannel
from channels.webpush import WebPushChannel
from channels.whatsapp import WhatsAppChannel
from tests.integration.channels.inbox_by_script import inbox
from tests.integration.channels.mail_providers import MAIL_PROVIDERS
from tests.integration.channels.one_message import LINKS, SENDER, a_message
from tests.integration.channels.scripted_smtp import ScriptedSmtp
from tests.integration.channels.vendors.fcm import PROJECT, Fcm
from tests.integration.channels.vendors.own_system import SECRET, AppriseJson, OwnSystem
from tests.integration.channels.vendors.push_service import PushService
from tests.integration.channels.vendors.scripted_http import vendor
from tests.integration.channels.vendors.slack import TOKEN, Slack
from tests.integration.channels.vendors.twilio import Twilio

MAIL = ("anna@example.com", "ben@example.com")
PHONES = ("+420601123456", "+420601654321")


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Provider:
    """A channel with the provider behind it: how it is to answer, and what it took.

    `says_no` and `says_later`: what the channel makes of a refusal for good, and of a provider that
    is busy. `tells_pause`: whether it tells for how long. `same_id`: whether a key has the same
    id at every attempt. `goes_away`: from then on nobody answers there.
    """

    channel: MessageChannel
    script: Callable[[str, Sequence[ScriptedAnswer]], None]
    subjects: Callable[[], list[str]]
    people: tuple[str, str] = MAIL
    reason: str = "unreachable"
    says_no: type[Exception] = ProviderRefusedError
    says_later: type[Exception] = ProviderBusyError
    tells_pause: bool = True
    same_id: bool = True
    own_words: bool = True
    goes_away: Callable[[], Awaitable[None]] | None = None
    address_keys: dict[str, str] = field(default_factory=dict)
    in_conversation: bool = False

    @property
    def anna(self) -> str:
        return self.people[0]

    def message(self, n: int = 1, subject: str = "Gate B4", *, to: int = 0) -> RenderedMessage:
        return replace(
            a_message(n, self.people[to]),
            customer=("c_anna", "c_ben")[to],
            subject=subject,
            text=f"{subject}\n",
            address_keys=self.address_keys,
            in_conversation=self.in_conversation,
        )


Providing = Callable[[str], AbstractAsyncContextManager[Provider]]


def smtp_channel(port: int, *, connections: int = 2) -> SmtpChannel:
    server = SmtpServer(
        host="127.0.0.1",
        port=port,
        security="plain",
        timeout=timedelta(seconds=5),
        connections=connections,
    )
    return SmtpChannel(server, SENDER, LINKS)


@asynccontextmanager
async def recording(_: str) -> AsyncGenerator[Provider]:
    channel = RecordingChannel()

    def subjects() -> list[str]:
        return [taken.subject for taken in channel.taken]

    yield Provider(channel, channel.script, subjects, reason="bounced", own_words=False)


def smtp(*, at_data: bool) -> Providing:
    @asynccontextmanager
    async def providing(_: str) -> AsyncGenerator[Provider]:
        relay = ScriptedSmtp(at_data=at_data)
        await relay.open()
        channel = smtp_channel(relay.port)

        def script(address: str, answers: Sequence[ScriptedAnswer]) -> None:
            relay.scripts[address] = list(answers)

        def subjects() -> list[str]:
            return [str(mail["Subject"]) for mail in relay.taken]

        yield Provider(
            channel,
            script,
            subjects,
            reason="bounced",
            own_words=False,
            tells_pause=False,
            goes_away=relay.close,
        )
        await channel.close()
        await relay.close()

    return providing


@asynccontextmanager
async def sms(_: str) -> AsyncGenerator[Provider]:
    async with vendor(Twilio()) as twilio:
        channel = SmsChannel(twilio.account(), LINKS)
        yield Provider(
            channel,
            twilio.script,
            lambda: twilio.subjects,
            people=PHONES,
            same_id=False,
            goes_away=twilio.close,
        )
        await channel.close()


@asynccontextmanager
async def whatsapp(_: str) -> AsyncGenerator[Provider]:
    async with vendor(Twilio()) as twilio:
        channel = WhatsAppChannel(twilio.account("+420800123456"), LINKS)
        yield Provider(
            channel,
            lambda address, answers: twilio.script(f"whatsapp:{address}", answers),
            lambda: twilio.subjects,
            people=PHONES,
            same_id=False,
            in_conversation=True,
            goes_away=twilio.close,
        )
        await channel.close()


@asynccontextmanager
async def push(_: str) -> AsyncGenerator[Provider]:
    async with vendor(Fcm()) as fcm:
        channel = PushChannel(PROJECT, FcmAccess(fcm.account), LINKS, api=fcm.url)
        yield Provider(
            channel,
            fcm.script,
            lambda: fcm.subjects,
            people=("token-of-annas-phone", "token-of-bens-phone"),
            same_id=False,
            goes_away=fcm.close,
        )
        await channel.close()


@asynccontextmanager
async def webpush(_: str) -> AsyncGenerator[Provider]:
    private, public = new_pair()
    async with vendor(PushService(public)) as service:
        key = VapidKey(private, "mailto:care@air.example")
        channel = WebPushChannel(key, LINKS, now, allowed=["localhost"])
        yield Provider(
            channel,
            service.script,
            lambda: service.subjects,
            people=(f"{service.url}/push/anna", f"{service.url}/push/ben"),
            address_keys=service.browser.keys,
            goes_away=service.close,
        )
        await channel.close()


@asynccontextmanager
async def slack(_: str) -> AsyncGenerator[Provider]:
    async with vendor(Slack()) as server:
        channel = SlackChannel(TOKEN, LINKS, api=server.url)
        yield Provider(
            channel,
            server.script,
            lambda: server.subjects,
            people=("U012AB3CD", "C098ZY7XW"),
            same_id=False,
            goes_away=server.close,
        )
        await channel.close()


@asynccontextmanager
async def webhook(_: str) -> AsyncGenerator[Provider]:
    async with vendor(OwnSystem()) as system:
        channel = WebhookChannel(SECRET, LINKS, now, allowed=["localhost"])
        yield Provider(
            channel,
            system.script,
            lambda: system.subjects,
            people=(f"{system.url}/hooks/anna?of=air", f"{system.url}/hooks/ben"),
            goes_away=system.close,
        )
        await channel.close()


@asynccontextmanager
async def in_app(database: str) -> AsyncGenerator[Provider]:
    async with inbox(database) as scripted:
        channel = scripted.channel(LINKS)
        yield Provider(
            channel,
            scripted.script,
            lambda: scripted.subjects,
            people=("c_anna", "c_ben"),
            tells_pause=False,
        )


@asynccontextmanager
async def apprise(_: str) -> AsyncGenerator[Provider]:
    async with vendor(AppriseJson()) as service:
        channel = AppriseChannel(["json"], LINKS, allowed=["localhost"])
        where = service.url.removeprefix("http")
        yield Provider(
            channel,
            service.script,
            lambda: service.subjects,
            people=(f"json{where}/anna", f"json{where}/ben"),
            says_no=UnknownOutcomeError,
            says_later=UnknownOutcomeError,
        )


def named(name: str) -> Providing:
    """Mail by a named provider."""

    @asynccontextmanager
    async def providing(_: str) -> AsyncGenerator[Provider]:
        async with MAIL_PROVIDERS[name]() as (channel, server):
            yield Provider(
                channel,
                server.script,
                lambda: server.subjects,
                reason="bounced",
                same_id=name != "ses",  # which puts an id of its own in the place of ours
                goes_away=server.close,
            )

    return providing


PROVIDERS: dict[str, Providing] = {
    "recording": recording,
    "smtp": smtp(at_data=False),
    "smtp, answering after the mail": smtp(at_data=True),
    **{name: named(name) for name in MAIL_PROVIDERS},
    "sms": sms,
    "whatsapp": whatsapp,
    "push": push,
    "webpush": webpush,
    "slack": slack,
    "webhook": webhook,
    "inbox": in_app,
    "apprise": apprise,
}
