"""A message that a customer wrote to us, read and bounded, whatever the channel it came by."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

InboundKind = Literal["reply", "automatic", "bounce", "stop", "start", "help"]
"""What it is: `stop`, `start` and `help` are the words that carriers and mail programs agree on."""

MOST_FILES = 20
MOST_FILE_BYTES = 10_000_000
MOST_ALL_FILES_BYTES = 25_000_000

MOST_TEXT = 100_000
"""Characters that are kept of a message's text."""

MOST_SUBJECT = 500


@dataclass(slots=True, frozen=True, kw_only=True)
class InboundFile:
    """A file that came along. `media_type` is what its bytes are, not what the sender said."""

    name: str
    media_type: str
    content: bytes


@dataclass(slots=True, frozen=True, kw_only=True)
class InboundMessage:
    """One message to us.

    `reply` is its id: channel, and what the provider calls it; the same one twice is one message.
    `address` is theirs, `sent_to` ours. `text` is without what it quotes, `whole` with it.

    Who wrote and to what it answers, the surest first: `customer` where the door knows; `delivery`,
    entry and n of a delivery, from an address that only we can make; `answers`, provider's ids of
    what it answers; `names`, identities of the sender.
    """

    reply: str
    channel: str
    address: str
    received_at: datetime
    sent_to: str = ""
    subject: str = ""
    text: str = ""
    whole: str = ""
    kind: InboundKind = "reply"
    files: tuple[InboundFile, ...] = ()
    customer: str | None = None
    delivery: tuple[int, int] | None = None
    answers: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True, frozen=True, kw_only=True)
class Heard:
    """What became of a message.

    `new` False: it was kept before. `told`: a `Message Replied` was made of it. `reason` says why
    not, where that needs a word. `kind` is what it turned out to be.
    """

    reply: str
    new: bool
    kind: InboundKind
    customer: str | None = None
    told: bool = False
    reason: str = ""
