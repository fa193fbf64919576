"""Hearing that something came into an inbox: one connection a process, however many are looked at.

Only a hint: whoever looks at an inbox looks by themselves now and then, so that what is not heard
comes later. The connection must not go through PgBouncer.
"""

import asyncio
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

import psycopg
import structlog

CHANNEL = "clew_inbox"

_RETRY_SECONDS = 1.0
_log = structlog.get_logger(__name__)


class InboxEar:
    """Hears of new messages, customer by customer: `async with InboxEar(url) as ear`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self.listening = asyncio.Event()

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

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="inbox ear")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, application_name="clew inbox", connect_timeout=5
                )
                async with connection:
                    await connection.execute(f"listen {CHANNEL}")
                    self.listening.set()
                    self._everybody()  # something may have come while nobody listened
                    async for told in connection.notifies():
                        for heard in self._waiting.get(told.payload, ()):
                            heard.set()
            except psycopg.Error as error:
                _log.info("inbox_ear_unreachable", error=str(error).strip())
            self.listening.clear()
            await asyncio.sleep(_RETRY_SECONDS)

    def _everybody(self) -> None:
        for each in self._waiting.values():
            for heard in each:
                heard.set()
