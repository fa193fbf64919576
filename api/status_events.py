"""Keeps status pages up to date: server-sent events, looked for by a poll, with a bound on everything."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import orjson
from starlette.responses import Response, StreamingResponse

from api.customer_page import HEADERS

RETRY_SECONDS = 15


@dataclass(slots=True, frozen=True, kw_only=True)
class Broadcast:
    """What one listener hears: `news` whenever `mark` is another one; None ends it."""

    mark: Callable[[], Awaitable[str]]
    news: Callable[[], Awaitable[Mapping[str, str] | None]]


@dataclass(slots=True, kw_only=True)
class LiveStatus:
    """The listeners of this process.

    A look is one statement by keys, so 200 listeners are 100 statements a second. Who comes on top is told
    to come again later, and their page still loads. A listener is let go after `longest_seconds`
    and its browser comes back by itself; when the process is told to stop, all are at once.
    """

    most: int = 200
    every_seconds: float = 2.0
    longest_seconds: float = 600.0
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    listening: int = 0

    def stream(self, broadcast: Broadcast) -> Response:
        """The events of one page."""
        if self.listening >= self.most or self.stopping.is_set():
            headers = {**HEADERS, "Retry-After": f"{RETRY_SECONDS}"}
            return Response(status_code=503, headers=headers)
        headers = {**HEADERS, "X-Accel-Buffering": "no"}
        return StreamingResponse(
            self._events(broadcast), media_type="text/event-stream", headers=headers
        )

    async def _events(self, broadcast: Broadcast) -> AsyncIterator[bytes]:
        self.listening += 1
        try:
            # Told at once: something may have happened since the page was made.
            yield f"retry: {RETRY_SECONDS * 1000}\n\n".encode()
            seen, looks = "", max(1, int(self.longest_seconds / self.every_seconds))
            for _ in range(looks):
                mark = await broadcast.mark()
                if mark != seen:
                    seen, news = mark, await broadcast.news()
                    if news is None:
                        break
                    yield b"event: standing\ndata: " + orjson.dumps(news) + b"\n\n"
                    if news.get("ended"):
                        return
                else:
                    yield b":\n\n"  # whoever left is noticed by writing to them
                if await self._stopped():
                    return
        finally:
            self.listening -= 1

    async def _stopped(self) -> bool:
        try:
            async with asyncio.timeout(self.every_seconds):
                await self.stopping.wait()
        except TimeoutError:
            return False
        return True
