"""Links to the pages that belong to a customer, or to one of their runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from channels.signed_link import InvalidLinkError, SignedLinks

__all__ = ["CustomerLinks", "ExpiredLinkError", "InvalidLinkError", "PageKind", "PageLink"]

PageKind = Literal["preferences", "data", "status", "person"]

PATHS: dict[PageKind, str] = {"preferences": "p", "data": "d", "status": "w", "person": "t"}
"""Where each page is; `s` and `u` are those of surveys and of unsubscribing."""

VALID_DAYS: dict[PageKind, int] = {"data": 180, "status": 180}
"""Pages that show what we know of somebody end: old mails are forwarded, and mailboxes change hands.
By the others one can only say no, or write to us, and that must work from the oldest mail."""

_DAY_ZERO = datetime(1970, 1, 1, tzinfo=UTC)


def page_links(kind: PageKind, base_url: str, secret: bytes) -> SignedLinks:
    """Makes and reads the links of one kind of page, whoever it is of."""
    return SignedLinks(base_url, secret, kind=f"page {kind}", path=PATHS[kind])


class ExpiredLinkError(InvalidLinkError):
    """A link that was good once; a newer message has a new one."""


@dataclass(slots=True, frozen=True, kw_only=True)
class PageLink:
    """Whose page it is, and about which run, where it is about one."""

    customer: str
    entry: int | None = None


class CustomerLinks:
    """Makes and reads the links of one installation. `wall_clock` says from when on they count."""

    def __init__(self, base_url: str, secret: bytes, wall_clock: Callable[[], datetime]) -> None:
        self._kinds = {kind: page_links(kind, base_url, secret) for kind in PATHS}
        self._now = wall_clock

    def url(self, kind: PageKind, customer: str, entry: int | None = None) -> str:
        """The whole link, to put in a message."""
        return self._kinds[kind].url(*self._parts(kind, customer, entry))

    def token(self, kind: PageKind, customer: str, entry: int | None = None) -> str:
        """The signed part of the link: what one of our pages sends to open another."""
        return self._kinds[kind].token(*self._parts(kind, customer, entry))

    def links(self, customer: str, entry: int) -> dict[str, str]:
        """What a message may name as `NAME.link`."""
        return {
            "preferences": self.url("preferences", customer),
            "hold": self.url("data", customer),
            "status": self.url("status", customer, entry),
            "person": self.url("person", customer, entry),
        }

    def read(self, kind: PageKind, token: str) -> PageLink:
        """What a token stands for. Raises: `ExpiredLinkError`, `InvalidLinkError`."""
        return self.of(kind, self._kinds[kind].read(token))

    def parts(self, kind: PageKind, token: str) -> list[str]:
        """What was signed, where it still opens the page. Raises: `ExpiredLinkError`, `InvalidLinkError`."""
        parts = self._kinds[kind].read(token)
        self.of(kind, parts)
        return parts

    def of(self, kind: PageKind, parts: Sequence[str]) -> PageLink:
        """What the parts of a token stand for. Raises: `ExpiredLinkError`, `InvalidLinkError`."""
        if len(parts) != 3 or not (parts[1] + parts[2]).isdecimal():
            raise InvalidLinkError("this link is not complete")
        customer, entry, until = parts
        if VALID_DAYS.get(kind) and int(until) < self._today():
            raise ExpiredLinkError("this link has expired")
        return PageLink(customer=customer, entry=int(entry) or None)

    def _parts(self, kind: PageKind, customer: str, entry: int | None) -> tuple[str, str, str]:
        # Whole days: a message that is made again on the same day has the same link.
        days = VALID_DAYS.get(kind)
        return customer, str(entry or 0), str(self._today() + days if days else 0)

    def _today(self) -> int:
        return (self._now() - _DAY_ZERO) // timedelta(days=1)
