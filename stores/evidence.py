"""The evidence in the database: every row that tells whether something was lost or came twice."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

from contracts.evidence import (
    Said,
    Seen,
    SeenArrival,
    SeenDelivery,
    SeenRun,
    SeenTouchpoint,
)
from stores.database import Connection, Pool, one_statement

_IDS: LiteralString = """
select customer, canonical(customer) as who from unnest(%(customers)s::text[]) customer
union
select customer, merged_into from customers where merged_into = any(%(customers)s)
"""

_RUNS: LiteralString = """
select r.entry, r.workflow_id, r.first_run_id, coalesce(r.version, '') as version, r.customer,
       r.state = 'open' as open, least(r.began_at, m.received_at) as since,
       coalesce(m.touchpoint, 0) as entering, r.wakes_at, r.waits_for, r.needs_attention,
       exists (select from trace t where t.entry = r.entry and t.kind = 'moved') as moved,
       (select max(g.at) from merges g join merge_rows x using (merge)
         where g.stays = r.customer and g.undone_at is null and x."table" = 'runs'
           and x.key = jsonb_build_object('entry', r.entry)) as joined,
       exists (select from cases c where c.entry = r.entry and c.under_way)
           as with_staff,
       coalesce((select jsonb_agg(jsonb_build_array(l.kind, l.id)) from listening l
                  where l.entry = r.entry), '[]') as listens
  from runs r left join message_ids m on m.message_id = r.entering_message_id
 where r.state <> 'not_admitted'
"""

_TOUCHPOINTS: LiteralString = """
select t.touchpoint, t.message_id, t.event, t.received_at, t.customer, t.subject_kind,
       t.subject_id, t.event <> '$identify' or t.properties <> '{}' as routed
  from touchpoints t join message_ids using (message_id, touchpoint)
"""

# Their own, what came to them through a subject, and what happened to what their runs listen to.
_THEIRS: LiteralString = """
with sought as (
    select received_at, touchpoint from touchpoints where customer = any(%(ids)s)
    union
    select received_at, touchpoint from arrivals where customer = any(%(ids)s)
    union
    select t.received_at, t.touchpoint
      from listening l join runs r using (entry)
      join touchpoints t on t.subject_kind = l.kind and t.subject_id = l.id
                        and t.received_at >= r.began_at
     where l.customer = any(%(ids)s)
)
"""

_ARRIVALS: LiteralString = """
select customer, number, touchpoint, fates from arrivals
"""

# What left, or may have; who is in the middle of it now is not looked at.
_DELIVERIES: LiteralString = """
select d.key, d.state, d.uncertain, d.customer, d.purpose, d.channel, d.topic, d.journey, c.zone,
       case when d.state in ('accepted', 'unknown') then d.run_time end as left_at
  from deliveries d left join customers c on c.customer = d.customer
"""

_SETTLED: LiteralString = """
 where d.customer = any(%(ids)s)
   and (d.state <> 'intended' or coalesce(d.claimed_until, d.intended_at, now()) < now() - interval '10 minutes')
"""

_IN_SOUGHT: LiteralString = """
 where (t.received_at, t.touchpoint) in (select received_at, touchpoint from sought)
 order by t.touchpoint
"""

_OF_THEM: LiteralString = " and r.customer = any(%(ids)s) order by r.entry"

_BECAME: LiteralString = """
select customer, merged_into from customers where merged_into is not null
"""

_JOINED: LiteralString = """
select stays, max(at) as at from merges where undone_at is null group by stays
"""

_LEFT: LiteralString = """
select (select count(*) from outbox) as pending, clock_timestamp() as at,
       (select count(*) from routing_units
         where leased_by is not null and leased_until > clock_timestamp()) as leases
"""

_ON_THEIR_WAY: LiteralString = """
select c.customer from unnest(%(ids)s::text[]) as c(customer)
 where exists (select from outbox o where o.unit = 'c/' || c.customer)
"""

_SAID: LiteralString = """
select customer, purpose, channel, at, given as yes from consents
 where customer = any(%(ids)s) order by consent
"""

_POLICY: LiteralString = """
select max(published_at) as since from published where kind = 'policy' and name = 'house' and live
"""

_NEWEST: LiteralString = """
select distinct customer from (
    select customer from runs where state <> 'not_admitted' order by entry desc limit %s) newest
