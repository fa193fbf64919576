"""A notification on a screen: what is shown, and what goes with it for the app."""

import hashlib

from activities.message_channel import RenderedMessage
from channels.unsubscribe_link import UnsubscribeLinks, marketing_link
from contracts.delivery_mark import delivery_mark

LONGEST_TEXT = 1_000
"""Characters of what is shown: a push service takes about 4,000 bytes with everything that goes along."""


def shown(message: RenderedMessage) -> tuple[str, str]:
    """Title and text of a notification."""
    return message.subject, _cut(message.text.strip())


def goes_along(message: RenderedMessage, channel: str, links: UnsubscribeLinks) -> dict[str, str]:
    """What the app or the web page gets beside what is shown: all of it text, as FCM asks."""
    data = {"delivery": delivery_mark(message.key), "tag": tag(message)}
    if message.link is not None:
        data["link"] = message.link
    if message.corrects is not None:
        data["corrects"] = delivery_mark(message.corrects)
    url = marketing_link(links, message, channel)
    if url is not None:
        data["unsubscribe"] = url
    return data


def tag(message: RenderedMessage) -> str:
    """What a correction shares with what it corrects, so that it takes its place on the screen."""
    key = message.corrects or message.key
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1].rstrip()}…"
