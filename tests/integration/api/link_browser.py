"""A browser that does with the link of a message what our script does: the end of it goes in a form's body."""

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2 as httpx

_BEHIND = re.compile(r"([^/?]*)(/[^?]*)?(\?.*)?", re.DOTALL)


class LinkBrowser(httpx.AsyncClient):
    """Opens a link before it asks for its page; what is written behind the link is asked of the page.

    Where the link opens nothing, the answer is what was said to that. A link of a path alone is asked for as it is.
    """

    async def request(self, method: str, url: httpx.URL | str, **kwargs: Any) -> httpx.Response:
        """The answer of the page that the link leads to."""
        address, sharp, told = f"{url}".partition("#")
        if not sharp or urlsplit(address).path.startswith("/u/"):
            return await super().request(method, address, **kwargs)
        found = _BEHIND.fullmatch(told)
        assert found is not None
        token, below, query = found[1], found[2] or "", found[3] or ""
        opened = await super().request("POST", address, data={"link": f"{token}{query}"})
        if opened.status_code != 303:
            return opened
        page = urljoin(address, opened.headers["location"].partition("?")[0])
        return await super().request(method, f"{page}{below}{query}", **kwargs)


async def opened(browser: httpx.AsyncClient, link: str) -> str:
    """The path of the page that a link opens in this browser."""
    address, _, told = link.partition("#")
    answer = await browser.post(address, data={"link": told})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


def token_of(link: str) -> str:
    """What no browser sends in an address."""
    return link.partition("#")[2]
