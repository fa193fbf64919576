"""Telling a program outside what happened to a case: a signed POST, as Standard Webhooks says."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

import orjson
from pydantic import JsonValue

from activities.message_channel import AddressGoneError
from channels.http_call import Find, look_up, signed_headers
from channels.provider_http import ANSWER_WITHIN, ProviderHttp


class CaseHookPost:
    """Posts to hooks. `allowed` are hosts that may have a private address, or speak http."""

    def __init__(
        self,
        wall_clock: Callable[[], datetime],
        *,
        allowed: Collection[str] = (),
        find: Find = look_up,
        within: timedelta = ANSWER_WITHIN,
    ) -> None:
        self._wall_clock = wall_clock
        self._http = ProviderHttp(
            "the hook", within=within, foreign=True, allowed=allowed, find=find
        )

    async def tell(self, url: str, secret: bytes, key: str, event: Mapping[str, JsonValue]) -> None:
        """Hand one event over; its `webhook-id` is made of the key, the same at every attempt.

        Raises: `AddressGoneError` (410), `ProviderRefusedError`, `ProviderBusyError`,
        `UnknownOutcomeError`.
        """
        content = orjson.dumps(dict(event))
        headers = signed_headers(secret, key, content, self._wall_clock())
        told = await self._http.post(url, key, content=content, headers=headers)
        if told.taken:
            return
        if told.status == 410:
            raise AddressGoneError("the hook answered 410: it wants no more")
        raise self._http.failed(told, deduplicates=True)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()
