"""How runs stand and why, as they tell it themselves."""

from collections.abc import Callable, Mapping
from typing import Any, LiteralString

from contracts.fault_points import reach
from contracts.journey_run import RunReference
from contracts.other_journey import ASKED_BY
from contracts.run_standing import ENDED_OUTSIDE
from journey.effects import RunRecord
from journey.touchpoint import stamp
from stores.customers import lock_canonical
from stores.database import Connection, Pool, jsonb, one_statement
from stores.rerouting import route_again, route_subjects_again
from stores.run_ends import tell_of_end

# One statement, so one round trip: this is the path that every decision of every run takes.
# A record is newer by its sequence, and among equals by its time. What it says of the end, and of
# the subjects it listens to, stands also where a newer record, silent about them, came first.
# An end that was written in a task which the server then refused is undone by what the run tells
# when it lives that task again, which is later: see docs/decisions/0031.
# Of a run whose customer was erased nothing is written.
_RUN: LiteralString = """
run as (
    select x.*,
           x.state = 'finished' and x.outcome is distinct from %(outside)s
               and %(at)s > x.finished_at and x.outcome is distinct from %(outcome)s::text as undone
      from runs x where x.entry = %(entry)s
"""

_LOCKED: LiteralString = " for no key update)"

# Nobody is told of its end, and it listens to nothing: what is written of it can be undone.
_ALONE: LiteralString = """
       and x.holds is null and x.priority is null
       and not exists (select from listening l where l.entry = x.entry)
       and not exists (select from message_ids m join touchpoints t
                           on t.received_at = m.received_at and t.touchpoint = m.touchpoint
                        where m.message_id = x.entering_message_id and t.properties ? %(asked_by)s)
"""

_PARTS: LiteralString = """
, told as (
    update runs r
       set stage = case when n.newer then %(stage)s else r.stage end,
           waits_for = case when n.newer then %(waits_for)s else r.waits_for end,
           wakes_at = case when n.newer then %(wakes_at)s else r.wakes_at end,
           stands = case when not n.newer or %(outcome)s::text is not null then r.stands
                         when %(stage)s::text is null then %(stands)s
                         else jsonb_build_object(%(stage)s::text,
                                                 coalesce(r.stands ->> %(stage)s, %(stamp)s)) || %(stands)s
                    end,
           needs_attention = case when n.newer then %(needs_attention)s else r.needs_attention end,
           sequence = case when n.undone then %(sequence)s else greatest(r.sequence, %(sequence)s) end,
           recorded_at = greatest(r.recorded_at, %(at)s),
           listens_sequence = case when n.listens then %(sequence)s else r.listens_sequence end,
           listens_at = case when n.listens then %(at)s else r.listens_at end,
           outcome = case when n.undone then %(outcome)s else coalesce(r.outcome, %(outcome)s) end,
           goal = case when n.undone then %(goal)s else r.goal or %(goal)s end,
           state = case when n.ends then 'finished' when n.undone then 'open' else r.state end,
           finished_at = case when n.ends then %(at)s when not n.undone then r.finished_at end,
           updated_at = now()
      from (select x.entry, x.undone,
                   x.undone or (x.sequence, x.recorded_at) <= (%(sequence)s, %(at)s) as newer,
                   %(listens)s::jsonb is not null
                       and (x.listens_sequence, x.listens_at) < (%(sequence)s, %(at)s) as listens,
                   %(outcome)s::text is not null and (x.state = 'open' or x.undone) as ends
              from run x where not x.undone or %(undoing)s) n
     where r.entry = n.entry and (n.newer or n.listens or n.ends)
    returning r.entry, r.customer, r.workflow_id, r.state, n.listens, n.undone,
              case when n.listens or n.undone
                   then least(r.began_at, (select m.received_at from message_ids m
                                            where m.message_id = r.entering_message_id)) end as since
), forgotten as (
    delete from trace t using told
     where told.undone and t.entry = told.entry and t.sequence > %(sequence)s and t.at < %(at)s
), decided as (
    insert into trace as d (entry, sequence, at, address, kind, why)
    select %(entry)s, t.sequence, t.at, t.address, t.kind, t.why
      from jsonb_to_recordset(%(trace)s)
        as t(sequence bigint, at timestamptz, address text, kind text, why text)
     where exists (select from run x where not x.undone or %(undoing)s)
    on conflict (entry, sequence) do update
       set at = excluded.at, address = excluded.address, kind = excluded.kind, why = excluded.why
     where d.at < excluded.at
), promised as (
    insert into promises as p (entry, n, name, by, state, at, reason, sequence)
    select %(entry)s, t.n, t.name, t.by, t.state, t.at, t.reason, %(sequence)s
      from jsonb_to_recordset(%(promises)s)
        as t(n bigint, name text, by timestamptz, state text, at timestamptz, reason text)
     where exists (select from run)
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
      cross join run r
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

_WRITE: LiteralString = "with " + _RUN + _LOCKED + _PARTS
_WRITE_WHERE_ALONE: LiteralString = "with " + _RUN + _ALONE + _LOCKED + _PARTS

_WHAT_FOLLOWS: LiteralString = """
select t.customer, t.workflow_id, t.state, t.undone, t.since, l.kind, l.id
  from told t left join listened l on true
