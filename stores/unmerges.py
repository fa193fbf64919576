"""Two customers who became one are parted again: what moved goes back, by the log."""

from datetime import UTC, datetime
from typing import Any

from pydantic import JsonValue

from contracts.ids import message_id
from journey.touchpoint import TRAITS_CHANGED
from stores.audit import record_deed
from stores.computed_traits import compute_again
from stores.database import Connection, jsonb
from stores.identity_graph import lock_rows
from stores.joined_runs import let_runs_follow
from stores.moved_rows import move_back_statement, undoing_statements
from stores.touchpoints import NewTouchpoint, store_touchpoints, tell_computed


class CannotBePartedError(ValueError):
    """The merge cannot be undone as things are; the message says what to undo first."""


_UNDO = undoing_statements()
_RUNS_BACK = move_back_statement("runs", ("entry",))

_FIND = "select * from merges where merge = %s for update"

_LATER = """
select m.merge, m.stays from merges m
 where m.goes = %(stays)s and m.undone_at is null and m.merge > %(merge)s
"""

_POINT_BACK = """
with own as (
    update customers set merged_into = null where customer = %(goes)s
), former as (
    update customers c set merged_into = %(goes)s
      from merge_rows r
     where r.merge = %(merge)s and r."table" = 'customers'
       and c.customer = r.key ->> 'customer' and c.merged_into = %(stays)s
), said as (
    delete from consents t using merge_rows r
     where r.merge = %(merge)s and r."table" = 'consents' and r.was is null and r.made is not null
       and t.consent = (r.key ->> 'consent')::bigint
)
update merges set undone_at = now(), undone_by = %(by)s, undone_why = %(why)s
 where merge = %(merge)s
"""

# A run that was to give way and has not been told goes on.
_SPARED = """
with untold as (
    delete from outbox o using runs r, touchpoints t
     where o.unit = %(unit)s and o.run = r.workflow_id and r.gives_way_to is not null
       and r.state = 'open' and r.customer in (%(stays)s, %(goes)s)
       and not exists (select 1 from runs a where a.entry = r.gives_way_to
                          and a.customer = r.customer and a.state = 'open')
       and t.received_at = o.received_at and t.touchpoint = o.touchpoint and t.event = '$merged'
    returning r.entry
)
update runs r set gives_way_to = null from untold u where r.entry = u.entry
"""

_UNITS = """
with runs_back as (
    select r.workflow_id from runs r where r.customer = %(goes)s and r.state = 'open'
), aimed as (
    update outbox o set unit = %(former)s, number = null
     where o.unit = %(unit)s
       and (o.run in (select workflow_id from runs_back)
            or o.run is null and exists (
                select 1 from touchpoints t
                 where t.received_at = o.received_at and t.touchpoint = o.touchpoint
                   and t.customer = %(goes)s))
), listened as (
    update listening l set customer = r.customer from runs r
     where l.entry = r.entry and r.customer = %(goes)s
)
update routing_units u
   set forward_to = null, numbered = greatest(u.numbered, s.numbered),
       starting = array_to_json(array(
           select run from jsonb_array_elements(s.starting) as run
            where (split_part(run ->> 'workflow_id', '/', 3) = %(goes)s) = (u.unit = %(former)s)
       ))::jsonb
  from routing_units s
 where s.unit = %(unit)s and u.unit in (%(unit)s, %(former)s)
"""


async def runs_are_told(connection: Connection, holder: str, unit: str, former: str) -> bool:
    """Whether nothing that was numbered is on its way to runs of either; both units are leased by `holder`.

    Runs that were still to follow do so now.
    """
    cursor = await connection.execute(
        "select unit from outbox where unit in (%s, %s) and number is not null limit 1",
        [unit, former],
    )
    if await cursor.fetchone() is not None:
        return False
    cursor = await connection.execute(
        "select joins from routing_units where unit = %s for update", [unit]
    )
    row = await cursor.fetchone()
    joins: list[str] = row["joins"] if row else []
    return not joins or await let_runs_follow(connection, holder, unit, joins)


async def undo(connection: Connection, merge: int, *, by: str, why: str) -> None:
    """Undo one merge. Raises: `CannotBePartedError`."""
    known = await (await connection.execute(_FIND, [merge])).fetchone() or {}
    if known["undone_at"] is not None:
        raise CannotBePartedError(f"merge {merge} was undone already")
    stays, goes = known["stays"], known["goes"]
    values: dict[str, Any] = {"merge": merge, "stays": stays, "goes": goes, "by": by, "why": why}
    values |= {"unit": f"c/{stays}", "former": f"c/{goes}"}
    await lock_rows(connection, [stays, goes])
    later = await (await connection.execute(_LATER, values)).fetchone()
    if later is not None:
        words = f"{stays} became {later['stays']} since: undo merge {later['merge']} first"
        raise CannotBePartedError(words)
    for statement in _UNDO:
        await connection.execute(statement, values)
    await connection.execute(_RUNS_BACK, values)
    await connection.execute(_SPARED, values)
    await connection.execute(_POINT_BACK, values)
    await connection.execute(_UNITS, values)
    await _traits_back(connection, known)
    await tell_computed(connection, await compute_again(connection, [stays, goes]))
    detail = {"merge": merge, "other": goes}
    await record_deed(connection, by, "parted", f"customer {stays}", detail)


async def _traits_back(connection: Connection, known: dict[str, Any]) -> None:
    """What the merge added goes, where it is still as it was added; the other one's row was never changed."""
    cursor = await connection.execute(
        "select traits, zone from customers where customer = %s", [known["stays"]]
    )
    row = await cursor.fetchone() or {}
    traits, zone, added = dict(row["traits"]), row["zone"], dict(known["added"])
    given_zone = added.pop("zone", None) if "zone" not in row["traits"] else None
    for name, value in added.items():
        if traits.get(name) == value:
            del traits[name]
            traits |= {name: known["before"][name]} if name in known["before"] else {}
    if given_zone is not None and zone == given_zone:
        zone = None
    await connection.execute(
        "update customers set traits = %s, zone = %s where customer = %s",
        [jsonb(traits), zone, known["stays"]],
    )
    cursor = await connection.execute(
        "select traits, zone from customers where customer = %s", [known["goes"]]
    )
    other = await cursor.fetchone() or {}
    before: dict[str, JsonValue] = {**row["traits"], "zone": row["zone"]}
    await _tell(connection, known, known["stays"], before, {**traits, "zone": zone})
    after: dict[str, JsonValue] = {**other["traits"], "zone": other["zone"]}
    await _tell(connection, known, known["goes"], before, after)


async def _tell(
    connection: Connection,
    known: dict[str, Any],
    customer: str,
    before: dict[str, JsonValue],
    after: dict[str, JsonValue],
) -> None:
    """Runs of a customer learn which traits are others now; one that went is null."""
    changed: dict[str, JsonValue] = {
        name: after.get(name)
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    }
    told = NewTouchpoint(
        message_id=message_id("unmerge", f"{known['merge']}/{customer}"),
        event=TRAITS_CHANGED,
        occurred_at=datetime.now(UTC),
        customer=customer,
        properties=changed,
    )
    if changed:
        await store_touchpoints(connection, [told])
