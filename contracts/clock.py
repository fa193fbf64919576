"""The clock of a run, sped up for a rehearsal or a demo."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

FIRST = datetime(1900, 1, 1, tzinfo=UTC)
LAST = datetime(2300, 1, 1, tzinfo=UTC)
"""Between these a run's clock may show; it stands still where it would pass them."""


@dataclass(slots=True, frozen=True, kw_only=True)
class RunClock:
    """Run time as a line over wall time: `run_epoch + (wall - wall_epoch) * factor`. One for a whole rehearsal.

    Anybody may send one, so none may fail later. Raises: `ValueError` for one that no run can follow.
    """

    wall_epoch: datetime
    run_epoch: datetime
    factor: float

    def __post_init__(self) -> None:
        for epoch in (self.wall_epoch, self.run_epoch):
            if epoch.tzinfo is None:
                raise ValueError("an epoch has no zone; end it with Z or an offset")
            if not FIRST <= epoch <= LAST:
                raise ValueError(f"an epoch is not between {FIRST.year} and {LAST.year}")
        if not math.isfinite(self.factor) or not 0.01 <= self.factor <= 1_000_000:
            raise ValueError("factor: expected how many times faster, 0.01 to 1,000,000")

    def now(self, wall: datetime) -> datetime:
        """Run time at a wall instant."""
        try:
            return min(max(self.run_epoch + (wall - self.wall_epoch) * self.factor, FIRST), LAST)
        except OverflowError:
            return LAST if wall > self.wall_epoch else FIRST

    def wall(self, run: datetime) -> datetime:
        """The wall instant at which the run's clock shows `run`."""
        return self.wall_epoch + (run - self.run_epoch) / self.factor

    def wall_duration(self, duration: timedelta) -> timedelta:
        """How long a span of run time lasts on the wall."""
        return duration / self.factor
