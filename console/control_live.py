"""Pages that go on as figures change: what they show is read once for all who look, and not once for each."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol, TypeVar

from starlette.responses import Response

from console.event_stream import CHANGED, HERE, QUIET, streaming, too_many
from console.inbox_door import Visit

Shown = TypeVar("Shown")

KEPT_SECONDS = 10.0
"""What hangs on the time of day, and on no figure, is read again after so long."""

MOST_KEPT = 200


class Changes(Protocol):
    """Hears that figures changed; `stores.figures_ear` says what it guarantees."""

    def count(self, journey: str | None = None) -> int: ...
    def heard(self) -> Awaitable[object]: ...


@dataclass(slots=True)
class Shared:
    """Keeps what pages show until its figures change. Who asks meanwhile gets the same, and waits for it together."""

    changes: Changes
    _kept: OrderedDict[Hashable, tuple[int, float, "asyncio.Task[Any]"]] = field(
        default_factory=OrderedDict[Hashable, tuple[int, float, "asyncio.Task[Any]"]]
    )

    async def once(
        self, what: Hashable, journey: str | None, read: Callable[[], Awaitable[Shown]]
    ) -> Shown:
        """What `read` gives, read once. `journey`: whose figures it shows; None is all."""
        count = self.changes.count(journey)
        kept = self._kept.get(what)
        if (
            kept is None
            or kept[0] != count
            or monotonic() - kept[1] > KEPT_SECONDS
            or (kept[2].done() and kept[2].exception() is not None)
        ):
            kept = (count, monotonic(), asyncio.ensure_future(_awaited(read)))
            self._kept[what] = kept
        self._kept.move_to_end(what)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return await asyncio.shield(kept[2])


@dataclass(slots=True, kw_only=True)
class LiveFigures:
    """Tells open pages that what they show has changed, each at most every `every_seconds`.

    After `stale_seconds` in which nothing changed they look again, too: nothing changes also where
    everything stands still, and the page says so.
    """

    changes: Changes
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    every_seconds: float = 1.0
    quiet_seconds: float = 15.0
    stale_seconds: float = 60.0
    longest_seconds: float = 300.0
    most: int = 400
    listening: int = 0

    async def events(self, visit: Visit) -> Response:
        """`?journey=cart`: of one journey; else of all."""
        if self.listening >= self.most or self.stopping.is_set():
            return too_many()
        return streaming(self.told(visit.request.query_params.get("journey")))

    async def told(self, journey: str | None) -> AsyncGenerator[bytes]:
        """What an open page is told: that it listens, and then that figures changed."""
        self.listening += 1
        try:
            seen = self.changes.count(journey)
            yield HERE
            looked = monotonic()
            until = looked + self.longest_seconds
            while monotonic() < until and not self.stopping.is_set():
                count = self.changes.count(journey)
                if count != seen or monotonic() - looked > self.stale_seconds:
                    seen, looked = count, monotonic()
                    yield CHANGED
                    await self._rest(self.every_seconds)
                elif not await self._something():
                    yield QUIET
        finally:
            self.listening -= 1

    async def _something(self) -> bool:
        """Whether something is heard before it was quiet for long, or the process stops."""
        heard = asyncio.ensure_future(self.changes.heard())
        stops = asyncio.ensure_future(self.stopping.wait())
        try:
            done, _ = await asyncio.wait(
                (heard, stops), timeout=self.quiet_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            return bool(done)
        finally:
            heard.cancel()
            stops.cancel()

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stopping.wait()


async def _awaited(read: Callable[[], Awaitable[Shown]]) -> Shown:
    return await read()