"""

_NEXT: LiteralString = """
select customer from customers where customer > %s and merged_into is null order by customer limit %s
"""


class EvidenceStore:
    """Reads only, everything at one moment."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def seen(self) -> Seen:
        """All of it. For a day of customers, not for a year of them."""
        async with self._pool.connection() as connection:
            await connection.execute("set transaction isolation level repeatable read")
            left = (await _rows(connection, _LEFT))[0]
            at: datetime = left["at"]
            return Seen(
                at=at,
                runs=_runs(await _rows(connection, _RUNS + " order by r.entry")),
                touchpoints=_touchpoints(
                    await _rows(connection, _TOUCHPOINTS + " order by t.touchpoint")
                ),
                arrivals=_arrivals(
                    await _rows(connection, _ARRIVALS + " order by customer, number")
                ),
                deliveries=_deliveries(await _rows(connection, _DELIVERIES)),
                became=_named(await _rows(connection, _BECAME)),
                joined=_named(await _rows(connection, _JOINED)),
                pending=left["pending"],
                leases=left["leases"],
            )

    async def of_customers(self, customers: Sequence[str]) -> tuple[Seen, int]:
        """What bears witness of these customers, and how many were left out: something is on its way to them.

        What is pending anywhere is not told: it is no fault where an installation lives.
        """
        async with self._pool.connection() as connection:
            await connection.execute("set transaction isolation level repeatable read, read only")
            who = _named(await _rows(connection, _IDS, {"customers": [*customers]}))
            busy = {
                who[row["customer"]]
                for row in await _rows(connection, _ON_THEIR_WAY, {"ids": [*who]})
            }
            who = {each: stays for each, stays in who.items() if stays not in busy}
            ids = {"ids": [*who]}
            at: datetime = (await _rows(connection, "select clock_timestamp() as at"))[0]["at"]
            of_them: LiteralString = " where customer = any(%(ids)s) order by customer, number"
            theirs = _THEIRS + _TOUCHPOINTS + _IN_SOUGHT
            seen = Seen(
                at=at,
                runs=_runs(await _rows(connection, _RUNS + _OF_THEM, ids)),
                touchpoints=_touchpoints(await _rows(connection, theirs, ids)),
                arrivals=_arrivals(await _rows(connection, _ARRIVALS + of_them, ids)),
                deliveries=_deliveries(await _rows(connection, _DELIVERIES + _SETTLED, ids)),
                became={each: stays for each, stays in who.items() if each != stays},
                joined=_named(await _rows(connection, _JOINED)),
            )
        return seen, len(busy)

    async def said(self, customers: Sequence[str]) -> tuple[tuple[Said, ...], datetime | None]:
        """All that customers said of messages, and when the policy that holds was published."""
        async with self._pool.connection() as connection:
            said = await _rows(connection, _SAID, {"ids": [*customers]})
            policy = await _rows(connection, _POLICY)
        return tuple(Said(**row) for row in said), policy[0]["since"]

    async def newest(self, runs: int) -> list[str]:
        """The customers of the newest so many runs."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(_NEWEST, [runs])
            return [row["customer"] for row in await cursor.fetchall()]

    async def after(self, customer: str, most: int) -> list[str]:
        """The next customers in the order of their ids, to walk through all."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(_NEXT, [customer, most])
            return [row["customer"] for row in await cursor.fetchall()]


def _runs(rows: list[dict[str, Any]]) -> tuple[SeenRun, ...]:
    return tuple(_run(row) for row in rows)


def _touchpoints(rows: list[dict[str, Any]]) -> tuple[SeenTouchpoint, ...]:
    return tuple(_touchpoint(row) for row in rows)


def _arrivals(rows: list[dict[str, Any]]) -> tuple[SeenArrival, ...]:
    return tuple(_arrival(row) for row in rows)


def _deliveries(rows: list[dict[str, Any]]) -> tuple[SeenDelivery, ...]:
    return tuple(SeenDelivery(**row) for row in rows)


def _named(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Rows of two columns."""
    pairs = [tuple(row.values()) for row in rows]
    return {str(name): value for name, value in pairs}


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


async def _rows(
    connection: Connection, statement: LiteralString, values: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    cursor = await connection.execute(statement, values)
    return await cursor.fetchall()
