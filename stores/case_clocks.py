"""What the workflows of cases are told: that theirs changed; and what they ask: what is due."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from contracts.staff_case import CaseMinded
from journey.case_clock import OVER
from stores.case_minding import mind
from stores.case_rows import lock_case, run_time
from stores.database import Connection, Pool
from stores.house import HouseStore

HELD_SECONDS = 15
"""A router that dies while it tells clocks costs them no more."""

_HOLD: LiteralString = """
with held as (
    update case_bells b set held_to = clock_timestamp() + %(held)s * interval '1 second'
      from (select "case" from case_bells
             where held_to is null or held_to < clock_timestamp()
             order by rung_at limit %(most)s for update skip locked) due
     where b."case" = due."case" returning b."case", b.rung_at
)
select h."case", h.rung_at, c.clock, c.customer,
       coalesce(nullif(c.title, ''), c.queue) as title
  from held h left join cases c using ("case") order by h.rung_at
"""

MOST_OVERLOOKED = 100

_OVERLOOKED: LiteralString = """
insert into case_bells ("case")
(select "case" from cases where under_way and look_at < clock_timestamp() - interval '1 minute'
  order by look_at limit %(most)s)
 union
(select "case" from case_messages
  where state in ('waiting', 'leaving') and due_at < clock_timestamp() - interval '1 minute'
  order by due_at limit %(most)s)
on conflict ("case") do nothing
"""

_TO_SEND: LiteralString = """
select coalesce(array_agg(message order by message) filter (where due_at <= clock_timestamp()), '{}') as due,
       min(due_at) filter (where due_at > clock_timestamp()) as next_at
  from case_messages where "case" = %s and state in ('waiting', 'leaving')
"""

_TOLD: LiteralString = """
delete from case_bells b using unnest(%(cases)s::text[], %(at)s::timestamptz[]) told("case", rung_at)
 where b."case" = told."case" and b.rung_at = told.rung_at
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class RungCase:
    """A case whose clock is to be told. `clock`: the id of its workflow; None: it has none, or is gone."""

    case: str
    rung_at: datetime
    clock: str | None
    customer: str | None
    title: str | None


class CaseClockStore:
    """Cases as their workflows see them. `ring` is called where the customer's runs are to be told."""

    def __init__(self, pool: Pool, ring: Callable[[], None] | None = None) -> None:
        self._pool = pool
        self._ring = ring or (lambda: None)
        self._house = HouseStore(pool)

    async def mind(self, case: str) -> CaseMinded:
        """Do what is due on a case, once. Raises: `UnknownCaseError`."""
        house = (await self._house.house()).queues
        async with self._pool.connection() as connection:
            held = await lock_case(connection, case)
            minded = await mind(connection, held, house, await run_time(connection, case))
            send, next_at = await _to_send(connection, case)
        if minded.tells_run:
            self._ring()
        return CaseMinded(
            state=minded.case.state,
            words=minded.case.words,
            over=minded.case.state in OVER,
            look_at=min(filter(None, (minded.look_at, next_at)), default=None),
            send=send,
        )

    async def ring_overlooked(self) -> bool:
        """Ring for what should have been looked at a while ago: its clock was ended from outside, or is late.

        Whether there may be more.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_OVERLOOKED, {"most": MOST_OVERLOOKED})
        return cursor.rowcount == MOST_OVERLOOKED

    async def rung(self, most: int) -> list[RungCase]:
        """Cases whose clocks are to be told, held for this router for a while."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_HOLD, {"held": HELD_SECONDS, "most": most})
            rows = await cursor.fetchall()
        names = ("case", "rung_at", "clock", "customer", "title")
        return [RungCase(**{name: row[name] for name in names}) for row in rows]

    async def told(self, cases: Sequence[RungCase]) -> None:
        """They were told; one that was rung again meanwhile stays."""
        async with self._pool.connection() as connection:
            await connection.execute(
                _TOLD,
                {"cases": [each.case for each in cases], "at": [each.rung_at for each in cases]},
            )


async def _to_send(connection: Connection, case: str) -> tuple[tuple[int, ...], datetime | None]:
    """Messages of a case that are due, and when the next one is, on the wall."""
    row = await (await connection.execute(_TO_SEND, [case])).fetchone()
    return (tuple(row["due"]), row["next_at"]) if row else ((), None)
