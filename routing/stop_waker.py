"""After a stop was lifted: what waited for it goes on, so many each second, not all at once."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import structlog

_log = structlog.get_logger(__name__)


class StoppedMessages(Protocol):
    """Where messages wait; `stores.stops.StopStore` says what it guarantees."""

    async def wake(self, most: int) -> int: ...


@dataclass(slots=True)
class StopWaker:
    """Wakes `at_once` messages each `pause`: 100,000 in about eight minutes, in each router there is."""

    messages: StoppedMessages
    at_once: int = 200
    pause: timedelta = field(default=timedelta(seconds=1))

    async def run(self) -> None:
        """Wake until cancelled. A round that fails is told and tried again."""
        while True:
            try:
                await self.messages.wake(self.at_once)
            except Exception as error:  # whatever it is, the next round may find it mended
                _log.warning("stopped_messages_not_woken", error=repr(error))
            await asyncio.sleep(self.pause.total_seconds())
