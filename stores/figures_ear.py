"""Hearing that figures changed: one connection a process, however many pages show them.

Only a hint: a fold that is not heard shows with the next one. The connection must not go through PgBouncer.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable

from stores.journey_figures import CHANNEL
from stores.listening import Listening


class FiguresEar(Listening):
    """Counts what it hears: `async with FiguresEar(url) as ear`."""

    def __init__(self, url: str) -> None:
        super().__init__(
            url, CHANNEL, "clew figures", begun=lambda: self._tell(""), told=self._tell_each
        )
        self._of = Counter[str]()
        self._of_all = 0
        self._heard = asyncio.Event()

    def count(self, journey: str | None = None) -> int:
        """A number that grows whenever figures of a journey change, or of any."""
        return self._of_all if journey is None else self._of[journey] + self._of[""]

    def heard(self) -> Awaitable[object]:
        """Waits until something is heard that was not heard when it was asked for."""
        return self._heard.wait()

    def _tell_each(self, journeys: str) -> None:
        for journey in journeys.split("\n"):
            self._tell(journey)

    def _tell(self, journey: str) -> None:
        self._of[journey] += 1
        self._of_all += 1
        heard, self._heard = self._heard, asyncio.Event()
        heard.set()
