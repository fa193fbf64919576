"""One call to a provider's HTTP API, told apart: nothing left, it answered, or nobody can tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx2
import orjson

from activities.message_channel import ProviderBusyError, UnknownOutcomeError

ANSWER_WITHIN = timedelta(seconds=12)
"""How long a provider may take: less than a delivery may (`activities.message_delivery`)."""

LONGEST_PAUSE = timedelta(minutes=5)

_NOT_LEFT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_NOBODY_KNOWS = frozenset({500, 502, 504})


@dataclass(slots=True, frozen=True, kw_only=True)
class ProviderResponse:
    """What a provider answered; names of headers in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> object:
        """The body, where it is JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None


class ProviderCaller:
    """Calls one provider over a few kept connections."""

    def __init__(
        self, *, connections: int = 20, within: timedelta = ANSWER_WITHIN, name: str
    ) -> None:
        self._name = name
        self._client = httpx2.AsyncClient(
            timeout=httpx2.Timeout(within.total_seconds(), connect=5.0),
            follow_redirects=False,
            # A connection that the provider closes while it is idle costs a message its certainty.
            limits=httpx2.Limits(max_connections=connections, keepalive_expiry=4.0),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes = b"",
    ) -> ProviderResponse:
        """Call, and give back what is an answer to the message itself.

        Raises: `ProviderBusyError` where nothing left (no connection, 429, 503), `UnknownOutcomeError`
        where the request went out and no answer came, or one that does not say whether it was taken.
        """
        try:
            response = await self._client.request(
                method, url, headers=dict(headers), content=content
            )
        except _NOT_LEFT as error:
            words = f"no connection to {urlsplit(url).hostname}: {_words(error)}"
            raise ProviderBusyError(words) from error
        except httpx2.HTTPError as error:
            words = f"no answer after {self._name} was given the message: {_words(error)}"
            raise UnknownOutcomeError(words) from error
        if response.status_code in (429, 503):
            raise ProviderBusyError(
                f"{self._name} answered {response.status_code}: {_beginning(response.text)}",
                retry_after=pause(response.headers.get("retry-after", "")),
            )
        if response.status_code in _NOBODY_KNOWS:
            raise UnknownOutcomeError(f"{self._name} answered {response.status_code}")
        lowered = {name.lower(): value for name, value in response.headers.items()}
        return ProviderResponse(status=response.status_code, headers=lowered, body=response.content)


def pause(told: str) -> timedelta | None:
    """How long a provider asks us to wait: so many seconds, or until an instant (RFC 9110, 10.2.3)."""
    if told.isdecimal():
        return min(timedelta(seconds=int(told[:9])), LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(told)
    except ValueError:
        return None
    left = (until if until.tzinfo else until.replace(tzinfo=UTC)) - datetime.now(UTC)
    return min(left, LONGEST_PAUSE) if left > timedelta() else None


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


def _beginning(text: str) -> str:
    return " ".join(text.split())[:300]
