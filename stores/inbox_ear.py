"""Hearing that something came into an inbox: one connection a process, however many are looked at.

Only a hint: whoever looks at an inbox looks by themselves now and then, so that what is not heard
comes later. The connection must not go through PgBouncer.
"""

import asyncio
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager

from stores.listening import Listening

CHANNEL = "clew_inbox"


class InboxEar(Listening):
    """Hears of new messages, customer by customer: `async with InboxEar(url) as ear`."""

    def __init__(self, url: str) -> None:
        super().__init__(url, CHANNEL, "clew inbox", begun=self._everybody, told=self._tell)
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def of(self, customer: str) -> Generator[asyncio.Event]:
        """An event that is set when something came for this customer. Clear it before looking."""
        heard = asyncio.Event()
        self._waiting[customer].add(heard)
        try:
            yield heard
        finally:
            self._waiting[customer].discard(heard)
            if not self._waiting[customer]:
                del self._waiting[customer]

    @property
    def looked_at(self) -> int:
        """How many look at inboxes now."""
        return sum(map(len, self._waiting.values()))

    def _tell(self, customer: str) -> None:
        for heard in self._waiting.get(customer, ()):
            heard.set()

    def _everybody(self) -> None:
        for each in self._waiting.values():
            for heard in each:
                heard.set()
