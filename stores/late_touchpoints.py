"""Touchpoints that came to a run after its end, on their way to whoever comes after it."""

from collections.abc import Callable, Sequence

from contracts.ids import workflow_id
from contracts.journey_run import RunReference
from contracts.routing import Fate, customer_unit
from journey.touchpoint import Touchpoint
from stores.customers import find_customer, read_customer
from stores.database import Connection, Pool, clean_text, jsonb
from stores.rerouting import hold_units
from stores.touchpoints import NewTouchpoint, store_touchpoints

# A touchpoint that the router sent has arrived: it is taken back from the run, and routed again once
# for each number under which it was told. It may have arrived as that of a customer who became this one.
_TAKE_BACK = """
with found as (
    select distinct on (a.touchpoint, f.fate) a.customer, a.touchpoint, m.received_at, f.fate
      from jsonb_to_recordset(%(numbered)s) as f(message_id text, fate jsonb)
      join message_ids m using (message_id)
      join arrivals a on a.touchpoint = m.touchpoint
       and a.customer = any(array(
        select %(customer)s::text union all
        select customer from customers where merged_into = %(customer)s))
     order by a.touchpoint, f.fate, a.customer <> %(customer)s
), taken as (
    update arrivals a set fates = a.fates || f.fate
      from found f
     where a.customer = f.customer and a.touchpoint = f.touchpoint and not a.fates @> f.fate
    returning a.number, a.touchpoint, f.received_at
)
insert into outbox (unit, touchpoint, received_at, run)
select %(unit)s, touchpoint, received_at, %(following)s from taken order by number
"""

# Of a customer who was two before, the run that goes on may have the id of either.
_FOLLOWING = """
select coalesce((select workflow_id from runs
                  where journey = %(journey)s and customer = %(customer)s
                    and coalesce(key, '') = coalesce(%(key)s, '')
                    and state = 'open' and gives_way_to is null), %(named)s) as following
"""

_AIM = (
    "update outbox set run = %(following)s where unit = %(unit)s and touchpoint = any(%(stored)s)"
)


class LateTouchpointStore:
    """Takes back what a run can no longer have. `ring` wakes the routers."""

    def __init__(self, pool: Pool, ring: Callable[[], None] | None = None) -> None:
        self._pool = pool
        self._ring = ring or (lambda: None)

    async def hand_back(
        self, run: RunReference, run_id: str, key: str | None, touchpoints: Sequence[Touchpoint]
    ) -> None:
        """Route touchpoints to the run after this one, which they may begin. Twice is the same as once.

        What a foreign sender signalled is stored now, as the customer's own; where its message id is
        known already, it was stored or is being routed, and nothing is done.
        """
        async with self._pool.connection() as connection:
            found = await find_customer(connection, run.customer)
            if found is None:  # removed meanwhile, with all that they ever did
                return
            found = await read_customer(connection, found.customer, lock=True) or found
            unit = customer_unit(found.customer)
            await hold_units(connection, [unit])
            foreign = [each for each in touchpoints if each.number is None]
            stored = await store_touchpoints(
                connection, [_new(found.customer, each) for each in foreign]
            )
            back: Fate = {"fate": "handed_back", "run": run.workflow_id, "run_id": run_id}
            numbered = [
                {
                    "message_id": clean_text(each.message_id),
                    "fate": [back | {"number": each.number}],
                }
                for each in touchpoints
                if each.number is not None
            ]
            values = {
                "unit": unit,
                "customer": found.customer,
                "following": await _following(connection, run.journey, found.customer, key),
                "numbered": jsonb(numbered),
                "stored": [number for number in stored if number is not None],
            }
            await connection.execute(_AIM, values)
            await connection.execute(_TAKE_BACK, values)
        self._ring()


async def _following(connection: Connection, journey: str, customer: str, key: str | None) -> str:
    named = workflow_id(journey, customer, key)
    values = {"journey": journey, "customer": customer, "key": key, "named": named}
    row = await (await connection.execute(_FOLLOWING, values)).fetchone()
    return row["following"] if row else named


def _new(customer: str, touchpoint: Touchpoint) -> NewTouchpoint:
    return NewTouchpoint(
        message_id=touchpoint.message_id,
        event=touchpoint.event,
        occurred_at=touchpoint.timestamp,
        customer=customer,
        properties=touchpoint.properties,
        context=touchpoint.context,
    )
