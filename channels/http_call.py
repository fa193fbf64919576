"""Calls to services outside, over HTTP: signed, bounded, and never to a private address unless allowed."""

import asyncio
import base64
import hashlib
import hmac
import socket
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2
import orjson
from pydantic import JsonValue

from activities.service_call import CallRefusedError, Response, ServiceBusyError
from channels.public_address import is_public

LARGEST_ANSWER = 256_000
"""Bytes that are read of an answer; a larger one is refused."""

ANSWER_WITHIN = timedelta(seconds=15)
"""How long a call may take in all, from looking the name up to the last byte of the answer."""

LONGEST_PAUSE = timedelta(minutes=5)

_BUSY = frozenset({408, 425, 429})

Find = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host at a port, the best first. Raises: `OSError` where there are none."""


async def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses of a host as this machine finds them. Raises: `OSError`."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class HttpCaller:
    """Calls with a body signed as Standard Webhooks says (https://www.standardwebhooks.com).

    `secret` signs; `allowed` are hosts that may have a private address. Addresses are looked up, checked
    and then called, so that a name cannot lead elsewhere meanwhile. Redirects are not followed, cookies
    are not kept, and every call has a connection of its own: none learns of another.
    """

    def __init__(
        self,
        secret: bytes,
        wall_clock: Callable[[], datetime],
        *,
        allowed: Collection[str] = (),
        find: Find = look_up,
        within: timedelta = ANSWER_WITHIN,
    ) -> None:
        self._secret, self._wall_clock, self._find = secret, wall_clock, find
        self._allowed = frozenset(host.lower() for host in allowed)
        self._within = within.total_seconds()
        # A connection is kept by its address alone: another name at that address, which has another
        # certificate, would be called over it.
        self._client = httpx2.AsyncClient(
            timeout=self._within,
            follow_redirects=False,
            limits=httpx2.Limits(max_keepalive_connections=0),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

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
        """Call. Raises: `CallRefusedError`, `ServiceBusyError`."""
        content = b"" if method == "GET" else orjson.dumps(dict(body))
        try:
            target = httpx2.URL(url).copy_merge_params(
                {name: _as_text(value) for name, value in query.items()}
            )
        except httpx2.InvalidURL as error:
            raise CallRefusedError(f"the address cannot be called: {error}") from error
        if target.scheme not in ("http", "https"):
            raise CallRefusedError(
                f"the address cannot be called: it begins with neither https:// nor http://: {url[:80]!r}"
            )
        try:
            async with asyncio.timeout(self._within):
                return await self._answer(key, method, target, content)
        except TimeoutError:
            words = f"{target.host} did not answer within {self._within:g} seconds"
            raise ServiceBusyError(words) from None
        except httpx2.HTTPError as error:
            words = str(error) or type(error).__name__
            raise ServiceBusyError(f"{target.host} cannot be reached: {words}") from error

    async def _answer(self, key: str, method: str, target: httpx2.URL, content: bytes) -> Response:
        addresses = await addresses_of(target, self._find, self._allowed)
        if target.scheme == "http" and target.host not in self._allowed:
            words = f"{target.host} would be called in the clear: write https://, or"
            raise CallRefusedError(f"{words} add it to CLEW_CALLS_ALLOWED")
        for last, address in enumerate(addresses, 1):
            request = self._client.build_request(
                method,
                target.copy_with(host=address),
                content=content,
                headers={
                    "host": target.netloc.decode(),
                    **signed_headers(self._secret, key, content, self._wall_clock()),
                },
                extensions={"sni_hostname": target.raw_host.decode()},
            )
            try:
                response = await self._client.send(request, stream=True)
            except httpx2.ConnectError:
                if last == len(addresses):
                    raise
                continue
            try:
                self._judge(response, target.host)
                return await _read(response, target.host)
            finally:
                await response.aclose()
        raise ServiceBusyError(f"{target.host} has no address")

    def _judge(self, response: httpx2.Response, host: str) -> None:
        """Raises: `ServiceBusyError` or `CallRefusedError` for what is no success, whatever else it says."""
        status = response.status_code
        if status in _BUSY or status >= 500:
            told = response.headers.get("retry-after", "")
            raise ServiceBusyError(
                f"{host} answered {status}", asked_pause(told, self._wall_clock())
            )
        if 300 <= status < 400:
            words = f"{host} answered {status}: redirects are not followed; name where it leads"
            raise CallRefusedError(words)
        if not 200 <= status < 300:
            raise CallRefusedError(f"{host} answered {status}")


def signed_headers(secret: bytes, key: str, content: bytes, at: datetime) -> dict[str, str]:
    """The headers of a call of which the receiver can tell that it is ours, and which one it is."""
    call = hashlib.sha256(key.encode()).hexdigest()[:32]
    seconds = str(int(at.timestamp()))
    return {
        # What is packed may be a thousand times larger than what is read of it.
        "accept-encoding": "identity",
        "content-type": "application/json",
        "user-agent": "Clew",
        "idempotency-key": call,
        "webhook-id": call,
        "webhook-timestamp": seconds,
        "webhook-signature": signature(secret, call, seconds, content),
    }


def signature(secret: bytes, call: str, seconds: str, content: bytes) -> str:
    """How Standard Webhooks signs: the id of a call, its time and its body."""
    signed = b".".join((call.encode(), seconds.encode(), content))
    digest = hmac.new(secret, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


async def addresses_of(target: httpx2.URL, find: Find, allowed: Collection[str]) -> Sequence[str]:
    """Where a host is.

    Raises: `CallRefusedError` where any of it is private and the host not among `allowed`,
    `ServiceBusyError` where it is not found.
    """
    port = target.port or (443 if target.scheme == "https" else 80)
    try:
        addresses = await find(target.raw_host.decode(), port)
    except UnicodeError as error:
        raise CallRefusedError(f"{target.host} is not the name of a host: {error}") from error
    except OSError as error:
        raise ServiceBusyError(f"{target.host} cannot be found: {error}") from error
    private = [address for address in addresses if not is_public(address)]
    if private and target.host not in allowed:
        raise CallRefusedError(
            f"{target.host} is at the private address {private[0]}:"
            " add it to CLEW_CALLS_ALLOWED to call it"
        )
    return addresses


async def _read(response: httpx2.Response, host: str) -> Response:
    packed = response.headers.get("content-encoding", "identity")
    if packed.lower() != "identity":
        raise CallRefusedError(f"{host} answered in {packed[:40]}, which it was not asked to")
    said = bytearray()
    async for part in response.aiter_raw():
        said += part
        if len(said) > LARGEST_ANSWER:
            raise CallRefusedError(f"{host} answered with more than {LARGEST_ANSWER:,} bytes")
    try:
        return Response(
            status=response.status_code, body=orjson.loads(bytes(said)) if said else None
        )
    except orjson.JSONDecodeError:
        return Response(status=response.status_code)


def asked_pause(told: str, now: datetime) -> timedelta | None:
    """How long a service asks us to wait: so many seconds, or until an instant (RFC 9110, 10.2.3)."""
    if told.isdecimal():
        return min(timedelta(seconds=int(told[:9])), LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(told)
    except ValueError:
        return None
    pause = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return min(pause, LONGEST_PAUSE) if pause > timedelta() else None


def _as_text(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
