"""The outbox: touchpoints on their way to runs, per unit of routing, in an order fixed once.

A unit's row in `routing_units` is locked `for update` by whoever numbers or fans out, and
`for key share` by whoever puts touchpoints back (`stores.rerouting`): so a run that begins to
listen either sees a touchpoint among the arrivals, or the router sees the run. Never neither.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.routing import (
    GIVEN,
    LeaseLostError,
    NumberedUnit,
    PendingBatch,
    PendingTouchpoint,
    PutBack,
    RoutedBatch,
    StartingRun,
    customer_of,
    had_by,
    subject_of,
    unwritten,
)
from journey.message_events import BOUNCED, DELIVERED, OPENED, REPLIED
from journey.page_events import ERASURE_REQUESTED, PERSON_WANTED
from journey.touchpoint import CASE_DECIDED, RUN_ENDED
from stores.database import Connection, Pool, jsonb, one_statement
from stores.joined_runs import forward, let_runs_follow
from stores.requested_entries import tell_not_started
from stores.rerouting import TIMES_GIVEN, route_again, route_subjects_again

__all__ = ["OutboxStore", "route_again", "route_subjects_again"]

HEARD_EACH = timedelta(minutes=15)
"""The same touchpoint by the same channel is noted on a case of its customer once in so long."""

OF_CLEW = [
    CASE_DECIDED, DELIVERED, OPENED, BOUNCED, REPLIED, RUN_ENDED, PERSON_WANTED, ERASURE_REQUESTED,
]  # fmt: skip
"""What we tell runs ourselves, or tell a case otherwise."""

_OURS = "unit = %(unit)s and leased_by = %(holder)s and leased_until > clock_timestamp()"

# A touchpoint that the customer had before keeps its number on a row that is aimed at one run. On
# any other row it gets a new one: runs that did not have it may have been given higher numbers. So may
# any run where a batch was begun and not finished (its rows are still there, up to `told_up_to`): then
# what is aimed at a run gets a new number, unless that batch had it for this run too, which keeps it
# for a repetition.
# What came to somebody who became this customer was told to their runs: those fates stay with it.
# Where staff have a case of the customer, it is noted there that something came, by name and channel
# only, and each no more often than every so often; a case that was put off until it came wakes. Where
# there is none, that is one look into an index, within this statement.
_NUMBER = """
with begun as materialized (
    select outbox, touchpoint, run from outbox
     where unit = %(unit)s and number <= %(told_up_to)s
), waiting as (
    select outbox, touchpoint, received_at, run from outbox
     where unit = %(unit)s and number is null order by outbox limit %(limit)s
), known as (
    select a.touchpoint, w.run, a.number from arrivals a join waiting w using (touchpoint)
     where a.customer = %(customer)s
), kept as (
    select touchpoint, run, number from known k
     where run is not null
       and (number > %(told_up_to)s or not exists (select from begun)
            or exists (select from begun b where b.touchpoint = k.touchpoint
                                             and (b.run is null or b.run = k.run)))
), more as materialized (
    select (select count(*) from (select from outbox where unit = %(unit)s and number is not null
                                   limit %(limit)s + 1) n)
         + (select count(*) from waiting) > %(limit)s as yes
), fresh as (
    select w.touchpoint, min(w.received_at) as received_at,
           %(numbered)s + row_number() over (order by min(w.outbox)) as number
      from waiting w
     where not exists (select from kept k where k.touchpoint = w.touchpoint and k.run = w.run)
     group by w.touchpoint
), arrived as (
    insert into arrivals (customer, number, touchpoint, received_at, fates)
    select %(customer)s, f.number, f.touchpoint, f.received_at,
           case when not exists (select 1 from customers where merged_into = %(customer)s)
                then '[]'::jsonb
                else coalesce((
                    select jsonb_agg(e.fate || jsonb_build_object(
                               'number', coalesce(e.fate -> 'number', to_jsonb(o.number))))
                      from arrivals o cross join jsonb_array_elements(o.fates) as e(fate)
                     where o.touchpoint = f.touchpoint
                       and o.customer = any(array(
                           select customer from customers where merged_into = %(customer)s))), '[]')
           end
      from fresh f
     where not exists (select 1 from known k where k.touchpoint = f.touchpoint)
), marked as (
    update outbox o
       set number = coalesce(k.number, f.number)
      from waiting w left join kept k on k.touchpoint = w.touchpoint and k.run = w.run
                     left join fresh f on f.touchpoint = w.touchpoint
     where o.outbox = w.outbox
), counted as (
    update routing_units set numbered = numbered + (select count(*) from fresh),
           told_up_to = case when (select yes from more) then told_up_to
                             else numbered + (select count(*) from fresh) end
     where unit = %(unit)s
       and (exists (select from fresh) or told_up_to < numbered and not (select yes from more))
), on_case as materialized (
    select "case", snoozed_for, opened_wall, n from cases
     where customer = %(customer)s and under_way
), came as (
    select distinct on (t.event, by.channel) t.event, by.channel, t.occurred_at
      from (select from on_case limit 1) c cross join fresh f
     cross join lateral (
           select event, occurred_at, context, properties from touchpoints
            where received_at = f.received_at and touchpoint = f.touchpoint) t
     cross join lateral (
           select left(coalesce(t.context ->> 'channel', t.context ->> 'place', t.context ->> 'source',
                                t.properties ->> 'channel', ''), 100) as channel) by
     order by t.event, by.channel, f.number
), heard as (
    insert into case_events ("case", at, who, did, detail)
    select c."case", occurred_at, 'customer', 'heard',
           jsonb_build_object('event', event, 'channel', channel)
      from came cross join (select "case" from on_case order by opened_wall desc, n desc limit 1) c
     where event <> all(%(of_clew)s) and left(event, 1) <> '$'
       and not exists (
           select from case_events e
            where e."case" = c."case" and e.did = 'heard' and e.at_wall > now() - %(heard_each)s
              and e.detail = jsonb_build_object('event', came.event, 'channel', came.channel))
), woken as (
    update cases set snoozed_until = least(snoozed_until, acted_at, opened_at)
     where state = 'snoozed' and "case" in (
           select c."case" from on_case c join came on came.event = c.snoozed_for)
    returning "case"
), told as (
    insert into case_bells ("case") select "case" from woken
    on conflict ("case") do update set rung_at = clock_timestamp(), held_to = null
)
select exists (select 1 from outbox where unit = %(unit)s and run is not null) as aimed,
       array(select outbox from begun) as begun, (select yes from more) as more
