"""How runs stand and why, as they tell it themselves."""

from collections.abc import Callable
from typing import Any, LiteralString

from contracts.fault_points import reach
from contracts.journey_run import RunReference
from journey.effects import RunRecord
from stores.customers import lock_canonical
from stores.database import Connection, Pool, jsonb, one_statement
from stores.rerouting import route_subjects_again
from stores.run_ends import tell_of_end

# One statement, so one round trip: this is the path that every decision of every run takes.
# A record is newer by its sequence, and among equals by its time. What it says of the end, and of
# the subjects it listens to, stands also where a newer record, silent about them, came first.
# Of a run whose customer was erased nothing is written.
_WRITE: LiteralString = """
with told as (
    update runs r
       set stage = case when n.newer then %(stage)s else r.stage end,
           waits_for = case when n.newer then %(waits_for)s else r.waits_for end,
           wakes_at = case when n.newer then %(wakes_at)s else r.wakes_at end,
           needs_attention = case when n.newer then %(needs_attention)s else r.needs_attention end,
           sequence = greatest(r.sequence, %(sequence)s),
           recorded_at = greatest(r.recorded_at, %(at)s),
           listens_sequence = case when n.listens then %(sequence)s else r.listens_sequence end,
           listens_at = case when n.listens then %(at)s else r.listens_at end,
           outcome = coalesce(r.outcome, %(outcome)s),
           goal = r.goal or %(goal)s,
           state = case when n.ends then 'finished' else r.state end,
           finished_at = case when n.ends then %(at)s else r.finished_at end,
           updated_at = now()
      from (select x.entry,
                   (x.sequence, x.recorded_at) <= (%(sequence)s, %(at)s) as newer,
                   %(listens)s::jsonb is not null
                       and (x.listens_sequence, x.listens_at) < (%(sequence)s, %(at)s) as listens,
                   %(outcome)s::text is not null and x.state = 'open' as ends
              from runs x where x.entry = %(entry)s for no key update) n
     where r.entry = n.entry and (n.newer or n.listens or n.ends)
    returning r.entry, r.customer, r.workflow_id, r.state, n.listens
), decided as (
    insert into trace (entry, sequence, at, address, kind, why)
    select %(entry)s, t.sequence, t.at, t.address, t.kind, t.why
      from jsonb_to_recordset(%(trace)s)
        as t(sequence bigint, at timestamptz, address text, kind text, why text)
     where exists (select from runs x where x.entry = %(entry)s)
    on conflict do nothing
), promised as (
    insert into promises as p (entry, n, name, by, state, at, reason, sequence)
    select %(entry)s, t.n, t.name, t.by, t.state, t.at, t.reason, %(sequence)s
      from jsonb_to_recordset(%(promises)s)
        as t(n bigint, name text, by timestamptz, state text, at timestamptz, reason text)
     where exists (select from runs x where x.entry = %(entry)s)
    on conflict (entry, n) do update
       set name = excluded.name, by = excluded.by, state = excluded.state, at = excluded.at,
           reason = excluded.reason, sequence = excluded.sequence
     where (p.sequence, p.at) <= (excluded.sequence, excluded.at)
), said as (
    insert into shows as s (entry, n, customer, places, say, "values", priority, until, shown,
                            name, sequence, at)
    select r.entry, w.n, r.customer, coalesce(w.places, '{}'), coalesce(w.say, ''),
           coalesce(w."values", '{}'), coalesce(w.priority, 0), w.until, coalesce(w.shown, true),
           coalesce(w.name, ''), %(sequence)s, %(at)s
      from jsonb_to_recordset(%(shows)s) as w(n bigint, places text[], say text, "values" jsonb,
                                              priority integer, until timestamptz, shown boolean,
                                              name text)
      join runs r on r.entry = %(entry)s
    on conflict (entry, n) do update
       set places = case when excluded.shown then excluded.places else s.places end,
           say = case when excluded.shown then excluded.say else s.say end,
           "values" = excluded."values", priority = excluded.priority, until = excluded.until,
           shown = excluded.shown, name = case when excluded.shown then excluded.name else s.name end,
           sequence = excluded.sequence, at = excluded.at
     where (s.sequence, s.at) <= (excluded.sequence, excluded.at)
), wanted as (
    select w.kind, w.id
      from jsonb_to_recordset(coalesce(%(listens)s::jsonb, '[]')) as w(kind text, id text)
), left_alone as (
    delete from listening l using told t
     where l.entry = t.entry
       and (t.state <> 'open'
            or t.listens and (l.kind, l.id) not in (select kind, id from wanted))
), listened as (
    insert into listening (kind, id, entry, customer, workflow_id)
    select w.kind, w.id, t.entry, t.customer, t.workflow_id
      from told t cross join wanted w where t.listens and t.state = 'open'
    on conflict do nothing
    returning kind, id
)
"""

