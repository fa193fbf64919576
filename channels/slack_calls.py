"""What we ask of Slack beside messages to customers: by name of its method, with the app's own token.

Source: https://docs.slack.dev/apis/web-api.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import orjson

from activities.message_channel import ProviderBusyError
from channels.provider_http import ProviderHttp
from channels.slack import API, failure


class SlackError(Exception):
    """Slack answered with an error of its own; `error` is its word for it."""

    def __init__(self, error: str, failure: Exception) -> None:
        super().__init__(str(failure))
        self.error, self.failure = error, failure


class SlackCalls:
    """Methods of Slack's API. Raises of all: `SlackError`, `ProviderBusyError`, `UnknownOutcomeError`."""

    def __init__(self, token: str, *, api: str = API, http: ProviderHttp | None = None) -> None:
        self._token, self._api = token, api.rstrip("/")
        self._http = http or ProviderHttp("Slack")

    async def do(self, method: str, body: Mapping[str, Any], key: str = "") -> dict[str, Any]:
        """Have a method done; what Slack answered."""
        told = await self._http.post(
            f"{self._api}/{method}",
            key or method,
            content=orjson.dumps(dict(body)),
            headers={"content-type": "application/json; charset=utf-8", **self._proof()},
        )
        if not told.taken:
            raise self._http.failed(told)
        if told.body.get("ok") is not True:
            raise SlackError(str(told.body.get("error", "")), failure(told))
        return told.body

    async def look(self, method: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Read something; what Slack answered. Nothing is changed by it."""
        url = f"{self._api}/{method}?{urlencode(query)}"
        told = await self._http.ask(url, headers=self._proof())
        if not told.taken:
            raise ProviderBusyError(f"Slack answered {told.status}", retry_after=told.retry_after)
        if told.body.get("ok") is not True:
            raise SlackError(str(told.body.get("error", "")), failure(told))
        return told.body

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    def _proof(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._token}"}
