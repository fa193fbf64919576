"""Messages to a customer's own system: a signed POST, as Standard Webhooks says.

The receiver knows a repeated `webhook-id` and takes it once: https://www.standardwebhooks.com asks
that of it. Each address has a key of its own, so that no receiver can forge what another gets.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

import orjson

from activities.message_channel import (
    AddressGoneError,
    ProviderAnswer,
    RenderedMessage,
)
from channels.http_call import Find, look_up, signed_headers
from channels.provider_http import ANSWER_WITHIN, ProviderHttp
from channels.unsubscribe_link import UnsubscribeLinks, marketing_link
from contracts.delivery_mark import delivery_mark

KEY_WINDOW = timedelta(minutes=5)
"""For how long a receiver has to remember the ids it took: as long as it takes a signature for fresh."""

EVENT = "message"


class WebhookChannel:
    """Posts to the address in the trait `webhook_url`. `allowed`, `known`, `within`: as of `ProviderHttp`."""

    name = "webhook"
    provider = "webhook"
    key_window: timedelta | None = KEY_WINDOW
    looks_up = False

    def __init__(
        self,
        secret: bytes,
        links: UnsubscribeLinks,
        wall_clock: Callable[[], datetime],
        *,
        allowed: Collection[str] = (),
        known: Collection[str] = ("*",),
        find: Find = look_up,
        within: timedelta = ANSWER_WITHIN,
    ) -> None:
        self._secret, self._links, self._wall_clock = secret, links, wall_clock
        self._http = ProviderHttp(
            "the webhook", within=within, foreign=True, allowed=allowed, known=known, find=find
        )

    async def send(self, message: RenderedMessage) -> ProviderAnswer:
        """Post the message; the provider's id is its `webhook-id`, the same at every attempt.

        Raises: `AddressGoneError` (410), `ProviderRefusedError`, `ProviderBusyError`,
        `UnknownOutcomeError`.
        """
        content = orjson.dumps(self._event(message))
        secret = address_secret(self._secret, message.address)
        headers = signed_headers(secret, message.key, content, self._wall_clock())
        told = await self._http.post(message.address, message.key, content=content, headers=headers)
        if told.taken:
            return ProviderAnswer(provider_id=headers["webhook-id"])
        if told.status == 410:
            raise AddressGoneError("the webhook answered 410: it wants no more")
        raise self._http.failed(told, deduplicates=True)

    async def look_up(self, key: str) -> ProviderAnswer | None:
        """A webhook cannot be asked."""
        raise NotImplementedError(f"a webhook cannot say what became of {key}")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    def _event(self, message: RenderedMessage) -> dict[str, Any]:
        data: dict[str, Any] = {
            "delivery": delivery_mark(message.key),
            "customer": message.customer,
            "purpose": message.purpose,
            "subject": message.subject,
            "text": message.text,
            "html": message.html,
            "link": message.link,
            "locale": message.locale,
            "corrects": delivery_mark(message.corrects) if message.corrects else None,
            "unsubscribe": marketing_link(self._links, message, self.name),
        }
        given = {name: value for name, value in data.items() if value is not None}
        return {"type": EVENT, "timestamp": message.at.isoformat(), "data": given}


def address_secret(secret: bytes, url: str) -> bytes:
    """What messages to this address are signed with: made from the installation's secret."""
    return hmac.new(secret, url.strip().encode(), hashlib.sha256).digest()


def shown_secret(secret: bytes, url: str) -> str:
    """The same as the receiver puts it into its library: whsec_ and base64."""
    return f"whsec_{base64.b64encode(address_secret(secret, url)).decode()}"
