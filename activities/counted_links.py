"""Links of a message that lead over us, so that a click is counted."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape, unescape
from typing import Protocol

from activities.message_text import MessageInWords

MOST_LINKS = 100
"""Links of one message that are counted; others stay as they are."""

LONGEST_ADDRESS = 4_000

_IN_TEXT = re.compile(r"https?://[^\s<>\"']*(?<![.,;:!?)\]])")
_IN_MARKUP = re.compile(
    r"(<a\b[^>]*?\bhref\s*=\s*)(\"https?://[^\"]*\"|'https?://[^']*')", re.IGNORECASE
)


@dataclass(slots=True, frozen=True, kw_only=True)
class CountedLink:
    """A link of a delivery. `token` leads to it; the same delivery and address have the same."""

    token: str
    delivery: str
    customer: str
    url: str


class LinkTokens(Protocol):
    """Makes the addresses that lead over us."""

    def token(self, delivery: str, url: str) -> str:
        """What nobody can guess, and a second attempt makes again."""
        ...

    def address(self, token: str) -> str:
        """What stands in the message."""
        ...

    def ours(self, url: str) -> bool:
        """Whether an address is one of our own pages: those are signed, and never counted."""
        ...


class CountedLinkStore(Protocol):
    """Where links are kept."""

    async def keep(self, links: Sequence[CountedLink]) -> None:
        """Keep them; those that are kept already stay as they are."""
        ...


@dataclass(slots=True, frozen=True, kw_only=True)
class CountedLinks:
    """Puts addresses over us in place of those in a message."""

    tokens: LinkTokens
    kept: CountedLinkStore

    async def counted(self, words: MessageInWords, delivery: str, customer: str) -> MessageInWords:
        """The message with its links leading over us; they are kept before it may leave."""
        links = {
            url: CountedLink(
                token=self.tokens.token(delivery, url),
                delivery=delivery,
                customer=customer,
                url=url,
            )
            for url in self._addresses(words)
        }
        if not links:
            return words
        await self.kept.keep(list(links.values()))
        short = {url: self.tokens.address(link.token) for url, link in links.items()}
        return replace(
            words,
            text=_IN_TEXT.sub(lambda found: short.get(found.group(), found.group()), words.text),
            html=None if words.html is None else _in_markup(words.html, short),
        )

    def _addresses(self, words: MessageInWords) -> list[str]:
        found = _IN_TEXT.findall(words.text)
        found += [_address(each) for _, each in _IN_MARKUP.findall(words.html or "")]
        wanted = [
            url
            for url in dict.fromkeys(found)
            if len(url) <= LONGEST_ADDRESS and not self.tokens.ours(url)
        ]
        return wanted[:MOST_LINKS]


def _in_markup(html: str, short: Mapping[str, str]) -> str:
    def put(found: re.Match[str]) -> str:
        url = short.get(_address(found.group(2)))
        return found.group() if url is None else f'{found.group(1)}"{escape(url)}"'

    return _IN_MARKUP.sub(put, html)


def _address(quoted: str) -> str:
    return unescape(quoted[1:-1])
