"""A message to Anna, who it is from, and the links in it."""

from datetime import UTC, datetime

from activities.message_channel import RenderedMessage
from channels.mail import MailSender
from channels.unsubscribe_link import UnsubscribeLinks

LINKS = UnsubscribeLinks("https://journeys.example", b"s" * 32)
SENDER = MailSender(address="care@air.example", name="Air Example", reply_to="desk@air.example")


def a_message(n: int = 1, to: str = "anna@example.com") -> RenderedMessage:
    return RenderedMessage(
        key=f"journey/flight/c_anna:7:{n}",
        customer="c_anna",
        address=to,
        purpose="service",
        subject="Gate B4",
        text="Your gate is B4.\n",
        at=datetime(2013, 2, 8, 17, 2, tzinfo=UTC),
    )
