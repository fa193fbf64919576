"""Whether links lead somewhere: asked politely, many at once, never at a private address unless allowed."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import httpx2

from channels.http_call import Find, look_up
from channels.public_address import is_public

AT_ONCE = 8
WITHIN_SECONDS = 10.0
MOST_HOPS = 5

# Who does not answer HEAD, or answers it otherwise than a person's GET.
_ASK_AGAIN = frozenset({400, 403, 404, 405, 429, 500, 501, 503})
_AGENT = "Mozilla/5.0 (compatible; Clew link check)"


@dataclass(slots=True, frozen=True, kw_only=True)
class CheckedLink:
    """A link, and what came of asking for it. `moved`: it leads elsewhere, and that is there."""

    url: str
    state: Literal["there", "moved", "broken", "refused"]
    words: str = ""


class LinkCheck:
    """Asks for links. `allowed` are hosts that may have a private address."""

    def __init__(self, *, allowed: Collection[str] = (), find: Find = look_up) -> None:
        self._allowed, self._find = frozenset(allowed), find
        self._client = httpx2.AsyncClient(
            timeout=WITHIN_SECONDS,
            follow_redirects=False,
            limits=httpx2.Limits(max_keepalive_connections=0),
        )
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def check(self, urls: Sequence[str]) -> list[CheckedLink]:
        """What comes of each, in the order given."""
        return list(await asyncio.gather(*(self._checked(url) for url in urls)))

    async def _checked(self, url: str) -> CheckedLink:
        async with self._slots:
            try:
                async with asyncio.timeout(3 * WITHIN_SECONDS):
                    return await self._followed(url)
            except _PrivateError as error:
                return CheckedLink(url=url, state="refused", words=str(error))
            except TimeoutError:
                return CheckedLink(url=url, state="broken", words="no answer in time")
            except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
                words = str(error) or type(error).__name__
                return CheckedLink(url=url, state="broken", words=words)

    async def _followed(self, url: str) -> CheckedLink:
        here = httpx2.URL(url)
        for _ in range(MOST_HOPS):
            status, leads_to = await self._asked("HEAD", here)
            if status in _ASK_AGAIN:
                status, leads_to = await self._asked("GET", here)
            if 300 <= status < 400 and leads_to:
                here = here.join(leads_to)
                if here.scheme not in ("http", "https"):
                    return CheckedLink(url=url, state="broken", words=f"leads to {here}")
                continue
            if not 200 <= status < 300:
                return CheckedLink(url=url, state="broken", words=f"{here.host} answers {status}")
            if str(here) == str(httpx2.URL(url)):
                return CheckedLink(url=url, state="there")
            return CheckedLink(url=url, state="moved", words=f"leads to {here}")
        return CheckedLink(url=url, state="broken", words=f"leads on {MOST_HOPS} times and more")

    async def _asked(self, method: str, url: httpx2.URL) -> tuple[int, str]:
        """The status, and where it leads; the body is not read."""
        port = url.port or (443 if url.scheme == "https" else 80)
        addresses = await self._find(url.raw_host.decode(), port)
        private = [address for address in addresses if not is_public(address)]
        if private and url.host not in self._allowed:
            words = f"{url.host} is at the private address {private[0]}; --allow {url.host} asks all the same"
            raise _PrivateError(words)
        request = self._client.build_request(
            method,
            url.copy_with(host=addresses[0], fragment=None),
            headers={"host": url.netloc.decode(), "user-agent": _AGENT, "accept": "*/*"},
            extensions={"sni_hostname": url.raw_host.decode()},
        )
        response = await self._client.send(request, stream=True)
        await response.aclose()
        return response.status_code, response.headers.get("location", "")


class _PrivateError(Exception):
    """A host of our own network that nobody allowed."""
