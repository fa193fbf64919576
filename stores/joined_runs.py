"""The runs of a customer who became another one follow, with what is on its way to them.

Until then nothing new is numbered for the one that stays. What was numbered before is told first,
by both units, to whose runs it was numbered for; then no number can be mistaken, and every
touchpoint that is numbered from there on is for the runs of both.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from contracts.ids import message_id
from contracts.routing import customer_of, customer_unit
from journey.touchpoint import MERGED
from stores.database import Connection, jsonb
from stores.moved_rows import moving_statement
from stores.touchpoints import NewTouchpoint, store_touchpoints


class RunsAwaitedError(RuntimeError):
    """Runs of a customer who became this one are still being told what came before; it is tried again."""


_STILL_TOLD = """
select u.unit, u.numbered, u.starting,
       u.leased_until > clock_timestamp() and u.leased_by is distinct from %(holder)s as leased,
       exists (select 1 from outbox o where o.unit = u.unit and o.number is not null) as numbered_rows
  from routing_units u where u.unit = any(%(units)s) order by u.unit for update nowait
"""

_OPEN = """
select r.entry, r.workflow_id, r.journey, r.key, r.stage, r.sequence, d.canonical,
       exists (select 1 from cases c
                where c.entry = r.entry and c.under_way) as has_case
  from runs r left join definitions d using (version)
 where r.customer = %s and r.state = 'open' and r.gives_way_to is null
 order by r.entry for no key update of r nowait
"""

# A run that moved on through several merges is logged under each of them.
_FOLLOW = """
with recursive way as (
    select merge, stays from merges where goes = %(goes)s and undone_at is null
    union all
    select m.merge, m.stays from way w join merges m on m.goes = w.stays and m.undone_at is null
), settled as (
    update merges m set settled_at = now() from way w
     where m.merge = w.merge and m.settled_at is null
), moved as (
    update runs set customer = %(stays)s where customer = %(goes)s returning entry
), listened as (
    update listening set customer = %(stays)s where customer = %(goes)s
)
insert into merge_rows (merge, "table", key)
select w.merge, 'runs', jsonb_build_object('entry', entry) from moved cross join way w
"""

_UNITS = """
update routing_units u
   set numbered = case when unit = %(stays)s
                       then greatest(u.numbered, %(numbered)s) else u.numbered end,
       starting = case when unit = %(stays)s then u.starting || %(starting)s::jsonb else '[]' end,
       joins = '{}'
 where unit = %(stays)s or unit = any(%(joined)s)
"""

_MOVE = moving_statement()


async def forward(connection: Connection, unit: str, onward: str) -> None:
    """What is not numbered goes on to the unit that this one became."""
    await connection.execute(
        "update outbox set unit = %s where unit = %s and number is null", [onward, unit]
    )


async def let_runs_follow(
    connection: Connection, holder: str, unit: str, joins: Sequence[str]
) -> bool:
    """Let the runs of the joined units follow, under their locks and the lease of this one.

    False where what was numbered for this unit is to be told first. Raises: `RunsAwaitedError`
    where what was numbered for another one is.
    """
    stays = customer_of(unit) or ""
    cursor = await connection.execute(
        "select 1 from outbox where unit = %s and number is not null limit 1", [unit]
    )
    if await cursor.fetchone() is not None:
        return False
    # Never waited for: whoever holds one of these may wait for what we hold.
    cursor = await connection.execute(_STILL_TOLD, {"units": list(joins), "holder": holder})
    units = await cursor.fetchall()
    if any(row["leased"] or row["numbered_rows"] for row in units):
        raise RunsAwaitedError(f"{unit} waits for what is being told by {', '.join(joins)}")
    await connection.execute(
        "select 1 from customers where customer = any(%s) order by customer"
        " for no key update nowait",
        [[stays, *(customer_of(each) or "" for each in joins)]],
    )
    for each in joins:
        await forward(connection, each, unit)
        await _follow(connection, stays, customer_of(each) or "")
    values = {
        "stays": unit,
        "joined": list(joins),
        "numbered": max((row["numbered"] for row in units), default=0),
        "starting": jsonb([run for row in units for run in row["starting"]]),
    }
    await connection.execute(_UNITS, values)
    return True


async def _follow(connection: Connection, stays: str, goes: str) -> None:
    """Move the runs of one customer; of two in one journey and key, one gives way."""
    own = {(row["journey"], row["key"]): row for row in await _open_runs(connection, stays)}
    for run in await _open_runs(connection, goes):
        other = own.get((run["journey"], run["key"]))
        if other is not None:
            ahead, behind = sorted([other, run], key=_how_far, reverse=True)
            await _give_way(connection, stays, behind, ahead)
    await connection.execute(_FOLLOW, {"stays": stays, "goes": goes})
    # What was written under the former id while the merge was committed.
    cursor = await connection.execute(
        "select merge from merges where goes = %s and undone_at is null", [goes]
    )
    row = await cursor.fetchone()
    if row is not None:
        await connection.execute(_MOVE, {"stays": stays, "goes": goes, "merge": row["merge"]})


async def _open_runs(connection: Connection, customer: str) -> list[dict[str, Any]]:
    return await (await connection.execute(_OPEN, [customer])).fetchall()


def _how_far(run: dict[str, Any]) -> tuple[bool, int, int, int]:
    """A run with an open case before all others, then by stage, then by decisions, then the older."""
    stages: list[str] = []
    if run["canonical"] is not None:
        stages = [each["stage"] for each in orjson.loads(run["canonical"])["stages"]]
    place = stages.index(run["stage"]) if run["stage"] in stages else -1
    return run["has_case"], place, run["sequence"], -run["entry"]


async def _give_way(
    connection: Connection, customer: str, behind: dict[str, Any], ahead: dict[str, Any]
) -> None:
    """Tell the run behind that it ends; the one ahead gets what nothing has looked at."""
    await connection.execute(
        "update runs set gives_way_to = %s, updated_at = now() where entry = %s",
        [ahead["entry"], behind["entry"]],
    )
    cursor = await connection.execute("select now() as now")
    now = (await cursor.fetchone() or {})["now"]
    told = NewTouchpoint(
        message_id=message_id("merged", f"{behind['entry']}/{ahead['entry']}"),
        event=MERGED,
        occurred_at=now,
        customer=customer,
        properties={"into": ahead["workflow_id"], "journey": ahead["journey"]},
        routed=False,
    )
    [stored] = await store_touchpoints(connection, [told])
    if stored is not None:
        await connection.execute(
            "insert into outbox (unit, touchpoint, received_at, run) values (%s, %s, now(), %s)",
            [customer_unit(customer), stored, behind["workflow_id"]],
        )
