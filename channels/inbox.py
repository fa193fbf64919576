"""The inbox inside a business's own app or web page: ours, so every message is in it exactly once."""

from datetime import timedelta
from typing import Protocol

from activities.message_channel import ProviderAnswer, RenderedMessage
from channels.unsubscribe_link import UnsubscribeLinks, marketing_link

FOR_EVER = timedelta(days=36_500)


class InboxMessages(Protocol):
    """Where the messages of inboxes are kept."""

    async def put(self, message: RenderedMessage, unsubscribe: str | None) -> str:
        """Keep a message under its key, once; its id.

        Raises: `ProviderRefusedError` where there is no such customer, `ProviderBusyError` where
        nothing can be kept now, `UnknownOutcomeError` where it may have been.
        """
        ...

    async def id_of(self, key: str) -> str | None:
        """The id of the message of a key; None where there is none."""
        ...


class InboxChannel:
    """Puts messages into customers' inboxes. An address is the customer."""

    name = "inbox"
    provider = "inbox"
    key_window: timedelta | None = FOR_EVER
    looks_up = True

    def __init__(self, messages: InboxMessages, links: UnsubscribeLinks) -> None:
        self._messages, self._links = messages, links

    async def send(self, message: RenderedMessage) -> ProviderAnswer:
        """Keep the message; the provider's id is its id in the inbox."""
        return ProviderAnswer(
            provider_id=await self._messages.put(
                message, marketing_link(self._links, message, self.name)
            )
        )

    async def look_up(self, key: str) -> ProviderAnswer | None:
        """Whether the message of this key is in an inbox."""
        known = await self._messages.id_of(key)
        return ProviderAnswer(provider_id=known) if known is not None else None

    async def close(self) -> None:
        """There is nothing to close: the database is the process's."""
