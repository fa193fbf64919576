"""The clock of a run, sped up for a rehearsal or a demo."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(slots=True, frozen=True, kw_only=True)
class RunClock:
    """Run time as a line over wall time: `run_epoch + (wall - wall_epoch) * factor`. One for a whole rehearsal."""

    wall_epoch: datetime
    run_epoch: datetime
    factor: float

    def now(self, wall: datetime) -> datetime:
        """Run time at a wall instant."""
        return self.run_epoch + (wall - self.wall_epoch) * self.factor

    def wall(self, run: datetime) -> datetime:
        """The wall instant at which the run's clock shows `run`."""
        return self.wall_epoch + (run - self.run_epoch) / self.factor

    def wall_duration(self, duration: timedelta) -> timedelta:
        """How long a span of run time lasts on the wall."""
        return duration / self.factor
