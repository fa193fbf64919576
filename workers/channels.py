"""The channels of an installation, made from its settings."""

from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Protocol

from pydantic import SecretStr

from activities.message_channel import MessageChannel
from channels.inbox import InboxChannel
from channels.unsubscribe_link import UnsubscribeLinks
from stores.database import Pool
from stores.inbox_messages import InboxStore
from workers.channel_settings import ChannelSettings
from workers.mail_channel import mail_channel
from workers.settings import DeliverySettings


class OpenChannel(MessageChannel, Protocol):
    """A channel that holds connections until it is closed."""

    async def close(self) -> None: ...


def channels_of(
    settings: ChannelSettings,
    links: UnsubscribeLinks,
    pool: Pool | None,
    wall_clock: Callable[[], datetime],
    *,
    public_url: str,
    allowed: Collection[str] = (),
) -> list[OpenChannel]:
    """Every channel whose settings are given. What a channel needs is loaded only where it is on.

    `pool`: without one there is no inbox. `allowed`: hosts that may have a private address.
    Raises: `ValueError` in words, and `AppriseMissingError`.
    """
    channels: list[OpenChannel] = [*_by_twilio(settings, links, public_url)]
    if settings.fcm_account is not None:
        from channels.fcm_access import FcmAccess
        from channels.push import PushChannel

        access = FcmAccess(settings.fcm_info(), token_url=settings.fcm_token_url)
        channels.append(
            PushChannel(settings.fcm_project(), access, links, api=_root(settings.fcm_url))
        )
    if settings.vapid_key is not None:
        from channels.vapid import VapidKey
        from channels.webpush import WebPushChannel

        key = VapidKey(_told(settings.vapid_key), settings.vapid_contact or "")
        channels.append(WebPushChannel(key, links, wall_clock, allowed=allowed))
    if settings.slack_token is not None:
        from channels.slack import SlackChannel

        channels.append(
            SlackChannel(_told(settings.slack_token), links, api=_root(settings.slack_url))
        )
    if settings.webhook_secret is not None:
        from channels.webhook import WebhookChannel

        secret = _told(settings.webhook_secret).encode()
        channels.append(
            WebhookChannel(secret, links, wall_clock, allowed=allowed, known=settings.calls_hosts)
        )
    if settings.inbox == "on" and pool is not None:
        channels.append(InboxChannel(InboxStore(pool, wall_clock), links))
    if settings.apprise_services:
        from channels.apprise_services import AppriseChannel

        channels.append(
            AppriseChannel(
                settings.apprise_services, links, allowed=allowed, known=settings.calls_hosts
            )
        )
    return channels


def _by_twilio(
    settings: ChannelSettings, links: UnsubscribeLinks, public_url: str
) -> list[OpenChannel]:
    if settings.twilio_account is None:
        return []
    from channels.sms import SmsChannel
    from channels.twilio import CALLBACK_PATH, TwilioAccount
    from channels.whatsapp import WhatsAppChannel

    def account(sender: str) -> TwilioAccount:
        user, password = settings.twilio_login()
        return TwilioAccount(
            account=settings.twilio_account or "",
            user=user,
            password=password,
            sender=sender,
            callback_url=f"{_root(public_url)}{CALLBACK_PATH}",
            region=settings.phone_region,
            api=_root(settings.twilio_url),
        )

    found: list[OpenChannel] = []
    if settings.twilio_sms_from is not None:
        found.append(SmsChannel(account(settings.twilio_sms_from), links))
    if settings.twilio_whatsapp_from is not None:
        found.append(WhatsAppChannel(account(settings.twilio_whatsapp_from), links))
    return found


def _told(secret: SecretStr) -> str:
    return secret.get_secret_value()


def _root(url: str) -> str:
    return url.rstrip("/")


@asynccontextmanager
async def sending_channels(
    settings: DeliverySettings, pool: Pool | None, wall_clock: Callable[[], datetime]
) -> AsyncGenerator[Mapping[str, MessageChannel]]:
    """The channels by name, open; without a pool there is no inbox.

    Raises: `ValueError` in words and `AppriseMissingError` where one cannot be made.
    """
    links = UnsubscribeLinks(settings.public_url, settings.secret.get_secret_value().encode())
    async with AsyncExitStack() as parts:
        channels: list[OpenChannel] = [
            mail_channel(settings, links, settings.replies()),
            *channels_of(
                settings,
                links,
                pool,
                wall_clock,
                public_url=settings.public_url,
                allowed=settings.calls_allowed,
            ),
        ]
        for channel in channels:
            parts.push_async_callback(channel.close)
        yield {channel.name: channel for channel in channels}
