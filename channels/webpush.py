"""Notifications in browsers: Web Push (RFC 8030), encrypted for the browser alone (RFC 8291).

A push service takes no key, so an attempt whose answer is lost stays unknown. `Topic` lets a
correction take the place of what it corrects while that still waits for the browser; on the screen
`tag` does, which goes along for the page's service worker.
"""

import base64
import hashlib
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

import orjson
from pywebpush import WebPusher, WebPushException

from activities.message_channel import (
    AddressGoneError,
    ProviderAnswer,
    ProviderRefusedError,
    RenderedMessage,
)
from channels.http_call import Find, look_up
from channels.known_hosts import PUSH_SERVICES
from channels.notification import goes_along, shown, tag
from channels.provider_http import ProviderHttp
from channels.unsubscribe_link import UnsubscribeLinks
from channels.vapid import VapidKey

GOOD_FOR = timedelta(days=1)
"""How long a push service keeps a notification for a browser that is closed."""


class WebPushChannel:
    """Notifications to the endpoints that browsers gave to web pages. `allowed`: as of `ProviderHttp`."""

    name = "webpush"
    provider = "webpush"
    key_window: timedelta | None = None
    looks_up = False

    def __init__(
        self,
        key: VapidKey,
        links: UnsubscribeLinks,
        wall_clock: Callable[[], datetime],
        *,
        allowed: Collection[str] = (),
        find: Find = look_up,
    ) -> None:
        self._key, self._links, self._wall_clock = key, links, wall_clock
        self._http = ProviderHttp(
            "the push service", foreign=True, allowed=allowed, known=PUSH_SERVICES, find=find
        )

    async def send(self, message: RenderedMessage) -> ProviderAnswer:
        """Hand the notification to the browser's push service; the id is made of the key.

        Raises: `AddressGoneError` where the subscription ended, `ProviderRefusedError`,
        `ProviderBusyError`, `UnknownOutcomeError`.
        """
        try:
            authorization = self._key.authorization(message.address, self._wall_clock())
        except ValueError as error:
            words = "is not the address of a push service"
            raise ProviderRefusedError(words, reason="unreachable") from error
        body = self._encrypted(message)
        told = await self._http.post(
            message.address,
            message.key,
            content=body,
            headers={
                "authorization": authorization,
                "content-encoding": "aes128gcm",
                "content-type": "application/octet-stream",
                "ttl": str(int(GOOD_FOR.total_seconds())),
                "urgency": "high" if message.purpose == "service" else "normal",
                "topic": tag(message),
            },
        )
        if told.taken:
            return ProviderAnswer(provider_id=_id(message.key))
        if told.status in (404, 410):
            raise AddressGoneError(f"the push service answered {told.status}: the browser left")
        if told.status == 403:
            # Made for another key of ours. The device is not forgotten: the key may be put right.
            words = "the push service answered 403: the subscription was made for another VAPID key"
            raise ProviderRefusedError(words, reason="unreachable")
        raise self._http.failed(told)

    async def look_up(self, key: str) -> ProviderAnswer | None:
        """A push service cannot be asked."""
        raise NotImplementedError(f"a push service cannot say what became of {key}")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    def _encrypted(self, message: RenderedMessage) -> bytes:
        title, text = shown(message)
        goes = {"title": title, "body": text, **goes_along(message, self.name, self._links)}
        return encrypted(orjson.dumps(goes), message.address, message.address_keys)


def _id(key: str) -> str:
    """Not the address that the service gives it: whoever knows that can take the message back."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def encrypted(content: bytes, endpoint: str, keys: dict[str, str]) -> bytes:
    """What only the browser with these keys can read. Raises: `ProviderRefusedError`."""
    try:
        pusher = WebPusher({"endpoint": endpoint, "keys": keys})
        sealed: Any = pusher.encode(content, "aes128gcm")
        return bytes(sealed["body"])
    except (WebPushException, ValueError, TypeError, LookupError) as error:
        words = "the keys of the subscription are not those of a browser"
        raise ProviderRefusedError(words, reason="unreachable") from error


def are_keys(keys: dict[str, str]) -> bool:
    """Whether these are the keys of a subscription: a point of P-256, and 16 bytes."""
    try:
        auth = base64.urlsafe_b64decode(keys.get("auth", "") + "==")
        encrypted(b"-", "https://push.example", keys)
    except (ProviderRefusedError, ValueError):
        return False
    return len(auth) == 16
