"""Runs that ended outside of Clew: which open ones are to be looked for, and the end that is written for them."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString

from contracts.journey_run import RunReference
from contracts.run_standing import (
    ENDED_OUTSIDE,
    GONE_IN_WORDS,
    EndedOutside,
    OpenRecord,
    Sweep,
)
from journey.effects import RunRecord
from stores.case_rows import RUNG_AGAIN
from stores.customers import lock_canonical
from stores.database import Connection, Pool, clean_text, one_statement
from stores.identity_graph import is_erased
from stores.run_ends import tell_of_end

QUIET = timedelta(minutes=1)
"""A run that wrote a record so lately is there."""

_COLUMNS: LiteralString = "r.entry, r.workflow_id, r.first_run_id, r.journey, r.customer"

# One process has the round: who comes meanwhile finds the next one not due. The walk goes by the
# index of open runs, so that what has ended costs nothing however much there is of it.
_BEGIN: LiteralString = f"""
with held as (
    update run_sweep set next_at = clock_timestamp() + %(pause)s
     where next_at <= clock_timestamp() or not %(waits)s
    returning after_customer, after_entry, closed_to, clock_timestamp() as at
), walked as (
    select {_COLUMNS}, r.updated_at < h.at - %(quiet)s as quiet
      from held h cross join lateral (
        select * from runs x
         where x.state = 'open' and (x.customer, x.entry) > (h.after_customer, h.after_entry)
         order by x.customer, x.entry limit %(most)s) r
)
select nullif(h.closed_to, '-infinity') as closed_to, h.at,
       coalesce((select jsonb_agg(to_jsonb(w) - 'quiet') from walked w where w.quiet), '[]') as runs,
       (select count(*) from walked) as walked,
       (select w.customer from walked w order by w.customer desc, w.entry desc limit 1) as last_customer,
       (select w.entry from walked w order by w.customer desc, w.entry desc limit 1) as last_entry
  from held h
"""

_DONE: LiteralString = """
update run_sweep set closed_to = %(closed_to)s,
       after_customer = %(customer)s, after_entry = %(entry)s,
       next_at = case when %(more)s then clock_timestamp() else next_at end
"""

_UNDER: LiteralString = f"""
select {_COLUMNS} from runs r where r.workflow_id = any(%s) and r.state = 'open'
"""

# What the run would have put right at its end: it cannot any more, so it is done for it. Staff no longer wait for it.
_END: LiteralString = f"""
with ended as (
    update runs set state = 'finished', outcome = coalesce(outcome, %(outcome)s),
           reason = %(how)s, detail = %(words)s, finished_at = %(now)s, wakes_at = null,
           waits_for = '[]', needs_attention = null, sequence = sequence + 1, updated_at = now()
     where entry = %(entry)s and first_run_id = %(first_run_id)s and state = 'open'
    returning entry, sequence, stage, workflow_id
), left_alone as (
    delete from listening l using ended e where l.entry = e.entry
), decided as (
    insert into trace (entry, sequence, at, address, kind, why)
    select entry, sequence, %(now)s, coalesce(stage, ''), %(outcome)s, %(words)s from ended
    on conflict do nothing
), dropped as (
    update promises p set state = 'dropped', reason = %(words)s, at = %(now)s
      from ended e where p.entry = e.entry and p.state = 'open'
), hidden as (
    update shows s set shown = false, at = %(now)s
      from ended e where s.entry = e.entry and s.shown
), closed as (
    update cases c set state = 'closed', reason = %(words)s, resolved_at = %(now)s
      from ended e
     where c.entry = e.entry and c.workflow_id = e.workflow_id and c.under_way
    returning c."case"
), told as (
    insert into case_events ("case", at, who, did, why)
    select "case", %(now)s, 'clew', 'closed', %(words)s from closed
), rung as (
    insert into case_bells ("case") select "case" from closed order by 1
    {RUNG_AGAIN}
), voided as (
    update coupons c set state = 'voided', reason = %(words)s, settled_at = %(now)s
      from ended e where c.entry = e.entry and c.state = 'open'
)
select from ended
"""


class RunSweepStore:
    """Rounds of looking, for all routers together. `now`: the time of runs. `ring` wakes the routers.

    `waits`: until a round is due; whoever does not looks at once, also beside another process.
    """

    def __init__(
        self,
        pool: Pool,
        now: Callable[[], datetime],
        ring: Callable[[], None] | None = None,
        *,
        waits: bool = True,
    ) -> None:
        self._pool = pool
        self._now = now
        self._ring = ring or (lambda: None)
        self._waits = waits
        self._place: dict[str, Any] = {}

    async def anew(self) -> None:
        """The next round begins with the first open run, and asks for all that the server ended."""
        async with one_statement(self._pool) as connection:
            await connection.execute(
                "update run_sweep set after_customer = '', after_entry = 0, closed_to = '-infinity'"
            )

    async def begin(self, most: int, pause: timedelta) -> Sweep | None:
        """The next so many open runs; None where another process has this round, or it is not due."""
        values = {"most": most, "pause": pause, "quiet": QUIET, "waits": self._waits}
        async with one_statement(self._pool) as connection:
            row = await (await connection.execute(_BEGIN, values)).fetchone()
        if row is None:
            return None
        whole = row["walked"] < most
        self._place = {
            "closed_to": row["at"],
            "customer": "" if whole else row["last_customer"],
            "entry": 0 if whole else row["last_entry"],
        }
        runs = [OpenRecord(**each) for each in row["runs"]]
        return Sweep(runs=runs, closed_since=row["closed_to"], whole=whole)

    async def done(self, *, more: bool) -> None:
        """The round is over; `more`: the next one is due at once."""
        async with one_statement(self._pool) as connection:
            await connection.execute(_DONE, {**self._place, "more": more})

    async def open_under(self, workflow_ids: Sequence[str]) -> list[OpenRecord]:
        """The runs of these workflow ids that are open in our record."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(_UNDER, [list(workflow_ids)])
            return [OpenRecord(**row) for row in await cursor.fetchall()]

    async def end(self, ended: EndedOutside) -> bool:
        """Write the end of a run down, and let go what it held; False where its end is known by now.

        Its cases are closed, its promises dropped, its coupons void, what it showed is hidden, and who
        waited for its end is told. Its customer may enter again.
        """
        run, now = ended.run, self._now()
        words = clean_text(": ".join(filter(None, (GONE_IN_WORDS[ended.how], ended.told))))
        async with self._pool.connection() as connection:
            await lock_canonical(connection, run.customer)
            cursor = await connection.execute(
                _END,
                {
                    "entry": run.entry,
                    "first_run_id": run.first_run_id,
                    "outcome": ENDED_OUTSIDE,
                    "how": ended.how,
                    "words": words,
                    "now": now,
                },
            )
            if cursor.rowcount == 0:
                return False
            told = await _tell(connection, run, now)
        if told:
            self._ring()
        return True


async def _tell(connection: Connection, run: OpenRecord, now: datetime) -> bool:
    if await is_erased(connection, run.customer):
        return False
    reference = RunReference(
        entry=run.entry, journey=run.journey, customer=run.customer, workflow_id=run.workflow_id
    )
    return await tell_of_end(
        connection, reference, RunRecord(sequence=0, at=now, outcome=ENDED_OUTSIDE)
    )
