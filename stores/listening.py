"""Listening to PostgreSQL's notifications: one connection for as long as the process lives, made again when it breaks.

Only a hint: whoever listens looks by themselves now and then. The connection must not go through PgBouncer.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import LiteralString, Self

import psycopg
import structlog

RETRY_SECONDS = 1.0
_log = structlog.get_logger(__name__)


class Listening:
    """`async with` it: `begun` is called whenever it listens anew, `told` with what each notification says.

    `name` shows in `pg_stat_activity`. `listening` is set while it does.
    """

    def __init__(
        self,
        url: str,
        channel: LiteralString,
        name: str,
        *,
        begun: Callable[[], None],
        told: Callable[[str], None],
    ) -> None:
        self._url, self._name = url, name
        self._channel: LiteralString = channel
        self._begun, self._told = begun, told
        self._task: asyncio.Task[None] | None = None
        self.listening = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name=f"listening to {self._channel}")
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
                async with await connected(self._url, self._name) as connection:
                    await connection.execute("listen " + self._channel)
                    self.listening.set()
                    self._begun()  # something may have come while nobody listened
                    async for told in connection.notifies():
                        self._told(told.payload)
            except psycopg.Error as error:
                _log.info("not_listening", channel=self._channel, error=str(error).strip())
            self.listening.clear()
            await asyncio.sleep(RETRY_SECONDS)


async def connected(url: str, name: str) -> psycopg.AsyncConnection[tuple[object, ...]]:
    """A connection of its own, which commits each statement. Raises: `psycopg.Error`."""
    return await psycopg.AsyncConnection.connect(
        url, autocommit=True, application_name=name, connect_timeout=5
    )


async def ended(task: asyncio.Task[None] | None) -> None:
    """Cancel a task, and wait until it is over."""
    if task is not None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
