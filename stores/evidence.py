"""The evidence in the database: every row that tells whether something was lost or came twice."""

from datetime import datetime
from typing import Any, LiteralString

from contracts.evidence import Seen, SeenArrival, SeenDelivery, SeenRun, SeenTouchpoint
from stores.database import Connection, Pool

_RUNS: LiteralString = """
select r.entry, r.workflow_id, r.first_run_id, coalesce(r.version, '') as version, r.customer,
       r.state = 'open' as open, least(r.began_at, m.received_at) as since, r.wakes_at,
       r.waits_for, r.needs_attention,
       exists (select from cases c where c.entry = r.entry and c.state in ('open', 'claimed'))
           as with_staff,
       coalesce((select jsonb_agg(jsonb_build_array(l.kind, l.id)) from listening l
                  where l.entry = r.entry), '[]') as listens
  from runs r left join message_ids m on m.message_id = r.entering_message_id
 where r.state <> 'not_admitted' order by r.entry
"""

_TOUCHPOINTS: LiteralString = """
select t.touchpoint, t.message_id, t.event, t.received_at, t.customer, t.subject_kind,
       t.subject_id, t.event <> '$identify' or t.properties <> '{}' as routed
  from touchpoints t join message_ids using (message_id, touchpoint) order by t.touchpoint
"""

_ARRIVALS: LiteralString = """
select customer, number, touchpoint, fates from arrivals order by customer, number
"""

_DELIVERIES: LiteralString = """
select key, state, uncertain from deliveries
"""

_BECAME: LiteralString = """
select customer, merged_into from customers where merged_into is not null
"""

_LEFT: LiteralString = """
select (select count(*) from outbox) as pending, clock_timestamp() as at,
       (select count(*) from routing_units
         where leased_by is not null and leased_until > clock_timestamp()) as leases
"""


class EvidenceStore:
    """Reads only, everything at one moment."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def seen(self) -> Seen:
        """All of it. For a day of customers, not for a year of them."""
        async with self._pool.connection() as connection:
            await connection.execute("set transaction isolation level repeatable read")
            runs = await _rows(connection, _RUNS)
            touchpoints = await _rows(connection, _TOUCHPOINTS)
            arrivals = await _rows(connection, _ARRIVALS)
            deliveries = await _rows(connection, _DELIVERIES)
            became = await _rows(connection, _BECAME)
            left = (await _rows(connection, _LEFT))[0]
        at: datetime = left["at"]
        return Seen(
            at=at,
            runs=tuple(_run(row) for row in runs),
            touchpoints=tuple(_touchpoint(row) for row in touchpoints),
            arrivals=tuple(_arrival(row) for row in arrivals),
            deliveries=tuple(SeenDelivery(**row) for row in deliveries),
            became={row["customer"]: row["merged_into"] for row in became},
            pending=left["pending"],
            leases=left["leases"],
        )


def _run(row: dict[str, Any]) -> SeenRun:
    listens = frozenset((kind, one) for kind, one in row.pop("listens"))
    waits_for = tuple(row.pop("waits_for"))
    return SeenRun(**row, waits_for=waits_for, listens=listens)


def _arrival(row: dict[str, Any]) -> SeenArrival:
    fates = tuple(row.pop("fates"))
    return SeenArrival(**row, fates=fates)


def _touchpoint(row: dict[str, Any]) -> SeenTouchpoint:
    kind, one = row.pop("subject_kind"), row.pop("subject_id")
    return SeenTouchpoint(**row, subject=None if one is None else (kind, one))


async def _rows(connection: Connection, statement: LiteralString) -> list[dict[str, Any]]:
    cursor = await connection.execute(statement)
    return await cursor.fetchall()
