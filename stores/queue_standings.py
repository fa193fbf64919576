"""How the queues of staff stand: what waits, what is late, who is there now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from journey.queues import Queue
from stores.case_minding import queue_of
from stores.case_rows import RUNS_OUT
from stores.database import Pool
from stores.house import HouseStore
from stores.members import Member, absences_of, working_members

_COUNTS: LiteralString = f"""
select queue, count(*) filter (where state in ('open', 'reopened')) as waiting,
       count(*) filter (where state in ('claimed', 'snoozed', 'pending')) as taken,
       count(*) filter (where state <> 'pending' and {RUNS_OUT} < %(now)s) as overdue,
       min(queued_at) filter (where state in ('open', 'reopened')) as waits_longest_since
  from cases where under_way group by queue
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class QueueStanding:
    """A queue now. `written`: whether `queues.yaml` has it; `members`: who works in it; `there`: who is there now."""

    queue: Queue
    written: bool
    waiting: int
    taken: int
    overdue: int
    waits_longest_since: datetime | None
    members: tuple[str, ...]
    there: tuple[str, ...]


class QueueStandingStore:
    """The live queues, those that only cases name after them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._house = HouseStore(pool)

    async def standings(self, now: datetime) -> list[QueueStanding]:
        """Every queue that is written down or has cases under way, in order."""
        house = await self._house.queues()
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_COUNTS, {"now": now})
            counted = {row.pop("queue"): row for row in await cursor.fetchall()}
            members = await working_members(connection)
            away = await absences_of(connection, [each.member for each in members], now)
        written = [each.queue for each in house.queues] if house is not None else []
        others = sorted(set(counted) - set(written))
        return [
            _standing(
                queue_of(house, name),
                counted.get(name),
                members,
                away,
                now,
                written=name in written,
            )
            for name in (*written, *others)
        ]


def _standing(
    queue: Queue,
    counted: Mapping[str, Any] | None,
    members: Sequence[Member],
    away: Mapping[str, list[tuple[datetime, datetime]]],
    now: datetime,
    *,
    written: bool,
) -> QueueStanding:
    theirs = [each for each in members if queue.queue in each.queues]
    there = [
        each for each in theirs if each.presence(queue, away.get(each.member, [])).is_there(now)
    ]
    counted = counted or {"waiting": 0, "taken": 0, "overdue": 0, "waits_longest_since": None}
    return QueueStanding(
        queue=queue,
        written=written,
        members=tuple(each.member for each in theirs),
        there=tuple(each.member for each in there),
        **counted,
    )
