"""What the delivery process tells of its channels: by which variables each is set, never a secret; and how they do."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from activities.message_channel import (
    MessageChannel,
    ProviderAnswer,
    ProviderBusyError,
    ProviderRefusedError,
    RenderedMessage,
    UnknownOutcomeError,
)
from contracts.channel_report import ChannelNews, ToldChannel, ToldSetting
from contracts.hidden_address import without_addresses
from journey.channels import CHANNELS
from workers.settings import DeliverySettings

_MAIL = ("mail_by", "mail_from", "mail_reply_to", "reply_domain")
_BY_MAIL: Mapping[str, tuple[str, ...]] = {
    "smtp": ("smtp_url", "smtp_timeout_seconds"),
    "ses": ("ses_region", "ses_configuration_set", "ses_access_key_id", "ses_secret_access_key"),
    "sendgrid": ("sendgrid_api_key", "sendgrid_region"),
    "postmark": ("postmark_token", "postmark_service_stream", "postmark_marketing_stream"),
}
_TWILIO = ("twilio_account", "twilio_auth_token", "twilio_api_key", "twilio_api_secret")
_SET_BY: Mapping[str, tuple[str, ...]] = {
    "sms": ("twilio_sms_from", *_TWILIO, "phone_region"),
    "whatsapp": ("twilio_whatsapp_from", *_TWILIO, "phone_region"),
    "push": ("fcm_account",),
    "webpush": ("vapid_key", "vapid_contact"),
    "slack": ("slack_token",),
    "webhook": ("webhook_secret", "calls_hosts"),
    "inbox": ("inbox",),
    "apprise": ("apprise_services", "calls_hosts"),
}
SHOWN = frozenset({
    "mail_by", "mail_from", "mail_reply_to", "reply_domain", "smtp_timeout_seconds", "ses_region",
    "ses_configuration_set", "sendgrid_region", "postmark_service_stream", "postmark_marketing_stream",
    "twilio_sms_from", "twilio_whatsapp_from", "phone_region", "vapid_contact", "calls_hosts", "inbox",
    "apprise_services",
})  # fmt: skip
"""Fields whose values are shown. Of every other it is told whether it is set, and by which variable."""


def told_channels(
    settings: DeliverySettings, on: Collection[str], environment: Mapping[str, str]
) -> list[ToldChannel]:
    """Every channel there is: whether it is on, and by what it is set. `environment`: where the settings came from."""
    by = {"email": (*_MAIL, *_BY_MAIL[settings.mail_by]), **_SET_BY}
    return [
        ToldChannel(
            channel=channel,
            is_on=channel in on,
            settings=tuple(_told(settings, name, environment) for name in by[channel]),
        )
        for channel in CHANNELS
    ]


def _told(settings: DeliverySettings, name: str, environment: Mapping[str, str]) -> ToldSetting:
    variable = f"CLEW_{name.upper()}"
    given = name in settings.model_fields_set
    in_file = given and not environment.get(variable) and bool(environment.get(f"{variable}_FILE"))
    return ToldSetting(
        variable=f"{variable}_FILE" if in_file else variable,
        is_set=given,
        value=_shown(settings, name),
    )


def _shown(settings: DeliverySettings, name: str) -> str:
    if name == "smtp_url" and settings.smtp_url is not None:
        relay = settings.smtp_server()  # its host, without who signs in there
        return f"{relay.host}:{relay.port}, {relay.security}"
    value = getattr(settings, name) if name in SHOWN else None
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType] -- of strings
    return "" if value is None else str(value)


class KeptNews(Protocol):
    """Where it is told; `stores.channel_reports` says what it guarantees."""

    async def news(self, news: ChannelNews) -> None: ...


@dataclass(slots=True)
class ChannelWatch:
    """Remembers how channels do, and tells it in rounds: a message costs no statement. `wall_clock`: wall time."""

    kept: KeptNews
    wall_clock: Callable[[], datetime]
    _untold: dict[str, ChannelNews] = field(default_factory=dict[str, ChannelNews])

    def over(self, channels: Mapping[str, MessageChannel]) -> dict[str, MessageChannel]:
        """The same channels, watched."""
        return {name: WatchedChannel(channel, self) for name, channel in channels.items()}

    def sent(self, channel: str) -> None:
        """Its provider took a message."""
        was = self._untold.get(channel, ChannelNews(channel=channel))
        self._untold[channel] = ChannelNews(
            channel=channel, sent_at=self.wall_clock(), failed_at=was.failed_at, failed_why=was.failed_why
        )  # fmt: skip

    def failed(self, channel: str, why: str, address: str) -> None:
        """A message did not go, or may not have."""
        was = self._untold.get(channel, ChannelNews(channel=channel))
        self._untold[channel] = ChannelNews(
            channel=channel, sent_at=was.sent_at, failed_at=self.wall_clock(),
            failed_why=without_addresses(why, address),
        )  # fmt: skip

    async def round(self) -> bool:
        """Tell what is new; there is never more to do at once."""
        for channel in list(self._untold):
            news = self._untold.pop(channel)
            try:
                await self.kept.news(news)
            except BaseException:
                self._untold.setdefault(channel, news)  # the next round tells it
                raise
        return False


@dataclass(slots=True, frozen=True)
class WatchedChannel:
    """A channel whose answers are remembered; whoever sends notices nothing."""

    channel: MessageChannel
    watch: ChannelWatch

    @property
    def name(self) -> str:
        """That of the channel."""
        return self.channel.name

    @property
    def provider(self) -> str:
        """Who carries it."""
        return self.channel.provider

    @property
    def key_window(self) -> timedelta | None:
        """For how long a repeated key is recognised."""
        return self.channel.key_window

    @property
    def looks_up(self) -> bool:
        """Whether it can say what became of a key."""
        return self.channel.looks_up

    async def send(self, message: RenderedMessage) -> ProviderAnswer:
        """As the channel does. Raises: what it raises."""
        name, address = self.channel.name, message.address
        try:
            answer = await self.channel.send(message)
        except ProviderRefusedError as error:
            self.watch.failed(name, f"refused, {error.reason}: {error.words}", address)
            raise
        except ProviderBusyError as error:
            self.watch.failed(name, f"not taken now: {error.words}", address)
            raise
        except UnknownOutcomeError as error:
            self.watch.failed(name, f"in doubt: {error}", address)
            raise
        except BaseException as error:
            # Cancelled: it did not answer in time, or the process ends.
            self.watch.failed(name, f"it did not answer: {type(error).__name__}", address)
            raise
        self.watch.sent(name)
        return answer

    async def look_up(self, key: str) -> ProviderAnswer | None:
        """What became of a key."""
        return await self.channel.look_up(key)
