"""What `deliver_message` needs of a channel: e-mail, SMS, push, chat, a webhook."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from journey.effects import Purpose


@dataclass(slots=True, frozen=True, kw_only=True)
class Attachment:
    """A file that goes along, such as an invitation (`text/calendar`)."""

    name: str
    media_type: str
    content: bytes


@dataclass(slots=True, frozen=True, kw_only=True)
class ProviderTemplate:
    """A text that the provider approved, by its id there, with what fills its places."""

    id: str
    values: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True, frozen=True, kw_only=True)
class RenderedMessage:
    """One message, ready to leave.

    `key` is the ledger's: the channel hands it to the provider in whatever form that takes.
    `corrects` is the key of the delivery that this one replaces, where that one was sent;
    `corrects_id` the provider's id of it, where it went by the same channel.
    `at` is wall time. A marketing message gets its unsubscribe link from the channel.
    `link`: where a tap on it leads. `template`: in place of the text where only approved texts may
    be sent. `in_conversation`: the customer wrote by this channel within the last 24 hours.
    `address_keys`: what the address needs beside itself, such as the keys of a web push subscription.
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
    corrects_id: str | None = None
    locale: str | None = None
    link: str | None = None
    attachments: tuple[Attachment, ...] = ()
    template: ProviderTemplate | None = None
    in_conversation: bool = False
    address_keys: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True, frozen=True, kw_only=True)
class ProviderAnswer:
    """The provider has the message, under this id."""

    provider_id: str


class ProviderRefusedError(Exception):
    """The provider will never take this message for this address. `reason` is one word.

    `suppress`: nor any other; nothing is to be sent to this address any more.
    """

    def __init__(self, words: str, *, reason: str = "bounced", suppress: bool = False) -> None:
        super().__init__(words)
        self.reason, self.words, self.suppress = reason, words, suppress


class AddressGoneError(ProviderRefusedError):
    """The address itself is no more, such as a phone without the app: nothing is to go there again.

    Nothing left; the customer may have another address, or another channel.
    """

    def __init__(self, words: str) -> None:
        super().__init__(words, reason="unreachable")


class ProviderBusyError(Exception):
    """The provider cannot take it now; nothing left. Try again, after `retry_after` if given."""

    def __init__(self, words: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(words)
        self.words, self.retry_after = words, retry_after


class UnknownOutcomeError(Exception):
    """The message may or may not have left. Whether it is sent again is the ledger's to say."""


class MessageChannel(Protocol):
    """One way to a customer.

    `provider`: who carries it, as a rate may name them; the channel itself where nobody else does.
    `key_window`: for how long the provider recognises a repeated key and sends nothing twice, or
    None where it does not. `looks_up`: whether `look_up` can say what became of a key.
    """

    @property
    def name(self) -> str: ...

    @property
    def provider(self) -> str: ...

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
