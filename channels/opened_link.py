"""What a link opened: one page in one browser, for a while.

A link is good for long and comes once, in the body of a form. What goes to and fro after that is this: good for
an hour where it shows what we know of somebody, and of no use for any other page.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from channels.signed_link import InvalidLinkError, SignedLinks

UNUSED: Mapping[str, timedelta] = {
    "d": timedelta(hours=1),
    "w": timedelta(hours=1),
    "p": timedelta(days=1),
    "s": timedelta(days=1),
    "t": timedelta(days=1),
}
"""Path → after how long unused it is closed. Who writes to us is not to lose the words they were looking for."""

LONGEST = timedelta(days=1)
"""After that it is closed however much it is used."""

_NAME_BYTES = 12


class ClosedLinkError(InvalidLinkError):
    """Nothing was opened in this browser, or it was closed meanwhile: the link opens it again."""


@dataclass(slots=True, frozen=True, kw_only=True)
class OpenedLink:
    """An opened page. `name`: what it is called in its address, which opens nothing; `parts`: what the link signed."""

    path: str
    name: str
    parts: Sequence[str]
    opened_at: datetime


class OpenedLinks:
    """Makes and reads what is kept in the browser. `wall_clock` says when it is closed."""

    def __init__(self, base_url: str, secret: bytes, wall_clock: Callable[[], datetime]) -> None:
        self.https = base_url.startswith("https://")
        self._signed = {
            path: SignedLinks(base_url, secret, kind=f"opened {path}", path=path) for path in UNUSED
        }
        self._now = wall_clock

    def open(self, path: str, token: str, parts: Sequence[str]) -> OpenedLink:
        """What the link with this token opens."""
        return OpenedLink(path=path, name=page_name(token), parts=parts, opened_at=self._now())

    def kept(self, opened: OpenedLink) -> str:
        """What the browser keeps: used just now."""
        times = (str(int(each.timestamp())) for each in (opened.opened_at, self._now()))
        return self._signed[opened.path].token(opened.name, *times, *opened.parts)

    def read(self, path: str, name: str, kept: str) -> OpenedLink:
        """What a browser kept of this page. Raises: `ClosedLinkError`."""
        if path not in self._signed:
            raise ClosedLinkError("there are no such pages")
        try:
            parts = self._signed[path].read(kept)
        except InvalidLinkError as error:
            raise ClosedLinkError(str(error)) from None
        if parts[0] != name:
            raise ClosedLinkError("this opened another page")
        opened_at, used_at = (datetime.fromtimestamp(int(each), UTC) for each in parts[1:3])
        now = self._now()
        if now - used_at >= UNUSED[path] or now - opened_at >= LONGEST:
            raise ClosedLinkError("this page was closed")
        return OpenedLink(path=path, name=name, parts=parts[3:], opened_at=opened_at)


def page_name(token: str) -> str:
    """What the page of a link is called: always the same, and nobody finds the link by it."""
    digest = hashlib.sha256(token.encode()).digest()[:_NAME_BYTES]
    return base64.urlsafe_b64encode(digest).decode()
