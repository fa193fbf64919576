"""Acts on all who wait at a step: whom they would touch, what was ordered, and what became of each run."""

from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any, LiteralString

from contracts.bulk_acts import Bound, BulkAnswer, BulkDeed, BulkKind, BulkOrder
from journey.machine import NUDGE_ENGINE
from stores.audit import record_deed
from stores.database import Pool, clean_text, one_statement

TRY_AGAIN = timedelta(seconds=15)
"""How long a run is left alone that nobody answered for."""

MOST_ACTS = 20
SAMPLE = 10

_STANDS: LiteralString = """
  r.journey = %(journey)s and r.state = 'open' and r.version = %(version)s
   and r.stands ? %(address)s and (r.stands ->> %(address)s)::timestamptz <= %(seen_at)s
"""

_SEEN: LiteralString = (
    "select count(*) as n, coalesce(max(r.entry), 0) as up_to,"
    " count(*) filter (where r.engine < %(nudged_from)s) as too_old,"
    " count(*) filter (where r.engine >= %(nudged_from)s and r.wakes_at is null and r.needs_attention is null)"
    " as timeless from runs r where" + _STANDS
)

_SAMPLE: LiteralString = (
    "select r.entry, r.customer from runs r where"
    + _STANDS
    + " and r.entry <= %(up_to)s order by r.entry desc limit %(most)s"
)

_ORDER: LiteralString = """
insert into bulk_acts (form, kind, journey, version, address, to_version, to_step, up_to, seen_at, shown,
                       reason, ordered_by)
values (%(form)s, %(kind)s, %(journey)s, %(version)s, %(address)s, %(to_version)s, %(to_step)s, %(up_to)s,
        %(seen_at)s, %(shown)s, %(reason)s, %(by)s)
on conflict (form) do nothing returning act
"""

_RUNS: LiteralString = (
    "insert into bulk_act_runs (act, entry) select %(act)s, r.entry from runs r where"
    + _STANDS
    + " and r.entry <= %(up_to)s"
)

_DUE: LiteralString = """
with due as (
    select b.act, b.entry from bulk_act_runs b join bulk_acts a using (act)
     where b.state = 'waits' and b.due_at <= clock_timestamp() and a.halted_at is null
     order by b.due_at, b.act, b.entry limit %(most)s for update of b skip locked
), held as (
    update bulk_act_runs b set due_at = clock_timestamp() + %(lease)s
      from due d where b.act = d.act and b.entry = d.entry and b.state = 'waits'
    returning b.act, b.entry
)
select h.act, h.entry, a.kind, r.workflow_id, a.address, a.reason, a.to_version, a.to_step,
       r.state = 'open' and r.version = a.version and r.stands ? a.address
           and (r.stands ->> a.address)::timestamptz <= a.seen_at as stands,
       case a.kind when 'move' then r.version = a.to_version
                   else (a.kind = 'nudge' or r.state = 'finished') and exists (
                        select from trace t where t.entry = h.entry
                           and t.why = left('bulk act ' || a.act || ': ' || a.reason, 200)) end as obeyed
  from held h join bulk_acts a using (act) join runs r using (entry)
 order by h.act, h.entry
"""

_SETTLE: LiteralString = """
update bulk_act_runs set why = %(why)s,
       state = case when %(became)s = 'later' then state else %(became)s end,
       settled_at = case when %(became)s = 'later' then null else clock_timestamp() end,
       due_at = case when %(became)s = 'later' then clock_timestamp() + %(again)s else due_at end
 where act = %(act)s and entry = %(entry)s and state = 'waits'
"""

_ACTS: LiteralString = """
select a.*, c.* from bulk_acts a cross join lateral (
       select count(*) as ordered,
              count(*) filter (where state = 'waits') as waits,
              count(*) filter (where state = 'done') as done,
              count(*) filter (where state = 'left_alone') as left_alone,
              count(*) filter (where state = 'refused') as refused
         from bulk_act_runs b where b.act = a.act) c
 where a.journey = %(journey)s and (%(act)s::bigint is null or a.act = %(act)s)
 order by a.act desc limit %(most)s
"""

_WHY: LiteralString = """
select state, why, count(*) as n from bulk_act_runs where act = %s and why <> ''
 group by 1, 2 order by n desc, 1, 2 limit 20
"""