"""


class RunRecordStore:
    """Writes records of runs. `ring` is called where touchpoints were put back for a run."""

    def __init__(self, pool: Pool, ring: Callable[[], None] | None = None) -> None:
        self._pool = pool
        self._ring = ring or (lambda: None)

    async def write(self, run: RunReference, record: RunRecord) -> None:
        """Write a record: twice is the same as once; an older never overwrites a newer one.

        Subjects that the run newly listens to are routed to it again, from when it began.
        """
        reach("record.before_write")
        if not await self._written_alone(run, record):
            async with self._pool.connection() as connection:
                if record.outcome is not None:
                    # A message that is being held now is either told or sees the end.
                    await lock_canonical(connection, run.customer)
                told = await write_record(connection, run, record)
            if told:
                self._ring()
        reach("record.after_write")

    async def _written_alone(self, run: RunReference, record: RunRecord) -> bool:
        """Write it as a single statement; False where more follows from it than that."""
        if record.outcome is not None or record.listens is not None:
            return False
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                _WRITE + "select from run where undone", _values(run, record, undoing=False)
            )
            return await cursor.fetchone() is None

    async def end_within_task(self, run: RunReference, record: RunRecord) -> bool:
        """Write the end, and undo it where the run tells otherwise later; False where others wait for the end.

        They are told for good: the end is to be written by `write` then, from an activity.
        """
        reach("record.before_end")
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                _WRITE_WHERE_ALONE + "select from run",
                _values(run, record, undoing=True) | {"asked_by": ASKED_BY},
            )
            written = await cursor.fetchone() is not None
        reach("record.after_end")
        return written


async def write_record(connection: Connection, run: RunReference, record: RunRecord) -> bool:
    """Write a record in the caller's transaction, which holds the customer's lock where the record tells of an end.

    Returns whether touchpoints were put back or made; ring `stores.wakeup.Bell` after the commit then.
    """
    cursor = await connection.execute(_WRITE + _WHAT_FOLLOWS, _values(run, record, undoing=True))
    found = await cursor.fetchall()
    again = await _route_again(connection, found) if found else 0
    if record.outcome is not None:
        return await tell_of_end(connection, run, record) or bool(again)
    return bool(again)


async def _route_again(connection: Connection, found: list[dict[str, Any]]) -> int:
    """Route again what it newly listens to, and all that came while it passed for over."""
    told, subjects = found[0], dict[str, tuple[str, ...]]()
    for row in found:
        if row["kind"] is not None:
            subjects[row["kind"]] = (*subjects.get(row["kind"], ()), row["id"])
    customer, run, since = told["customer"], told["workflow_id"], told["since"]
    again = await route_subjects_again(
        connection, customer=customer, run=run, subjects=subjects, since=since
    )
    if told["undone"] and told["state"] == "open":
        again += await route_again(connection, customer=customer, run=run, since=since)
    return again


async def write_with(
    connection: Connection,
    run: RunReference,
    record: RunRecord,
    change: LiteralString,
    values: Mapping[str, object],
) -> bool:
    """Write a record that tells of no end and no subjects, and change rows of another table, in one statement.

    `change` comes second, as everywhere where both are locked. Returns whether it changed a row.
    """
    assert record.outcome is None
    assert record.listens is None
    query = (
        _WRITE + ", changed as (" + change + " and (select count(*) from told) >= 0 returning 1)"
    )
    cursor = await connection.execute(
        query + " select exists (select from changed) as changed",
        {**_values(run, record, undoing=True), **values},
    )
    row = await cursor.fetchone()
    return bool(row and row["changed"])


def _values(run: RunReference, record: RunRecord, *, undoing: bool) -> dict[str, Any]:
    listens, at = record.listens, stamp(record.at)
    return {
        "undoing": undoing,
        "outside": ENDED_OUTSIDE,
        "entry": run.entry,
        "sequence": record.sequence,
        "at": record.at,
        "stage": record.stage,
        "waits_for": jsonb(record.waits_for),
        "wakes_at": record.wakes_at,
        "stamp": at,
        "stands": jsonb(
            {
                address: at if since is None else stamp(since)
                for address, since in record.stands.items()
            }
        ),
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
