"""What `deliver_message` needs of a channel: e-mail, SMS, push, chat, a webhook."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from journey.effects import Purpose


@dataclass(slots=True, frozen=True, kw_only=True)
class RenderedMessage:
    """One message, ready to leave.

    `key` is the ledger's: the channel hands it to the provider in whatever form that takes.
    `corrects` is the key of the delivery that this one replaces, where that one was sent.
    `at` is wall time. A marketing message gets its unsubscribe link from the channel.
    """

    key: str
    customer: str
    address: str
    purpose: Purpose
    subject: str
    text: str
    at: datetime
    html: str | None = None
    corrects: str | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class ProviderAnswer:
    """The provider has the message, under this id."""

    provider_id: str


class ProviderRefusedError(Exception):
    """The provider will never take this message for this address. `reason` is one word."""

    def __init__(self, words: str, *, reason: str = "bounced") -> None:
        super().__init__(words)
        self.reason, self.words = reason, words


class ProviderBusyError(Exception):
    """The provider cannot take it now; nothing left. Try again, after `retry_after` if given."""

    def __init__(self, words: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(words)
        self.words, self.retry_after = words, retry_after


class UnknownOutcomeError(Exception):
    """The message may or may not have left. Whether it is sent again is the ledger's to say."""


class MessageChannel(Protocol):
    """One way to a customer.

    `key_window`: for how long the provider recognises a repeated key and sends nothing twice, or
    None where it does not. `looks_up`: whether `look_up` can say what became of a key.
    """

    @property
    def name(self) -> str: ...

    @property
    def key_window(self) -> timedelta | None: ...

    @property
    def looks_up(self) -> bool: ...

    async def send(self, message: RenderedMessage) -> ProviderAnswer:
        """Hand the message over.

        Raises: `ProviderRefusedError`, `ProviderBusyError`, `UnknownOutcomeError`.
        """
        ...

    async def look_up(self, key: str) -> ProviderAnswer | None:
        """What became of this key; None: the provider never took it. Only where `looks_up`."""
        ...
