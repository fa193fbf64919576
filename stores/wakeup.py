"""Waking the routers: a bell that whoever stores touchpoints rings, and an ear for it.

Never inside the storing transaction, where NOTIFY would make commits queue; and only a hint:
a router looks by itself every second, so a bell that is not heard costs a second.
Both hold a connection of their own, which must not go through PgBouncer.
"""

import asyncio
from types import TracebackType
from typing import Self

import psycopg
import structlog

from stores.listening import RETRY_SECONDS, Listening, connected, ended

CHANNEL = "clew_outbox"
QUIET_SECONDS = 0.08
"""A process rings at most once in this time, the first time at once: each ring is a write transaction."""

_NAME = "clew bell"
_log = structlog.get_logger(__name__)


class Bell:
    """Tells every router that something was stored. `async with Bell(url) as bell: bell.ring()`."""

    def __init__(self, url: str, *, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._url = url
        self._quiet = quiet_seconds
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def ring(self) -> None:
        """Ring soon, once for all that ring meanwhile. Returns at once."""
        self._wanted.set()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="bell")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await ended(self._task)

    async def _run(self) -> None:
        while True:
            try:
                async with await connected(self._url, _NAME) as connection:
                    while True:
                        await self._wanted.wait()
                        self._wanted.clear()
                        await connection.execute(f"notify {CHANNEL}")
                        await asyncio.sleep(self._quiet)
            except psycopg.Error as error:
                self._wanted.set()  # a ring that was lost with the connection is rung again
                _log.info("bell_unreachable", error=str(error).strip())
                await asyncio.sleep(RETRY_SECONDS)


class Ear(Listening):
    """Hears the bell: `async with Ear(url) as ear`. Clear `heard` before looking, not after."""

    def __init__(self, url: str) -> None:
        self.heard = asyncio.Event()
        super().__init__(url, CHANNEL, _NAME, begun=self.heard.set, told=lambda _: self.heard.set())
