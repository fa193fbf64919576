"""The access token that FCM asks for: made from a service account, renewed before it ends."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx2
from google.auth import exceptions, transport
from google.oauth2 import service_account

from activities.message_channel import ProviderBusyError
from channels.provider_http import FOUND_WITHIN

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_WITHIN_SECONDS = FOUND_WITHIN.total_seconds()


class FcmAccess:
    """One service account. `info` is its JSON file, as the Firebase console gives it."""

    def __init__(self, info: Mapping[str, Any], *, token_url: str | None = None) -> None:
        """Raises: `ValueError` where the file is not a service account's."""
        told = dict(info) | ({"token_uri": token_url} if token_url else {})
        self._credentials: Any = service_account.Credentials.from_service_account_info(
            told, scopes=[SCOPE]
        )
        self._renewing = asyncio.Lock()

    async def token(self) -> str:
        """A token that holds for some minutes more. Raises: `ProviderBusyError`."""
        try:
            # It tries again by itself for longer than a delivery may take; nothing has left yet.
            async with asyncio.timeout(FOUND_WITHIN.total_seconds()), self._renewing:
                if not self._credentials.valid:
                    # google-auth is synchronous: its call must not hold up every other delivery.
                    await asyncio.to_thread(self._credentials.refresh, _Transport())
                return str(self._credentials.token)
        except (exceptions.GoogleAuthError, TimeoutError) as error:
            words = f"Google gives no access token: {type(error).__name__}"
            raise ProviderBusyError(words) from error

    def forget(self, token: str) -> None:
        """FCM does not take this token: the next message asks for another."""
        if self._credentials.token == token:
            self._credentials.token = None


class _Transport(transport.Request):
    """What google-auth calls with: our HTTP library, so that nothing else is loaded for one call."""

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> transport.Response:
        try:
            answer = httpx2.request(
                method, url, content=body, headers=dict(headers or {}), timeout=_WITHIN_SECONDS
            )
        except httpx2.HTTPError as error:
            raise exceptions.TransportError(type(error).__name__) from error
        return _Answer(answer)


class _Answer(transport.Response):
    def __init__(self, answer: httpx2.Response) -> None:
        self._answer = answer

    @property
    def status(self) -> int:
        return self._answer.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self._answer.headers

    @property
    def data(self) -> bytes:
        return self._answer.content
