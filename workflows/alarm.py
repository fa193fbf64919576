"""The one timer of a run."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import workflow

from contracts.clock import RunClock


class Alarm:
    """Keeps one Temporal timer: one that fires before the next alarm is left to fire.

    A fired timer names the alarm it was set for, and is authoritative: the clock has reached it.
    """

    def __init__(self) -> None:
        self.fired: datetime | None = None
        self._ringing: tuple[datetime, asyncio.Task[None]] | None = None

    def set(self, at: datetime | None, now: Callable[[], datetime], clock: RunClock | None) -> None:
        """Make sure that the run is woken at this instant of its own time, or before."""
        if at is None or (self._ringing is not None and self._ringing[0] <= at):
            return
        self.stop()
        span = at - now()
        wall = clock.wall_duration(span) if clock is not None else span
        self._ringing = (at, asyncio.create_task(self._ring(at, wall)))

    def stop(self) -> None:
        """Take the timer back."""
        if self._ringing is not None:
            self._ringing[1].cancel()
            self._ringing = None

    def take(self) -> datetime | None:
        """The alarm that fired, once."""
        fired, self.fired = self.fired, None
        return fired

    async def _ring(self, at: datetime, span: timedelta) -> None:
        await workflow.sleep(
            max(span, timedelta(milliseconds=1)), summary=f"{at:%Y-%m-%d %H:%M} UTC"
        )
        self._ringing, self.fired = None, at
