"""The channels of an installation for a message to oneself: nothing is written of it anywhere."""

import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from activities.message_channel import MessageChannel
from channels.smtp import SmtpChannel
from channels.unsubscribe_link import UnsubscribeLinks
from workers.embedded.stack_files import StackFiles, running_stack
from workers.settings import DeliverySettings, read_settings

SENDER = "Clew <hello@clew.example>"
"""Who writes in an installation on one machine, as `clew up` says it."""


def delivery_settings(state: Path) -> DeliverySettings:
    """Those of the environment, else of the installation that runs here. Raises: `SettingsError`."""
    local = running_stack(state)
    if local is None or os.environ.get("CLEW_SMTP_URL"):
        return read_settings(DeliverySettings)
    return DeliverySettings.model_validate(
        {
            "temporal_address": local.temporal_address,
            "database_url": local.database_url,
            "smtp_url": local.smtp_url,
            "mail_from": os.environ.get("CLEW_MAIL_FROM") or SENDER,
            "secret": StackFiles(state).secret(),
            "public_url": local.api,
        }
    )


@asynccontextmanager
async def sending_channels(
    settings: DeliverySettings,
) -> AsyncGenerator[Mapping[str, MessageChannel]]:
    """The channels by name, open."""
    links = UnsubscribeLinks(settings.public_url, settings.secret.get_secret_value().encode())
    smtp = SmtpChannel(settings.smtp_server(), settings.mail_sender(), links)
    try:
        yield {smtp.name: smtp}
    finally:
        await smtp.close()
