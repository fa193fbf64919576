"""Talking to providers over HTTP: what their answers mean for one message.

Connections are kept. Nothing of an address or a text is logged, and none of it is in what is raised:
whoever maps an answer to words uses `without`.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, cast

import httpx2
import orjson
from opentelemetry import trace

from activities.message_channel import (
    ProviderBusyError,
    ProviderRefusedError,
    UnknownOutcomeError,
)
from activities.service_call import CallRefusedError, ServiceBusyError
from channels.http_call import Find, addresses_of, asked_pause, look_up
from channels.known_hosts import is_known

ANSWER_WITHIN = timedelta(seconds=9)
"""How long a provider may take, and before that `FOUND_WITHIN`: together less than a delivery allows its channel."""

FOUND_WITHIN = timedelta(seconds=4)
"""How long a name may take to be found, a connection to be made, or a token to be had. Until then nothing left."""

LARGEST_ANSWER = 256_000
_LONGEST_WORDS = 300
_NOTHING_LEFT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_tracer = trace.get_tracer("clew.channels")


@dataclass(slots=True, frozen=True, kw_only=True)
class Told:
    """What a provider answered. `retry_after` is what it asks for, if it asks."""

    status: int
    body: dict[str, Any] = field(default_factory=dict[str, Any])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    retry_after: timedelta | None = None

    @property
    def taken(self) -> bool:
        """Whether the provider has the message."""
        return 200 <= self.status < 300

    @property
    def judged(self) -> bool:
        """Whether the provider said something of the message itself: not that it is busy, or broken."""
        return self.status < 500 and self.status not in (408, 425, 429)


def _wall_clock() -> datetime:
    return datetime.now(UTC)


class ProviderHttp:
    """The way to one provider.

    `foreign`: addresses come from outside, so a host is looked up, checked and then called, and no
    connection is kept: one is kept by its address alone, and another name may be there. `allowed`
    are hosts that may then have a private address, `known` those that may be called beside them.
    """

    def __init__(
        self,
        provider: str,
        *,
        within: timedelta = ANSWER_WITHIN,
        wall_clock: Callable[[], datetime] = _wall_clock,
        foreign: bool = False,
        allowed: Collection[str] = (),
        known: Collection[str] = ("*",),
        find: Find = look_up,
        connections: int = 20,
    ) -> None:
        self._provider, self._within, self._wall_clock = provider, within, wall_clock
        self._foreign, self._find, self._known = foreign, find, tuple(known)
        self._allowed = frozenset(host.lower() for host in allowed)
        self._client = httpx2.AsyncClient(
            # Shorter while nothing has left, so that a slow network is not taken for a doubt.
            timeout=httpx2.Timeout(
                within.total_seconds(),
                connect=FOUND_WITHIN.total_seconds(),
                pool=FOUND_WITHIN.total_seconds(),
            ),
            follow_redirects=False,
            limits=httpx2.Limits(
                max_connections=connections,
                max_keepalive_connections=0 if foreign else connections,
                # One that the provider closes while it is idle costs a message its certainty.
                keepalive_expiry=4.0,
            ),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def post(
        self,
        url: str,
        key: str,
        *,
        content: bytes,
        headers: Mapping[str, str],
        auth: tuple[str, str] | None = None,
    ) -> Told:
        """Hand a message over.

        Raises: `ProviderBusyError` where it cannot be reached, `ProviderRefusedError` where the
        address must not be called, `UnknownOutcomeError` where it may have been taken.
        """
        with _tracer.start_as_current_span(
            f"{self._provider} send", attributes={"clew.delivery": key}
        ):
            return await self._asked("POST", url, content, headers, auth)

    async def change(
        self, method: str, url: str, *, content: bytes, headers: Mapping[str, str]
    ) -> Told:
        """Change what the provider has (PUT, PATCH): done twice it is as done once. Raises: as `ask`."""
        try:
            return await self._asked(method, url, content, headers, None)
        except UnknownOutcomeError as error:
            raise ProviderBusyError(str(error)) from error

    async def ask(self, url: str, *, headers: Mapping[str, str]) -> Told:
        """Ask for what the provider has (GET).

        Raises: `ProviderBusyError` where it cannot be asked now, `ProviderRefusedError` where the
        address must not be called.
        """
        try:
            return await self._asked("GET", url, b"", headers, None)
        except UnknownOutcomeError as error:
            raise ProviderBusyError(str(error)) from error

    async def _asked(
        self,
        method: str,
        url: str,
        content: bytes,
        headers: Mapping[str, str],
        auth: tuple[str, str] | None,
    ) -> Told:
        targets, named = await self._found(url)
        try:
            async with asyncio.timeout(self._within.total_seconds()):
                return await self._call(method, targets, content, {**headers, **named}, auth)
        except _NOTHING_LEFT as error:
            raise ProviderBusyError(f"no connection to {self._provider}") from error
        except (httpx2.HTTPError, TimeoutError) as error:
            raise self.no_answer(error) from error

    async def _call(
        self,
        method: str,
        targets: list[httpx2.URL],
        content: bytes,
        headers: Mapping[str, str],
        auth: tuple[str, str] | None,
    ) -> Told:
        basic = httpx2.BasicAuth(*auth) if auth else None
        host = headers.get("host")
        for last, target in enumerate(targets, 1):
            request = self._client.build_request(
                method,
                target,
                content=content,
                headers={"user-agent": "Clew", "accept-encoding": "identity", **headers},
                extensions={"sni_hostname": httpx2.URL(f"//{host}").raw_host.decode()}
                if host
                else {},
            )
            try:
                response = await self._client.send(request, stream=True, auth=basic)
            except httpx2.ConnectError:
                if last == len(targets):
                    raise
                continue
            try:
                return await self._told(response)
            finally:
                await response.aclose()
        raise ProviderBusyError(f"{self._provider} has no address")

    async def _found(self, url: str) -> tuple[list[httpx2.URL], dict[str, str]]:
        try:
            async with asyncio.timeout(FOUND_WITHIN.total_seconds()):
                return await self._targets(url)
        except TimeoutError as error:
            raise ProviderBusyError(f"{self._provider} is not found in time") from error

    async def _targets(self, url: str) -> tuple[list[httpx2.URL], dict[str, str]]:
        """Where to call, the best first, and the host to name there where it is not that of the URL."""
        try:
            asked = httpx2.URL(url)
        except httpx2.InvalidURL as error:
            raise ProviderRefusedError(
                "is not the address of a web service", reason="unreachable"
            ) from error
        if not self._foreign:
            return [asked], {}
        if asked.scheme != "https" and asked.host not in self._allowed:
            raise ProviderRefusedError(
                "the address does not begin with https://", reason="unreachable"
            )
        try:
            addresses = await addresses_of(asked, self._find, self._allowed)
        except CallRefusedError as error:
            raise ProviderRefusedError(str(error), reason="unreachable") from error
        except ServiceBusyError as error:
            raise ProviderBusyError(str(error)) from error
        if asked.host not in self._allowed and not is_known(asked.host, self._known):
            raise ProviderRefusedError(
                f"{self._provider} would be at a host that no list names", reason="unreachable"
            )
        named = {"host": asked.netloc.decode()}
        return [asked.copy_with(host=address) for address in addresses], named

    async def _told(self, response: httpx2.Response) -> Told:
        said = bytearray()
        async for part in response.aiter_raw():
            said += part
            if len(said) > LARGEST_ANSWER:
                break
        try:
            body: Any = orjson.loads(bytes(said)) if said else {}
        except orjson.JSONDecodeError:
            body = {}
        return Told(
            status=response.status_code,
            body=cast("dict[str, Any]", body) if isinstance(body, dict) else {},
            headers=response.headers,
            retry_after=asked_pause(response.headers.get("retry-after", ""), self._wall_clock()),
        )

    def no_answer(self, error: Exception) -> UnknownOutcomeError:
        """The message was handed over, and what became of it was not told."""
        return UnknownOutcomeError(f"no answer from {self._provider}: {type(error).__name__}")

    def failed(
        self, told: Told, *, deduplicates: bool = False, away_takes_nothing: bool = False
    ) -> Exception:
        """What an answer without a meaning of its own means.

        `deduplicates`: a repeated key is sent once there, so that trying again is safe.
        `away_takes_nothing`: the provider documents its 503 as one that took nothing.
        """
        words = f"{self._provider} answered {told.status}"
        if told.status == 429:
            return ProviderBusyError(words, retry_after=told.retry_after)
        if told.status in (401, 403):
            return ProviderBusyError(f"{words}: it does not take our credentials; mend them")
        if told.status in (408, 425):
            return ProviderBusyError(words, retry_after=told.retry_after)
        if told.status >= 500:
            if deduplicates or (away_takes_nothing and told.status == 503):
                return ProviderBusyError(words, retry_after=told.retry_after)
            return UnknownOutcomeError(f"{words}, and may have sent it")
        if told.status < 400:
            return ProviderRefusedError(f"{words}: redirects are not followed")
        return ProviderRefusedError(words)


def without(words: str, *private: str) -> str:
    """A provider's words without the address or anything else that is the customer's."""
    for each in sorted(filter(None, private), key=len, reverse=True):
        words = words.replace(each, "…")
    return " ".join(words.split())[:_LONGEST_WORDS]
