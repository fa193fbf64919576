"""What a customer writes on a page of ours, or in the inbox of a business's own app."""

from datetime import datetime

from channels.mail_words import readable
from channels.stop_words import unsubscribes
from contracts.inbound_message import MOST_TEXT, InboundFile, InboundMessage

CHANNEL = "inbox"


def page_message(
    customer: str,
    key: str,
    text: str,
    at: datetime,
    *,
    answers: str | None = None,
    files: tuple[InboundFile, ...] = (),
) -> InboundMessage:
    """A message of a customer whom the page knows, by its signed link or the app's login.

    `key` names it: sent twice, it is one message. `answers`: the id in the inbox of what it answers.
    """
    words = readable(text)[:MOST_TEXT].strip()
    return InboundMessage(
        reply=f"{CHANNEL}-{customer}-{key}"[:300],
        channel=CHANNEL,
        address=customer,
        received_at=at,
        text=words,
        whole=words,
        kind="stop" if unsubscribes("", words) and "\n" not in words else "reply",
        files=files,
        customer=customer,
        answers=(answers,) if answers else (),
    )