"""

# What is aimed at a run must not come under a number below one that the run was given already:
# the run would take it for a repetition. Such rows get new numbers, in their old order.
_RENUMBER = f"""
with aimed as (
    select o.outbox, o.run, o.number from outbox o
     where o.unit = %(unit)s and o.run is not null and o.number is not null
       and 0 >= (
           select {TIMES_GIVEN}
             from arrivals a cross join jsonb_array_elements(a.fates) f
            where a.customer = any(array(
        select %(customer)s::text union all
        select customer from customers where merged_into = %(customer)s))
              and a.touchpoint = o.touchpoint and f ->> 'run' = o.run)
), given as (
    select f ->> 'run' as run, max(coalesce((f ->> 'number')::bigint, a.number)) as number
      from arrivals a cross join jsonb_array_elements(a.fates) f
     where a.customer = any(array(
        select %(customer)s::text union all
        select customer from customers where merged_into = %(customer)s))
       and f ->> 'fate' in ('signalled', 'entered') and f ->> 'run' in (select run from aimed)
     group by 1
), late as (
    select a.outbox, row_number() over (order by a.number, a.outbox)
           + (select numbered from routing_units where unit = %(unit)s) as number
      from aimed a join given g on g.run = a.run and a.number <= g.number
), moved as (
    update outbox o set number = l.number from late l where o.outbox = l.outbox
)
update routing_units set numbered = numbered + (select count(*) from late),
       told_up_to = case when %(more)s then told_up_to
                         else numbered + (select count(*) from late) end
 where unit = %(unit)s and exists (select 1 from late)
"""

# Where a batch cannot have all that is numbered, it may tell up to the last that it has.
_UP_TO_THE_LAST = """
update routing_units
   set told_up_to = greatest(told_up_to, (
           select number from outbox where unit = %(unit)s and number is not null
            order by number offset %(limit)s - 1 limit 1))
 where unit = %(unit)s
"""

_PENDING = """
select o.outbox as row, o.number, o.run, a.number as arrival, a.fates, t.touchpoint, t.message_id,
       t.event, t.occurred_at, t.properties, t.context, t.customer, t.subject_kind, t.subject_id
  from (select * from outbox where unit = %(unit)s and number is not null
         order by number fetch first %(limit)s rows with ties) o
  left join touchpoints t on t.received_at = o.received_at and t.touchpoint = o.touchpoint
  left join arrivals a on a.customer = %(customer)s and a.touchpoint = o.touchpoint
 order by o.number, o.outbox
