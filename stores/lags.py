"""How far behind the installation is, as its own tables tell."""

from dataclasses import dataclass
from datetime import datetime

from contracts.clock import RunClock
from stores.database import Pool, one_statement


@dataclass(slots=True, frozen=True, kw_only=True)
class Lags:
    """Seconds of wall time. `pending`: touchpoints to route. `overdue`: by how much the first timer is late."""

    ingest: float
    routing: float
    pending: int
    overdue: float


class LagStore:
    """Reads lags; a few milliseconds each, whatever the tables hold. `clock`: that of runs, if not the wall's."""

    def __init__(self, pool: Pool, clock: RunClock | None = None) -> None:
        self._pool = pool
        self._clock = clock

    async def lags(self, now: datetime) -> Lags:
        """The lags of this moment; `now`: wall time."""
        clock = self._clock or RunClock(wall_epoch=now, run_epoch=now, factor=1)
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                """
                select coalesce((select extract(epoch from avg(greatest(
                                     received_at - %(wall_epoch)s - (occurred_at - %(run_epoch)s) / %(factor)s,
                                     interval '0')))::float8
                          from touchpoints where received_at > now() - interval '1 minute'), 0)
                           as ingest,
                       coalesce(extract(epoch from now() - min(o.received_at))::float8, 0)
                           as routing,
                       count(*) as pending,
                       coalesce((select extract(epoch from %(now)s - min(wakes_at))::float8 / %(factor)s
                          from runs where state = 'open' and wakes_at < %(now)s), 0) as overdue
                  from outbox o
                """,
                {
                    "now": clock.now(now),
                    "wall_epoch": clock.wall_epoch,
                    "run_epoch": clock.run_epoch,
                    "factor": clock.factor,
                },
            )
            row = await cursor.fetchone()
        assert row is not None
        return Lags(**row)
