"""Two customers become one: who stays, what moves, and what both are told.

The transaction of the merge moves names, rows and traits. Runs, and touchpoints on their way to
them, follow when the router has told what was numbered before: `stores.joined_runs`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import JsonValue

from contracts.ids import message_id
from contracts.routing import customer_unit
from journey.touchpoint import TRAITS_CHANGED
from stores.audit import record_deed
from stores.computed_traits import fold
from stores.database import Connection, jsonb
from stores.moved_rows import moving_statement
from stores.touchpoints import NewTouchpoint, store_touchpoints

_MOVE = moving_statement()

_BEGIN = """
insert into merges (stays, goes, by, why, added, before)
values (%(stays)s, %(goes)s, %(by)s, %(why)s, %(added)s, %(before)s) returning merge
"""

# Chains stay flat: whoever became the one that goes is the one that stays from now on.
_POINT = """
with pointed as (
    update customers set merged_into = %(stays)s
     where customer = %(goes)s or merged_into = %(goes)s returning customer
), logged as (
    insert into merge_rows (merge, "table", key)
    select %(merge)s, 'customers', jsonb_build_object('customer', customer) from pointed
     where customer <> %(goes)s
)
update customers set traits = %(traits)s, zone = %(zone)s where customer = %(stays)s
"""

# A no of either side holds: where the newest word of any of them was no, and would be yes now.
_NOES = """
select purpose, channel from (
    select distinct on (customer, purpose, channel) purpose, channel, given from consents
     where customer in (%(stays)s, %(goes)s)
     order by customer, purpose, channel, consent desc) said
 group by purpose, channel having count(*) > 1 and bool_or(not given) and bool_or(given)
"""

_SAY_NO = """
with said as (
    insert into consents (customer, purpose, channel, given, source, proof)
    select %(stays)s, n.purpose, n.channel, false, 'merge', %(proof)s
      from jsonb_to_recordset(%(noes)s) as n(purpose text, channel text)
    returning consent
)
insert into merge_rows (merge, "table", key, made)
select %(merge)s, 'consents', jsonb_build_object('consent', consent), '{}' from said
"""

_JOIN_UNITS = """
update routing_units u
   set forward_to = case when u.unit = %(stays)s then null else %(stays)s end,
       joins = case when u.unit = %(stays)s
                    then array(select distinct unnest(u.joins || %(joins)s::text[]) order by 1)
                    else '{}' end
 where u.unit = %(stays)s or u.unit = any(%(joins)s)
"""

_REFUSALS_PASSED = """
delete from refused_ties where whose in (%(stays)s, %(goes)s) or leads_to in (%(stays)s, %(goes)s)
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class _Both:
    """Traits and zone of the one that results."""

    traits: dict[str, JsonValue]
    zone: str | None
    added: dict[str, JsonValue]
    before: dict[str, JsonValue]
    changed: dict[str, JsonValue]


async def merge_customers(
    connection: Connection, stays: str, goes: str, *, by: str, why: str
) -> int:
    """Make one of two customers whose rows are locked and who are not merged. Returns its number.

    Both sides' runs are told of the traits that changed for either.
    """
    both = _of_both(*await _rows(connection, stays, goes))
    values: dict[str, Any] = {
        "stays": stays,
        "goes": goes,
        "by": by,
        "why": why,
        "added": jsonb(both.added),
        "before": jsonb(both.before),
        "traits": jsonb(both.traits),
        "zone": both.zone,
    }
    merge = (await (await connection.execute(_BEGIN, values)).fetchone() or {})["merge"]
    values["merge"] = merge
    noes = await (await connection.execute(_NOES, values)).fetchall()
    await connection.execute(_MOVE, values)
    await connection.execute(_POINT, values)
    if noes:
        proof = f"said before two customers became one, merge {merge}"
        await connection.execute(_SAY_NO, values | {"noes": jsonb(noes), "proof": proof})
    await connection.execute(_REFUSALS_PASSED, values)
    await join_units(connection, stays, goes)
    changed = both.changed | await fold(connection, stays, goes)
    await _tell(connection, merge, stays, changed)
    await record_deed(
        connection, by, "merged", f"customer {stays}", {"merge": merge, "other": goes}
    )
    return merge


async def join_units(connection: Connection, stays: str, goes: str) -> None:
    """From now on the unit of the one that goes forwards; its runs follow when it is empty."""
    units = [customer_unit(stays), customer_unit(goes)]
    await connection.execute(
        "insert into routing_units (unit) select unnest(%s::text[]) on conflict do nothing",
        [sorted(units)],
    )
    cursor = await connection.execute(
        "select unit, joins from routing_units where unit = any(%(units)s) or unit = any("
        " select unnest(joins) from routing_units where unit = %(goes)s)"
        " order by unit for update",
        {"units": units, "goes": units[1]},
    )
    held = {row["unit"]: row["joins"] for row in await cursor.fetchall()}
    joins = [units[1], *held[units[1]]]
    await connection.execute(_JOIN_UNITS, {"stays": units[0], "joins": joins})


async def _rows(
    connection: Connection, stays: str, goes: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    cursor = await connection.execute(
        "select customer, traits, zone from customers where customer in (%s, %s)", [stays, goes]
    )
    rows = {row["customer"]: row for row in await cursor.fetchall()}
    return rows[stays], rows[goes]


def _of_both(stays: dict[str, Any], goes: dict[str, Any]) -> _Both:
    """Traits of the one that stays win; what only the other had is added; a withheld consent holds."""
    held, other = stays["traits"], goes["traits"]
    added = {name: value for name, value in other.items() if name not in held}
    if other.get("marketing_consent") is False and held.get("marketing_consent") is not False:
        added["marketing_consent"] = False
    traits = {**held, **added}
    zone = stays["zone"] or goes["zone"]
    names = {name for name in traits if held.get(name) != traits[name]}
    names |= {name for name in traits if other.get(name) != traits[name]}
    changed = {name: traits[name] for name in names}
    if zone is not None and (zone != stays["zone"] or zone != goes["zone"]):
        changed["zone"] = zone
    before = {name: held[name] for name in added if name in held}
    if zone != stays["zone"]:
        added = {**added, "zone": zone}
    return _Both(traits=traits, zone=zone, added=added, before=before, changed=changed)


async def _tell(
    connection: Connection, merge: int, stays: str, changed: dict[str, JsonValue]
) -> None:
    # Also where no trait changed: it wakes the router, which lets the runs follow.
    told = NewTouchpoint(
        message_id=message_id("merge", str(merge)),
        event=TRAITS_CHANGED,
        occurred_at=datetime.now(UTC),
        customer=stays,
        properties=changed,
    )
    await store_touchpoints(connection, [told])