"""

_FAN_OUT = """
with waiting as (
    select outbox, touchpoint, received_at from outbox
     where unit = %(unit)s order by outbox limit %(limit)s
), told as (
    insert into outbox (unit, touchpoint, received_at)
    select 'c/' || l.customer, w.touchpoint, w.received_at
      from waiting w cross join
           (select distinct customer from listening where kind = %(kind)s and id = %(id)s) l
     order by w.outbox, l.customer
    returning 1
), done as (
    delete from outbox o using waiting w where o.outbox = w.outbox
)
select count(*) as told from told
"""

SIGNAL_PACE = timedelta(milliseconds=250)
"""How far apart the signals to one run are, once there were four at once: Temporal advises five a second."""

AT_ONCE = 4 * SIGNAL_PACE

# `paced_until` is when the customer's signals so far would have been told, one at a time: who is further
# ahead of the clock than four rests until they are not, and what comes meanwhile is told in one signal.
_FINISH = f"""
with held as (
    update routing_units u set starting = %(starting)s, leased_by = null, paced_until = p.until,
           leased_until = case when p.rest > interval '0' then clock_timestamp() + p.rest end
      from (select until, until - clock_timestamp() - %(at_once)s as rest from (
                select greatest(paced_until, clock_timestamp()) + %(told)s as until
                  from routing_units where unit = %(unit)s) r) p
     where {_OURS} returning greatest(p.rest, interval '0') as rest
), done as (
    delete from outbox where outbox = any(%(rows)s) and exists (select 1 from held)
), told as (
    update arrivals a set fates = a.fates || f.fates
      from jsonb_to_recordset(%(fates)s) as f(touchpoint bigint, fates jsonb)
     where a.customer = %(customer)s and a.touchpoint = f.touchpoint
       and exists (select 1 from held)
)
select rest from held
"""


_PUT_BACK = """
select o.run, o.touchpoint, max(o.number) as highest,
       min(o.number) filter (where m.touchpoint = o.touchpoint) as entered_under
  from outbox o
  left join runs r on r.workflow_id = o.run and r.state = 'open'
  left join message_ids m on m.message_id = r.entering_message_id
 where o.unit = %s and o.run is not null and o.number is not null
 group by o.run, o.touchpoint
