"""By which settings a message to oneself is sent: nothing is written of it anywhere."""

import os
from datetime import UTC, datetime
from pathlib import Path

from workers.embedded.stack_files import StackFiles, running_stack
from workers.settings import DeliverySettings, read_settings

SENDER = "Clew <hello@clew.example>"
"""Who writes in an installation on one machine, as `clew up` says it."""


def wall_clock() -> datetime:
    """Wall time."""
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
