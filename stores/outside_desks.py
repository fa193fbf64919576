"""Desks outside of ours: up to which event each was told, and under which id it shows a case."""

from dataclasses import dataclass
from datetime import timedelta
from typing import LiteralString
from urllib.parse import quote

from contracts.outside_desk import ShownCase
from journey.case_clock import OVER
from journey.queues import titles_of
from stores.case_events import SETTLED_SECONDS
from stores.case_rows import COLUMNS, RUNS_OUT, case_of, clock_of
from stores.database import Pool, clean_text, one_statement
from stores.house import HouseStore

HELD_SECONDS = 60
"""A worker that dies over a desk costs it no more."""

ASK_EVERY_SECONDS = 20
"""A desk is asked what was decided no more often: Zendesk lets itself be asked ten times a minute."""

AT_ONCE = 100

_HOLD: LiteralString = """
update outside_desks set held_to = clock_timestamp() + %(held)s * interval '1 second'
 where desk = %(desk)s and next_at <= clock_timestamp()
   and (held_to is null or held_to < clock_timestamp())
returning told_to, asked_to, failures,
          asked_at < clock_timestamp() - %(ask_every)s * interval '1 second' as asks
"""

_CHANGED: LiteralString = """
select "case", max(event) as event from (
    select "case", event from case_events
     where event > %(since)s and at_wall < clock_timestamp() - %(settled)s * interval '1 second'
     order by event limit %(most)s) next
 group by "case" order by event
"""

_SHOWN: LiteralString = f"""
select {COLUMNS}, run_clock, {RUNS_OUT} as due,
       (select jsonb_build_object('email', email, 'name', name) from members m where m.member = cases.claimed_by)
           as holder,
       (select outside_id from shown_cases s where s."case" = cases."case" and s.desk = %(desk)s) as known
  from cases where "case" = %(case)s
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class HeldDesk:
    """A desk that is ours for a while: up to which event it was told, whether it is asked now, and from where."""

    told_to: int
    asked_to: str
    failures: int
    asks: bool


class OutsideDeskStore:
    """What is kept of desks outside. `public_url`: where our inbox is."""

    def __init__(self, pool: Pool, public_url: str) -> None:
        self._pool, self._url, self._house = pool, public_url.rstrip("/"), HouseStore(pool)

    async def hold(self, desk: str) -> HeldDesk | None:
        """The desk, for whoever asks first; a new one is told what happens from now on."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "insert into outside_desks (desk, told_to) select %s, coalesce(max(event), 0)"
                " from case_events on conflict do nothing",
                [desk],
            )
            values = {"desk": desk, "held": HELD_SECONDS, "ask_every": ASK_EVERY_SECONDS}
            cursor = await connection.execute(_HOLD, values)
            row = await cursor.fetchone()
        return HeldDesk(**row) if row else None

    async def changed(self, since: int) -> list[tuple[str, int]]:
        """Cases of which something happened since, each with its newest event, in the order of these."""
        async with one_statement(self._pool) as connection:
            values = {"since": since, "settled": SETTLED_SECONDS, "most": AT_ONCE}
            cursor = await connection.execute(_CHANGED, values)
            return [(row["case"], row["event"]) for row in await cursor.fetchall()]

    async def shown(self, case: str, desk: str) -> tuple[ShownCase, str | None] | None:
        """A case as it stands, and its id there; None where it is gone, as who was erased."""
        async with one_statement(self._pool) as connection:
            row = await (await connection.execute(_SHOWN, {"case": case, "desk": desk})).fetchone()
        if row is None:
            return None
        house = (await self._house.house()).queues
        clock, due, holder, known = (
            clock_of(row.pop("run_clock")), row.pop("due"), row.pop("holder"), row.pop("known"),
        )  # fmt: skip
        found = case_of(row)
        shown = ShownCase(
            case=found.case,
            name=found.short_name,
            title=found.title,
            brief=found.brief,
            queue=found.queue,
            queue_title=titles_of(house).get(found.queue, found.queue),
            state=found.state,
            over=found.state in OVER,
            customer=found.customer,
            link=f"{self._url}/staff/case/{quote(found.short_name, safe=':')}",
            due=clock.wall(due) if clock is not None and due is not None else due,
            holder=holder["email"] if holder else None,
            holder_name=holder["name"] if holder else found.claimed_by or "",
            decision=found.decision,
            decided_by=found.decided_by,
            decisions=found.decisions,
        )
        return shown, known

    async def keep(self, case: str, desk: str, outside_id: str) -> None:
        """Under this id the case stands there."""
        async with one_statement(self._pool) as connection:
            await connection.execute(
                'insert into shown_cases ("case", desk, outside_id) values (%s, %s, %s)'
                ' on conflict ("case", desk) do update set outside_id = excluded.outside_id',
                [case, desk, clean_text(outside_id)],
            )

    async def told(self, desk: str, event: int) -> None:
        """It knows everything up to this event."""
        async with one_statement(self._pool) as connection:
            await connection.execute(
                "update outside_desks set told_to = greatest(told_to, %s) where desk = %s",
                [event, desk],
            )

    async def taken(self, case: str, desk: str) -> str:
        """Which version of a ticket was the last whose decision was taken, or refused there."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                'select taken from shown_cases where "case" = %s and desk = %s', [case, desk]
            )
            row = await cursor.fetchone()
        return row["taken"] if row else ""

    async def take(self, case: str, desk: str, seen: str) -> None:
        """The decision of this version was taken, or refused there."""
        async with one_statement(self._pool) as connection:
            await connection.execute(
                'update shown_cases set taken = %s where "case" = %s and desk = %s',
                [clean_text(seen), case, desk],
            )

    async def let_go(self, desk: str, asked_to: str | None) -> None:
        """It was told; where it was asked as well, next time from here."""
        async with one_statement(self._pool) as connection:
            await connection.execute(
                """
                update outside_desks set held_to = null, failures = 0, failed_why = '',
                       asked_to = coalesce(%(to)s, asked_to),
                       asked_at = case when %(to)s::text is null then asked_at else clock_timestamp() end
                 where desk = %(desk)s
                """,
                {"desk": desk, "to": clean_text(asked_to) if asked_to is not None else None},
            )

    async def failed(self, desk: str, why: str, pause: timedelta) -> None:
        """It cannot be reached: again after this pause, from where it was."""
        async with one_statement(self._pool) as connection:
            await connection.execute(
                "update outside_desks set held_to = null, failures = failures + 1, failed_why = %s,"
                " next_at = clock_timestamp() + %s where desk = %s",
                [clean_text(why), pause, desk],
            )
