"""Links that unsubscribe.

Their token stands in the path, because RFC 8058 has mail programs send a form to that very address. So it
does one thing, which harms nobody, and shows nothing; what opens more stands behind the `#`.
"""

from dataclasses import dataclass
from datetime import datetime

from activities.message_channel import RenderedMessage
from channels.customer_links import page_links
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
        self._undone = SignedLinks(base_url, secret, kind="undo unsubscribing", path="u")
        self._preferences = page_links("preferences", base_url, secret)

    def url(self, unsubscription: Unsubscription) -> str:
        """The link of the header `List-Unsubscribe`."""
        return f"{self._links.page}/{self.token(unsubscription)}"

    def choosing_url(self, unsubscription: Unsubscription) -> str:
        """The link to put in a message: the same page, and behind the `#` what opens their preferences."""
        token = self._preferences.token(unsubscription.customer, "0", "0")
        return f"{self.url(unsubscription)}#{token}"

    def token(self, unsubscription: Unsubscription) -> str:
        """The signed part of the link."""
        return self._links.token(*_parts(unsubscription))

    def read(self, token: str) -> Unsubscription:
        """What a token stands for. Raises: `InvalidLinkError`."""
        parts = self._links.read(token)
        if len(parts) != 3:
            raise InvalidLinkError("this link is not complete")
        customer, purpose, channel = parts
        return Unsubscription(
            customer=customer,
            purpose="service" if purpose == "service" else "marketing",
            channel=channel,
        )

    def undo_token(self, unsubscription: Unsubscription, until: datetime) -> str:
        """What the page that unsubscribed sends to take it back, until then."""
        return self._undone.token(*_parts(unsubscription), str(int(until.timestamp())))

    def may_undo(self, unsubscription: Unsubscription, told: str, now: datetime) -> None:
        """Whether this takes it back. Raises: `InvalidLinkError`."""
        *parts, until = self._undone.read(told)
        if tuple(parts) != _parts(unsubscription) or now.timestamp() >= int(until):
            raise InvalidLinkError("this can no longer be taken back here")


def marketing_link(
    links: UnsubscribeLinks, message: RenderedMessage, channel: str = "email"
) -> str | None:
    """The link that a marketing message carries; a service message has none.

    In a mail, where nobody sees how long it is, it also leads to what else one may choose.
    """
    if message.purpose != "marketing":
        return None
    wanted = Unsubscription(customer=message.customer, purpose="marketing", channel=channel)
    return links.choosing_url(wanted) if channel == "email" else links.url(wanted)


def _parts(unsubscription: Unsubscription) -> tuple[str, str, str]:
    return unsubscription.customer, unsubscription.purpose, unsubscription.channel
