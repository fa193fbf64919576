"""What becomes of a message, described as an author would: a misspelt property is found before it never fits."""

from typing import Any

from journey import message_events as events
from journey.landscape import TouchpointDescription

_ALWAYS = dict.fromkeys(("delivery", "message", "channel", "journey", "run"), "text")
_WRITTEN = dict.fromkeys(("text", "subject", "reply", "case"), "text")
_MACHINE = {"machine": "boolean"}


def _described(event: str, **more: str) -> TouchpointDescription:
    said: dict[str, Any] = {
        "touchpoint": event,
        "interface": ["message"],
        "properties": {**_ALWAYS, **more},
    }
    return TouchpointDescription(**said)


MESSAGE_DESCRIPTIONS = {
    events.DELIVERED: _described(events.DELIVERED),
    events.OPENED: _described(events.OPENED, **_MACHINE),
    events.CLICKED: _described(events.CLICKED, **_MACHINE, url="text"),
    events.BOUNCED: _described(events.BOUNCED, reason="text", hard="boolean"),
    events.COMPLAINED: _described(events.COMPLAINED),
    events.UNSUBSCRIBED: _described(events.UNSUBSCRIBED, **_WRITTEN),
    events.REPLIED: _described(events.REPLIED, **_WRITTEN),
}