_HALT: LiteralString = """
update bulk_acts a set halted_at = clock_timestamp(), halted_by = %(by)s
 where act = %(act)s and journey = %(journey)s and halted_at is null
   and exists (select from bulk_act_runs b where b.act = a.act and b.state = 'waits')
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class BulkSample:
    """One of those whom an act would touch."""

    entry: int
    customer: str


@dataclass(slots=True, frozen=True, kw_only=True)
class BulkSeen:
    """What a preview shows: whom the act is bound to, how many they are, and some of them, the latest first.

    `too_old`: of an engine that cannot be nudged; `timeless`: of the others, those who wait without a deadline.
    """

    bound: Bound
    n: int
    too_old: int
    timeless: int
    sample: list[BulkSample]


@dataclass(slots=True, frozen=True, kw_only=True)
class BulkAct:
    """An act and how far it is. `shown`: counted by its preview; `ordered`: of these, who stood there then."""

    act: int
    kind: BulkKind
    journey: str
    version: str
    address: str
    to_version: str | None
    to_step: str | None
    reason: str
    ordered_by: str
    ordered_at: datetime
    halted_by: str | None
    halted_at: datetime | None
    shown: int
    ordered: int
    waits: int
    done: int
    left_alone: int
    refused: int


@dataclass(slots=True, frozen=True, kw_only=True)
class BulkWhy:
    """Why so many runs came to that."""

    state: str
    why: str
    n: int


class BulkActStore:
    """Acts and their runs, for consoles and all routers together."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def see(self, journey: str, version: str, address: str, now: datetime) -> BulkSeen:
        """Who stands at a step of a version. `now`: run time; who comes later is not among them."""
        asked: dict[str, Any] = {
            "journey": journey, "version": version, "address": address, "seen_at": now, "most": SAMPLE,
            "nudged_from": NUDGE_ENGINE,
        }  # fmt: skip
        async with self._pool.connection() as connection:
            row = await (await connection.execute(_SEEN, asked)).fetchone()
            assert row is not None, "a count has a row"
            cursor = await connection.execute(_SAMPLE, {**asked, "up_to": row["up_to"]})
            sample = [BulkSample(**each) for each in await cursor.fetchall()]
        bound = Bound(
            journey=journey, version=version, address=address, seen_at=now, up_to=row["up_to"]
        )
        return BulkSeen(
            bound=bound, n=row["n"], too_old=row["too_old"], timeless=row["timeless"], sample=sample
        )

    async def order(self, order: BulkOrder) -> int:
        """Order it, once for each form, and write down who did; the number of the act."""
        values = {**asdict(order), **asdict(order.bound), "reason": clean_text(order.reason)}
        del values["bound"]
        async with self._pool.connection() as connection:
            row = await (await connection.execute(_ORDER, values)).fetchone()
            if row is None:
                found = await connection.execute(
                    "select act from bulk_acts where form = %s", [order.form]
                )
                row = await found.fetchone()
                assert row is not None, "what is in the way is there"
                return row["act"]
            act: int = row["act"]
            touched = (await connection.execute(_RUNS, {**values, "act": act})).rowcount
            await record_deed(
                connection, order.by, f"ordered to {order.kind} all at a step", f"journey {order.bound.journey}",
                {
                    "act": act, "step": order.bound.address, "version": order.bound.version, "runs": touched,
                    "why": values["reason"], "to": order.to_version or "", "to_step": order.to_step or "",
                },
            )  # fmt: skip
        return act

    async def due(self, most: int, lease: timedelta) -> list[BulkDeed]:
        """So many runs that are due, for `lease` nobody else's. None of an act that was halted."""
        async with one_statement(self._pool) as connection:
            rows = await (await connection.execute(_DUE, {"most": most, "lease": lease})).fetchall()
        return [BulkDeed(**row) for row in rows]

    async def settle(self, deed: BulkDeed, answer: BulkAnswer) -> None:
        """Write down what became of a run; what is settled stays so."""
        values = {
            "act": deed.act, "entry": deed.entry, "became": answer.became,
            "why": clean_text(answer.why)[:500], "again": TRY_AGAIN,
        }  # fmt: skip
        async with one_statement(self._pool) as connection:
            await connection.execute(_SETTLE, values)

    async def acts(self, journey: str, act: int | None = None) -> list[BulkAct]:
        """The acts of a journey, the newest first, or one of them."""
        asked = {"journey": journey, "act": act, "most": MOST_ACTS}
        async with one_statement(self._pool) as connection:
            rows = await (await connection.execute(_ACTS, asked)).fetchall()
        return [BulkAct(**{each.name: row[each.name] for each in fields(BulkAct)}) for row in rows]

    async def why(self, act: int) -> list[BulkWhy]:
        """Why runs were left alone, refused or wait, the most frequent first."""
        async with one_statement(self._pool) as connection:
            return [
                BulkWhy(**row) for row in await (await connection.execute(_WHY, [act])).fetchall()
            ]

    async def halt(self, journey: str, act: int, *, by: str) -> bool:
        """No further run is touched; False where nothing was left to halt."""
        async with self._pool.connection() as connection:
            values = {"journey": journey, "act": act, "by": by}
            if not (await connection.execute(_HALT, values)).rowcount:
                return False
            await record_deed(connection, by, "halted an act", f"journey {journey}", {"act": act})
        return True
