"""Links that unsubscribe."""

from dataclasses import dataclass

from activities.message_channel import RenderedMessage
from channels.signed_link import SMALLEST_SECRET, InvalidLinkError, SignedLinks
from journey.effects import Purpose

__all__ = [
    "SMALLEST_SECRET",
    "InvalidLinkError",
    "UnsubscribeLinks",
    "Unsubscription",
    "marketing_link",
]


@dataclass(slots=True, frozen=True, kw_only=True)
class Unsubscription:
    """Who no longer wants what, and where. The customer's id is opaque and ours."""

    customer: str
    purpose: Purpose
    channel: str


class UnsubscribeLinks:
    """Makes and reads the links of one installation; mail clients offer their one-click button only for https."""

    def __init__(self, base_url: str, secret: bytes) -> None:
        self._links = SignedLinks(base_url, secret, kind="unsubscribe", path="u")

    def url(self, unsubscription: Unsubscription) -> str:
        """The link to put in a message."""
        return self._links.url(*_parts(unsubscription))

    def token(self, unsubscription: Unsubscription) -> str:
        """The signed part of the link."""
        return self._links.token(*_parts(unsubscription))

    def read(self, token: str) -> Unsubscription:
        """What a token stands for. Raises: `InvalidLinkError`."""
        customer, purpose, channel = self._links.read(token)
        return Unsubscription(
            customer=customer,
            purpose="service" if purpose == "service" else "marketing",
            channel=channel,
        )


def marketing_link(
    links: UnsubscribeLinks, message: RenderedMessage, channel: str = "email"
) -> str | None:
    """The link that a marketing message carries; a service message has none."""
    if message.purpose != "marketing":
        return None
    return links.url(
        Unsubscription(customer=message.customer, purpose="marketing", channel=channel)
    )


def _parts(unsubscription: Unsubscription) -> tuple[str, str, str]:
    return unsubscription.customer, unsubscription.purpose, unsubscription.channel
