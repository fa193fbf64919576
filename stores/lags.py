"""How far behind the installation is, as its own tables tell."""

from dataclasses import dataclass
from datetime import datetime

from stores.database import Pool, one_statement


@dataclass(slots=True, frozen=True, kw_only=True)
class Lags:
    """Seconds of wall time, but `overdue`: seconds of run time. `pending`: touchpoints to route."""

    ingest: float
    routing: float
    pending: int
    overdue: float


class LagStore:
    """Reads lags; a few milliseconds each, whatever the tables hold."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def lags(self, run_now: datetime) -> Lags:
        """The lags of this moment. `run_now`: what the clock of runs shows."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                """
                select coalesce((select extract(epoch from avg(greatest(
                                     received_at - occurred_at, interval '0')))::float8
                          from touchpoints where received_at > now() - interval '1 minute'), 0)
                           as ingest,
                       coalesce(extract(epoch from now() - min(o.received_at))::float8, 0)
                           as routing,
                       count(*) as pending,
                       coalesce((select extract(epoch from %(now)s - min(wakes_at))::float8
                          from runs where state = 'open' and wakes_at < %(now)s), 0) as overdue
                  from outbox o
                """,
                {"now": run_now},
            )
            row = await cursor.fetchone()
        assert row is not None
        return Lags(**row)
