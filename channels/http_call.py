"""Calls to services outside, over HTTP: signed, bounded, and never to a private address unless allowed."""

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import socket
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx2
import orjson
from pydantic import JsonValue

from activities.service_call import CallRefusedError, Response, ServiceBusyError

LARGEST_ANSWER = 256_000
"""Bytes that are read of an answer; a larger one is refused."""

ANSWER_WITHIN = 15.0
LONGEST_PAUSE = timedelta(minutes=5)

_BUSY = frozenset({408, 425, 429})


class HttpCaller:
    """Calls with a body signed as Standard Webhooks says (https://www.standardwebhooks.com).

    `secret` signs; `allowed` are hosts that may have a private address. Addresses are looked up, checked
    and then called, so that a name cannot lead elsewhere meanwhile. Redirects are not followed.
    """

    def __init__(
        self,
        secret: bytes,
        wall_clock: Callable[[], datetime],
        *,
        allowed: Collection[str] = (),
        client: httpx2.AsyncClient | None = None,
    ) -> None:
        self._secret, self._wall_clock = secret, wall_clock
        self._allowed = frozenset(host.lower() for host in allowed)
        self._client = client or httpx2.AsyncClient(timeout=ANSWER_WITHIN, follow_redirects=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def call(
        self,
        key: str,
        method: str,
        url: str,
        query: Mapping[str, JsonValue],
        body: Mapping[str, JsonValue],
    ) -> Response:
        """Call. Raises: `CallRefusedError`, `ServiceBusyError`, `httpx2.HTTPError`."""
        content = b"" if method == "GET" else orjson.dumps(dict(body))
        parts = urlsplit(url)
        host = parts.hostname or ""
        address = await self._address(host, parts.port or (443 if parts.scheme == "https" else 80))
        plain = httpx2.URL(url).copy_merge_params(
            {name: _as_text(value) for name, value in query.items()}
        )
        request = self._client.build_request(
            method,
            plain.copy_with(host=address),
            content=content,
            headers={"host": parts.netloc, **self._headers(key, content)},
            extensions={"sni_hostname": host},
        )
        response = await self._client.send(request, stream=True)
        try:
            said = await _limited(response, host)
        finally:
            await response.aclose()
        return _judged(response, said, host)

    def _headers(self, key: str, content: bytes) -> dict[str, str]:
        call = hashlib.sha256(key.encode()).hexdigest()[:32]
        at = str(int(self._wall_clock().timestamp()))
        signed = b".".join((call.encode(), at.encode(), content))
        signature = base64.b64encode(hmac.new(self._secret, signed, hashlib.sha256).digest())
        return {
            "content-type": "application/json",
            "user-agent": "Clew",
            "idempotency-key": call,
            "webhook-id": call,
            "webhook-timestamp": at,
            "webhook-signature": f"v1,{signature.decode()}",
        }

    async def _address(self, host: str, port: int) -> str:
        try:
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise ServiceBusyError(f"{host} cannot be found: {error}") from error
        addresses = [str(each[4][0]) for each in found]
        if host.lower() in self._allowed:
            return addresses[0]
        private = [each for each in addresses if not ipaddress.ip_address(each).is_global]
        if private:
            raise CallRefusedError(
                f"{host} is at the private address {private[0]}: add it to CLEW_CALLS_ALLOWED to call it"
            )
        return addresses[0]


async def _limited(response: httpx2.Response, host: str) -> bytes:
    said = b""
    async for part in response.aiter_bytes():
        said += part
        if len(said) > LARGEST_ANSWER:
            raise CallRefusedError(f"{host} answered with more than {LARGEST_ANSWER:,} bytes")
    return said


def _judged(response: httpx2.Response, said: bytes, host: str) -> Response:
    status = response.status_code
    if status in _BUSY or status >= 500:
        raise ServiceBusyError(f"{host} answered {status}", _pause(response))
    if not 200 <= status < 300:
        raise CallRefusedError(f"{host} answered {status}")
    try:
        return Response(status=status, body=orjson.loads(said) if said else None)
    except orjson.JSONDecodeError:
        return Response(status=status)


def _pause(response: httpx2.Response) -> timedelta | None:
    told = response.headers.get("retry-after", "")
    return min(timedelta(seconds=int(told)), LONGEST_PAUSE) if told.isdecimal() else None


def _as_text(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
