"""Hearing that figures changed: one connection a process, however many pages show them.

Only a hint: a fold that is not heard shows with the next one. The connection must not go through PgBouncer.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from contextlib import suppress
from types import TracebackType
from typing import Self

import psycopg
import structlog

from stores.journey_figures import CHANNEL

_RETRY_SECONDS = 1.0
_log = structlog.get_logger(__name__)


class FiguresEar:
    """Counts what it hears: `async with FiguresEar(url) as ear`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._task: asyncio.Task[None] | None = None
        self._of = Counter[str]()
        self._of_all = 0
        self._heard = asyncio.Event()
        self.listening = asyncio.Event()

    def count(self, journey: str | None = None) -> int:
        """A number that grows whenever figures of a journey change, or of any."""
        return self._of_all if journey is None else self._of[journey] + self._of[""]

    def heard(self) -> Awaitable[object]:
        """Waits until something is heard that was not heard when it was asked for."""
        return self._heard.wait()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="figures ear")
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
                    self._url, autocommit=True, application_name="clew figures", connect_timeout=5
                )
                async with connection:
                    await connection.execute(f"listen {CHANNEL}")
                    self.listening.set()
                    self._tell("")  # something may have changed while nobody listened
                    async for told in connection.notifies():
                        for journey in told.payload.split("\n"):
                            self._tell(journey)
            except psycopg.Error as error:
                _log.info("figures_ear_unreachable", error=str(error).strip())
            self.listening.clear()
            await asyncio.sleep(_RETRY_SECONDS)

    def _tell(self, journey: str) -> None:
        self._of[journey] += 1
        self._of_all += 1
        heard, self._heard = self._heard, asyncio.Event()
        heard.set()