"""


class OutboxStore:
    """What is pending, per unit of routing; every change only under the unit's lease."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def number(self, holder: str, unit: str, limit: int) -> NumberedUnit:
        """Number what waits, each touchpoint once.

        Raises: `LeaseLostError`, and `RunsAwaitedError` where the unit is to be worked later.
        """
        values: dict[str, Any] = {
            "holder": holder, "unit": unit, "customer": customer_of(unit), "limit": limit,
        }  # fmt: skip
        async with self._pool.connection() as connection:
            held = await _locked(connection, values)
            if held["forward_to"] is not None:
                await forward(connection, unit, held["forward_to"])
                return NumberedUnit(await _still_starting(connection, held["starting"]))
            if held["joins"]:
                if not await let_runs_follow(connection, holder, unit, held["joins"]):
                    return NumberedUnit(await _still_starting(connection, held["starting"]))
                held = await _locked(connection, values)
            told = {
                "numbered": held["numbered"], "told_up_to": held["told_up_to"],
                "of_clew": OF_CLEW, "heard_each": HEARD_EACH,
            }  # fmt: skip
            cursor = await connection.execute(_NUMBER, values | told)
            row = await cursor.fetchone()
            assert row is not None
            if row["aimed"]:
                await connection.execute(_RENUMBER, values | {"more": row["more"]})
            if row["more"]:
                await connection.execute(_UP_TO_THE_LAST, values)
            starting = await _still_starting(connection, held["starting"])
            return NumberedUnit(starting, frozenset(row["begun"]))

    async def pending(
        self, unit: str, limit: int, begun: frozenset[int] = frozenset()
    ) -> PendingBatch:
        """The numbered touchpoints of a customer, the lowest numbers first; `begun`: as `number` said."""
        values = {"unit": unit, "customer": customer_of(unit), "limit": limit}
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(_PENDING, values)
            rows = await cursor.fetchall()
        return PendingBatch(
            touchpoints=tuple(
                _pending(row, doubtful=row["row"] in begun)
                for row in rows
                if row["event"] is not None
            ),
            gone=tuple(row["row"] for row in rows if row["event"] is None),
        )

    async def put_back(self, unit: str) -> dict[str, PutBack]:
        """What is pending for one run alone, by the run."""
        found: dict[str, PutBack] = {}
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(_PUT_BACK, [unit])
            for row in await cursor.fetchall():
                of_run = found.setdefault(row["run"], PutBack())
                of_run.numbers[row["touchpoint"]] = row["highest"]
                of_run.entered_under = row["entered_under"] or of_run.entered_under
        return found

    async def subjects_of(self, entries: Sequence[int]) -> dict[int, set[tuple[str, str]]]:
        """What each of these admissions listens to, besides its customer."""
        found: dict[int, set[tuple[str, str]]] = {entry: set() for entry in entries}
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select entry, kind, id from listening where entry = any(%s)", [list(entries)]
            )
            for row in await cursor.fetchall():
                found[row["entry"]].add((row["kind"], row["id"]))
        return found

    async def fan_out(self, holder: str, unit: str, limit: int) -> int:
        """Hand a subject's touchpoints to every customer with a run that listens to it.

        Ends the lease. Returns how many rows it made. Raises: `LeaseLostError`.
        """
        kind, subject = subject_of(unit)
        values = {"holder": holder, "unit": unit, "limit": limit, "kind": kind, "id": subject}
        async with self._pool.connection() as connection:
            await _locked(connection, values)
            cursor = await connection.execute(_FAN_OUT, values)
            row = await cursor.fetchone()
            await connection.execute(
                "update routing_units set leased_by = null, leased_until = null where unit = %s",
                [unit],
            )
        return row["told"] if row else 0

    async def finish(self, holder: str, unit: str, batch: RoutedBatch) -> timedelta:
        """Take a batch out, write its fates and end the lease.

        Returns for how long the unit rests, so that a run is not sent signals too fast.
        Raises: `LeaseLostError`; then nothing is written.
        """
        starting = [
            {name: getattr(run, name) for name in StartingRun.__slots__} for run in batch.starting
        ]
        fates = [{"touchpoint": key, "fates": value} for key, value in batch.fates.items()]
        values = {
            "unit": unit,
            "holder": holder,
            "customer": customer_of(unit),
            "starting": jsonb(starting),
            "rows": [*batch.rows],
            "fates": jsonb(fates),
            "told": batch.signals * SIGNAL_PACE,
            "at_once": AT_ONCE,
        }
        if not batch.not_started:
            async with one_statement(self._pool) as connection:
                return await _finished(connection, values)
        async with self._pool.connection() as connection:
            rest = await _finished(connection, values)
            customer = customer_of(unit) or ""
            await tell_not_started(connection, customer, batch.not_started, datetime.now(UTC))
            return rest

    async def empty(self) -> bool:
        """Whether nothing at all is pending."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute("select 1 from outbox limit 1")
            return await cursor.fetchone() is None


async def _finished(connection: Connection, values: dict[str, Any]) -> timedelta:
    row = await (await connection.execute(_FINISH, values)).fetchone()
    if row is None:
        raise LeaseLostError(values["unit"])
    return row["rest"]


async def _locked(connection: Connection, values: dict[str, Any]) -> dict[str, Any]:
    cursor = await connection.execute(
        "select numbered, told_up_to, starting, forward_to, joins"
        f" from routing_units where {_OURS} for update",
        values,
    )
    held = await cursor.fetchone()
    if held is None:
        raise LeaseLostError(values["unit"])
    return held


async def _still_starting(
    connection: Connection, starting: list[dict[str, Any]]
) -> tuple[StartingRun, ...]:
    """Those not known to have ended; one that is open is told apart when runs are read."""
    if not starting:
        return ()
    cursor = await connection.execute(
        "select first_run_id from runs where first_run_id = any(%s) and state <> 'open'",
        [[run["first_run_id"] for run in starting]],
    )
    over = {row["first_run_id"] for row in await cursor.fetchall()}
    return tuple(StartingRun(**run) for run in starting if run["first_run_id"] not in over)


def _pending(row: dict[str, Any], *, doubtful: bool) -> PendingTouchpoint:
    about = (row["subject_kind"], row["subject_id"]) if row["subject_id"] is not None else None
    fates = row["fates"] or ()
    had = had_by(fates)
    return PendingTouchpoint(
        row=row["row"],
        touchpoint=row["touchpoint"],
        number=row["number"],
        arrival=row["arrival"],
        message_id=row["message_id"],
        event=row["event"],
        occurred_at=row["occurred_at"],
        run=row["run"],
        properties=row["properties"],
        context=row["context"],
        subject=about,
        own=row["customer"] is not None,
        fated=bool(had) or any(fate["fate"] not in (*GIVEN, "handed_back") for fate in fates),
        doubtful=doubtful,
        had_by=had,
        unwritten=unwritten(fates),
    )
