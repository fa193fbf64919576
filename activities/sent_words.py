"""What a customer read, as it is kept beside the record of its sending."""

import re
from dataclasses import dataclass

from activities.message_channel import RenderedMessage

MOST_CHARACTERS = 20_000
"""Of the text; the rest of a longer one is cut off."""

_SECRET = re.compile(r"(https?://[^\s<>\"'()\[\]#]+)#[^\s<>\"'()\[\]]{16,}")


@dataclass(slots=True, frozen=True, kw_only=True)
class SentWords:
    """Subject and text of a message, without what opens a customer's pages."""

    subject: str
    text: str


def sent_words(message: RenderedMessage) -> SentWords:
    """Those of a message that leaves: whoever reads them later cannot open its links in the customer's place.

    The secret of a link of ours stands behind its `#` (docs/decisions/0038), and is left out.
    """
    return SentWords(
        subject=_shut(message.subject), text=_shut(message.text.strip()[:MOST_CHARACTERS])
    )


def _shut(words: str) -> str:
    return _SECRET.sub(r"\1#…", words)
