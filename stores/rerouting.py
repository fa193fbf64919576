"""Putting touchpoints back into the outbox for a run that came to listen after they had arrived.

Both functions run in the caller's transaction, beside the statement that makes the run listen,
and hold the units' rows until it commits: see `stores.outbox`. A run that had a touchpoint
already is not told again.
"""

from collections.abc import Mapping
from datetime import datetime

from contracts.routing import customer_unit, subject_unit
from stores.database import Connection, jsonb

# What came to somebody who became this customer has a number of another unit, and gets one of this.
_AGAIN = """
with of_all as materialized (
    select array(select %(customer)s::text union all
                 select customer from customers where merged_into = %(customer)s) as ids
)
insert into outbox (unit, touchpoint, received_at, run, number)
select %(unit)s, a.touchpoint, a.received_at, %(run)s,
       case when a.customer = %(customer)s then a.number end
  from arrivals a
 where a.customer = any((select ids from of_all)::text[]) and a.received_at >= %(since)s
   and not exists (select 1 from arrivals b
                    where b.customer = any((select ids from of_all)::text[])
                      and b.touchpoint = a.touchpoint
                      and (b.fates @> %(told)s or b.fates @> %(entered)s))
   and (a.customer = %(customer)s
        or not exists (select 1 from arrivals b
                        where b.customer = %(customer)s and b.touchpoint = a.touchpoint))
   and not exists (select 1 from outbox o
                    where o.unit = %(unit)s and o.touchpoint = a.touchpoint and o.run = %(run)s)
 order by a.customer = %(customer)s, a.number
"""

_SUBJECTS_AGAIN = """
insert into outbox (unit, touchpoint, received_at, run, number)
select %(unit)s, t.touchpoint, t.received_at, %(run)s, a.number
  from jsonb_to_recordset(%(subjects)s) as s(kind text, id text)
  join touchpoints t on t.subject_kind = s.kind and t.subject_id = s.id
                    and t.received_at >= %(since)s
                    and (t.customer is null or t.customer = %(customer)s)
  left join arrivals a on a.customer = %(customer)s and a.touchpoint = t.touchpoint
 where (a.fates is null or not (a.fates @> %(told)s or a.fates @> %(entered)s))
   and not exists (select 1 from outbox o
                    where o.unit = %(unit)s and o.touchpoint = t.touchpoint and o.run = %(run)s)
 order by a.number nulls last, t.touchpoint
"""


async def route_again(connection: Connection, *, customer: str, run: str, since: datetime) -> int:
    """Put every touchpoint the customer had, received at or after `since`, back, aimed at this run.

    They keep their numbers, so they come before anything that arrives later. Returns how many.
    Call it in the transaction that opens the run. Afterwards ring `stores.wakeup.Bell`.
    """
    unit = customer_unit(customer)
    await hold_units(connection, [unit])
    cursor = await connection.execute(_AGAIN, _values(unit, customer, run, since))
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
    the customer's unit, aimed at this run.

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


def _values(unit: str, customer: str, run: str, since: datetime) -> dict[str, object]:
    return {
        "unit": unit,
        "customer": customer,
        "run": run,
        "since": since,
        "told": jsonb([{"run": run, "fate": "signalled"}]),
        "entered": jsonb([{"run": run, "fate": "entered"}]),
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
