"""The ways to a customer, by the names that journeys, consents and settings use."""

from typing import Annotated

from pydantic import StringConstraints

CHANNELS = {
    "email": "e-mail",
    "sms": "text message",
    "whatsapp": "WhatsApp",
    "push": "notification on the phone",
    "webpush": "notification in the browser",
    "slack": "Slack",
    "webhook": "call to the customer's own system",
    "inbox": "inbox in the app",
    "apprise": "other messenger",
}
"""Every channel there is, and what a person calls it. Which of them an installation has is in its settings."""

WHERE_THEY_CAME = "where_they_came"
"""In place of a channel's name: the one by which the customer last wrote to us."""

WAYS = frozenset({*CHANNELS, WHERE_THEY_CAME})
"""What `via` may name."""

Way = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$", max_length=64),
]
"""The name of a channel, such as `email` or `sms`."""