_NEW_SUBJECTS: LiteralString = """
select t.customer, t.workflow_id, l.kind, l.id,
       (select least(r.began_at, m.received_at)
          from runs r left join message_ids m on m.message_id = r.entering_message_id
         where r.entry = t.entry) as since
  from told t cross join listened l
"""


class RunRecordStore:
    """Writes records of runs. `ring` is called where touchpoints were put back for a run."""

    def __init__(self, pool: Pool, ring: Callable[[], None] | None = None) -> None:
        self._pool = pool
        self._ring = ring

    async def write(self, run: RunReference, record: RunRecord) -> None:
        """Write a record: twice is the same as once; an older never overwrites a newer one.

        Subjects that the run newly listens to are routed to it again, from when it began.
        """
        reach("record.before_write")
        await self._write(run, record, _values(run, record))
        reach("record.after_write")

    async def _write(self, run: RunReference, record: RunRecord, values: dict[str, Any]) -> None:
        if record.outcome is not None:
            await self._write_end(run, record, values)
            return
        if record.listens is None:
            async with one_statement(self._pool) as connection:
                await connection.execute(_WRITE + "select from told", values)
            return
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_WRITE + _NEW_SUBJECTS, values)
            found = await cursor.fetchall()
            again = await _route_again(connection, found) if found else 0
        if again and self._ring is not None:
            self._ring()

    async def _write_end(
        self, run: RunReference, record: RunRecord, values: dict[str, Any]
    ) -> None:
        """Write the end, and tell whoever waits for it: the run that asked for this one, and what it held."""
        async with self._pool.connection() as connection:
            # Under the customer's lock: a message that is being held now is either told or sees the end.
            await lock_canonical(connection, run.customer)
            await connection.execute(_WRITE + "select from told", values)
            told = await tell_of_end(connection, run, record)
        if told and self._ring is not None:
            self._ring()


async def _route_again(connection: Connection, found: list[dict[str, Any]]) -> int:
    subjects: dict[str, tuple[str, ...]] = {}
    for row in found:
        subjects[row["kind"]] = (*subjects.get(row["kind"], ()), row["id"])
    return await route_subjects_again(
        connection,
        customer=found[0]["customer"],
        run=found[0]["workflow_id"],
        subjects=subjects,
        since=found[0]["since"],
    )


def _values(run: RunReference, record: RunRecord) -> dict[str, Any]:
    listens = record.listens
    return {
        "entry": run.entry,
        "sequence": record.sequence,
        "at": record.at,
        "stage": record.stage,
        "waits_for": jsonb(record.waits_for),
        "wakes_at": record.wakes_at,
        "needs_attention": record.needs_attention,
        "outcome": record.outcome,
        "goal": record.goal,
        "trace": jsonb(record.trace),
        "promises": jsonb(record.promises),
        "shows": jsonb(record.shows),
        "listens": None
        if listens is None
        else jsonb([{"kind": kind, "id": each} for kind, ids in listens.items() for each in ids]),
    }
