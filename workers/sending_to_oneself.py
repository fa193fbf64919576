"""The channels of an installation for a message to oneself: nothing is written of it anywhere."""

import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from activities.message_channel import MessageChannel
from channels.unsubscribe_link import UnsubscribeLinks
from stores.database import Pool
from workers.channels import OpenChannel, channels_of
from workers.embedded.stack_files import StackFiles, running_stack
from workers.mail_channel import mail_channel
from workers.settings import DeliverySettings, read_settings

SENDER = "Clew <hello@clew.example>"
"""Who writes in an installation on one machine, as `clew up` says it."""


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def delivery_settings(state: Path) -> DeliverySettings:
    """Those of the environment, and what the installation that runs here has of its own. Raises: `SettingsError`."""
    local = running_stack(state)
    if local is None or os.environ.get("CLEW_SMTP_URL"):
        return read_settings(DeliverySettings)
    return read_settings(
        DeliverySettings,
        {
            "temporal_address": local.temporal_address,
            "database_url": local.database_url,
            "smtp_url": local.smtp_url,
            "mail_from": os.environ.get("CLEW_MAIL_FROM") or SENDER,
            "secret": StackFiles(state).secret(),
            "public_url": local.api,
        },
    )


@asynccontextmanager
async def sending_channels(
    settings: DeliverySettings, pool: Pool | None
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
                _wall_clock,
                public_url=settings.public_url,
                allowed=settings.calls_allowed,
            ),
        ]
        for channel in channels:
            parts.push_async_callback(channel.close)
        yield {channel.name: channel for channel in channels}
