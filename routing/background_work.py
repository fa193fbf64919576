"""Work that goes on beside routing, in portions: telling whom problems touch, and letting feelings fade."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from activities.message_channel import ProviderBusyError

_log = structlog.get_logger(__name__)

Round = Callable[[], Awaitable[bool]]
"""Does a portion; whether there may be more to do at once."""


def pause_after(failures: int, pauses: Sequence[timedelta], error: Exception) -> timedelta:
    """How long to leave a provider alone that failed so often before; longer where it asks for that."""
    pause = pauses[min(failures, len(pauses) - 1)]
    asked = error.retry_after if isinstance(error, ProviderBusyError) else None
    return max(pause, asked or pause)


@dataclass(slots=True)
class BackgroundWork:
    """Rounds, `breath` apart while there is something to do and `pause` apart while there is not."""

    name: str
    round: Round
    pause: timedelta = field(default=timedelta(seconds=2))
    breath: timedelta = field(default=timedelta(milliseconds=100))

    async def run(self) -> None:
        """Work until cancelled. A round that fails is told and tried again."""
        while True:
            try:
                more = await self.round()
            except Exception as error:  # whatever it is, the next round may find it mended
                _log.warning("background_work_failed", work=self.name, error=repr(error))
                more = False
            rest = self.breath if more else self.pause
            await asyncio.sleep(rest.total_seconds())
