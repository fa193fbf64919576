"""Putting touchpoints back into the outbox for a run that came to listen after they had arrived.

Both functions run in the caller's transaction, beside the statement that makes the run listen,
and hold the units' rows until it commits: see `stores.outbox`. A run that had a touchpoint
already is not told again.

What a run was certainly never told comes under a new number: a router that died may have told it
higher ones, and nobody knows which. What it may have been told keeps its number, so that the run
knows it for the same.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from contracts.routing import customer_unit, subject_unit
from journey.program import Program
from journey.touchpoint import Touchpoint
from stores.database import Connection, clean_text, jsonb

TIMES_GIVEN = """count(*) filter (where f ->> 'fate' in ('signalled', 'entered'))
                - count(*) filter (where f ->> 'fate' = 'handed_back')"""
"""Of fates `f` of one run: how often it was given a touchpoint and did not hand it back."""

_TIMES_HAD = f"""{TIMES_GIVEN}
                + count(*) filter (where f ->> 'fate' = 'perhaps' and exists (
                      select from runs r where r.entry = (f ->> 'entry')::bigint and r.state = 'open'))"""

# What a run has is what it, or one before it under the same workflow id, was given or may have been given and did
# not hand back. What came to somebody who became this customer has a number of another unit, and gets one of this.
_AGAIN = f"""
with of_all as materialized (
    select array(select %(customer)s::text union all
                 select customer from customers where merged_into = %(customer)s) as ids
), found as (
    select a.touchpoint, a.received_at, a.number, a.customer = %(customer)s as own,
           a.customer = %(customer)s and (
               a.number < %(highest)s and a.touchpoint <> all(array(
                   select touchpoint from message_ids where message_id = any(%(told_ids)s)))
            or %(moved)s and not exists (
                   select 1 from touchpoints t
                    where t.received_at = a.received_at and t.touchpoint = a.touchpoint
                      and t.event = any(%(events)s)
                      and (t.subject_id is null
                        or t.customer is not null and t.subject_kind <> all(%(kinds)s)
                        or exists (select 1 from listening l
                                    where l.kind = t.subject_kind and l.id = t.subject_id
                                      and l.workflow_id = %(run)s)))) as anew
      from arrivals a
     where a.customer = any((select ids from of_all)::text[]) and a.received_at >= %(since)s
       and 0 >= (select {_TIMES_HAD}
                   from arrivals b cross join jsonb_array_elements(b.fates) f
                  where b.customer = any((select ids from of_all)::text[])
                    and b.touchpoint = a.touchpoint and f ->> 'run' = %(run)s)
       and (a.customer = %(customer)s
            or not exists (select 1 from arrivals b
                            where b.customer = %(customer)s and b.touchpoint = a.touchpoint))
), missing as (
    select * from found f
     where not exists (select 1 from outbox o
                        where o.unit = %(unit)s and o.touchpoint = f.touchpoint and o.run = %(run)s
                          and (not f.anew or o.number is null or o.number > (
                              select told_up_to from routing_units where unit = %(unit)s)))
), counted as (
    update routing_units set numbered = numbered + more
      from (select count(*) as more from missing where anew) f
     where unit = %(unit)s and more > 0
    returning numbered - more as before
)
insert into outbox (unit, touchpoint, received_at, run, number)
select %(unit)s, touchpoint, received_at, %(run)s,
       case when anew then (select before from counted)
                           + row_number() over (partition by anew order by number)
       end
  from missing order by own, anew, number
"""

_SUBJECTS_AGAIN = f"""
with found as (
    select t.touchpoint, t.received_at, a.number
      from jsonb_to_recordset(%(subjects)s) as s(kind text, id text)
      join touchpoints t on t.subject_kind = s.kind and t.subject_id = s.id
                        and t.received_at >= %(since)s
                        and (t.customer is null or t.customer = %(customer)s)
      left join arrivals a on a.customer = %(customer)s and a.touchpoint = t.touchpoint
     where 0 >= (select {_TIMES_HAD}
                   from jsonb_array_elements(a.fates) f where f ->> 'run' = %(run)s)
       and not exists (select 1 from outbox o
                        where o.unit = %(unit)s and o.touchpoint = t.touchpoint and o.run = %(run)s
                          and (o.number is null or o.number > (
                              select told_up_to from routing_units where unit = %(unit)s)))
), counted as (
    update routing_units set numbered = numbered + more
      from (select count(number) as more from found) f
     where unit = %(unit)s and more > 0
    returning numbered - more as before
)
insert into outbox (unit, touchpoint, received_at, run, number)
select %(unit)s, touchpoint, received_at, %(run)s,
       case when number is not null
            then (select before from counted) + row_number() over (order by number) end
  from found order by number nulls last, touchpoint
"""


async def route_again(
    connection: Connection,
    *,
    customer: str,
    run: str,
    since: datetime,
    heard: Sequence[Touchpoint] = (),
    before: Program | None = None,
) -> int:
    """Put every touchpoint the customer had, received at or after `since`, back, aimed at this run.

    `heard`: what it is known to have been told. `before`: the version that it had, where that changed.
    They keep their numbers, so they come before anything that arrives later, but for what it was
    certainly not told. Returns how many. Call it in the transaction that opens the run, behind
    `route_subjects_again`. Afterwards ring `stores.wakeup.Bell`.
    """
    unit = customer_unit(customer)
    await hold_units(connection, [unit])
    values = _values(unit, customer, run, since) | {
        "highest": max((each.number or 0 for each in heard), default=0),
        "told_ids": [clean_text(each.message_id) for each in heard],
        "moved": before is not None,
        "events": sorted(before.listens) if before else [],
        "kinds": sorted(before.subject_kinds) if before else [],
    }
    cursor = await connection.execute(_AGAIN, values)
    return cursor.rowcount


async def route_subjects_again(
    connection: Connection,
    *,
    customer: str,
    run: str,
    subjects: Mapping[str, tuple[str, ...]],
    since: datetime,
) -> int:
    """Put the touchpoints about these subjects (kind → ids), received at or after `since`, into
    the customer's unit, aimed at this run, which was told nothing of these subjects before.

    Call it in the transaction that writes the run's rows in `listening`. Returns how many.
    """  # noqa: D205
    pairs = sorted({(kind, one) for kind, ids in subjects.items() for one in ids})
    if not pairs:
        return 0
    unit = customer_unit(customer)
    await hold_units(connection, [unit])
    await hold_units(connection, sorted(subject_unit(kind, one) for kind, one in pairs))
    listed = jsonb([{"kind": kind, "id": one} for kind, one in pairs])
    values = _values(unit, customer, run, since) | {"subjects": listed}
    cursor = await connection.execute(_SUBJECTS_AGAIN, values)
    return cursor.rowcount


def _values(unit: str, customer: str, run: str, since: datetime) -> dict[str, Any]:
    return {
        "unit": unit,
        "customer": customer,
        "run": run,
        "since": since,
    }


async def hold_units(connection: Connection, units: list[str]) -> None:
    """Keep units from being numbered until the transaction ends; made where they are not there."""
    await connection.execute(
        "insert into routing_units (unit) select unnest(%s::text[]) on conflict do nothing",
        [units],
    )
    await connection.execute(
        "select 1 from routing_units where unit = any(%s) order by unit for key share", [units]
    )
