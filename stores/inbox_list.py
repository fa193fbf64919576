"""The list of cases as a member of staff may see it: theirs, their queues', those that wait for an approval.

What is to be done soonest stands first. Each list is a look at one index for each queue, so that 20,000 open
cases cost no more than those of one page (`benchmarks/inbox.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, LiteralString

from contracts.clock import RunClock
from stores.case_rows import clock_of, run_clock
from stores.database import Connection, Pool, one_statement
from stores.members import Member

Scope = Literal["mine", "queues", "approvals", "all"]

PAGE = 50
MOST_PAGES = 200
COUNTED = 1_000
"""So far is counted; beyond that it is `1,000 and more`."""

OVER_STATES = ("resolved", "expired", "closed")

_ORDER: LiteralString = "coalesce(c.due_at, 'infinity'::timestamptz), c.opened_wall, c.\"case\""
_ORDER_OVER: LiteralString = 'c.resolved_at desc, c."case"'
_DUE_ORDER: LiteralString = "coalesce(x.due_at, 'infinity'::timestamptz), x.opened_wall, x.\"case\""
_DUE_ORDER_OVER: LiteralString = 'x.resolved_at desc, x."case"'

_FILTERS: tuple[tuple[str, LiteralString], ...] = (
    ("state", "c.state = %(state)s"),
    ("queue", "c.queue = %(queue)s"),
    ("place", "c.place = %(place)s"),
    ("language", "c.language = %(language)s"),
    ("customers", "c.customer = any(%(customers)s)"),
    (
        "words",
        "exists (select from customers s where s.customer = c.customer and"
        " concat_ws(' ', s.traits ->> 'first_name', s.traits ->> 'last_name', s.traits ->> 'name')"
        " ilike %(words)s)",
    ),
)

_SHOWN: LiteralString = """
    x."case", x.customer, x.queue, x.brief, x.title, x.state, x.claimed_by, x.journey, x.due_at, x.opened_wall,
    x.opened_at, x.first_answer_by, x.next_answer_by, x.resolve_by, x.answered_at, x.snoozed_until,
    x.snoozed_for, x.place, x.language, x.run_clock, x.resolved_at, x.decision,
    x.approval ->> 'by' as asked_by, x.waits_since is not null as customer_waits,
    coalesce(nullif(concat_ws(' ', s.traits ->> 'first_name', s.traits ->> 'last_name'), ''),
             s.traits ->> 'name', '') as called
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class Wanted:
    """What is looked for. `customers`: whom a name or number leads to; `words`: a part of a customer's name."""

    scope: Scope = "queues"
    state: str | None = None
    queue: str | None = None
    place: str | None = None
    language: str | None = None
    customers: tuple[str, ...] | None = None
    words: str | None = None
    page: int = 1

    @property
    def over(self) -> bool:
        """Whether it is about cases that are over."""
        return self.state in OVER_STATES


@dataclass(slots=True, frozen=True, kw_only=True)
class ListedCase:
    """A case in a list. Times are the run's own; `clock` tells them on the wall."""

    case: str
    customer: str
    called: str
    queue: str
    brief: str
    title: str
    state: str
    claimed_by: str | None
    journey: str
    due_at: datetime | None
    opened_wall: datetime
    opened_at: datetime
    first_answer_by: datetime | None
    next_answer_by: datetime | None
    resolve_by: datetime | None
    answered_at: datetime | None
    snoozed_until: datetime | None
    snoozed_for: str | None
    place: str | None
    language: str | None
    resolved_at: datetime | None
    decision: str | None
    asked_by: str | None
    customer_waits: bool
    clock: RunClock | None

    @property
    def short_name(self) -> str:
        """What people call it: `entry:n`."""
        return ":".join(self.case.rsplit(":", 2)[-2:])


@dataclass(slots=True, frozen=True, kw_only=True)
class Load:
    """What a member has: cases in their hands, and how many they can have."""

    member: str
    name: str
    load: int
    capacity: int


class InboxListStore:
    """Reads lists of cases."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def cases(self, member: Member, wanted: Wanted) -> tuple[list[ListedCase], bool]:
        """One page, and whether there is another."""
        values = _values(member, wanted)
        statement = _statement(member, wanted)
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(statement, values)
            rows = await cursor.fetchall()
        return [_listed(row) for row in rows[:PAGE]], len(rows) > PAGE

    async def explain(self, member: Member, wanted: Wanted) -> str:
        """How PostgreSQL finds a page, in its own words."""
        async with one_statement(self._pool) as connection:
            statement: LiteralString = "explain (costs off) " + _statement(member, wanted)
            cursor = await connection.execute(statement, _values(member, wanted))
            return "\n".join(row["QUERY PLAN"] for row in await cursor.fetchall())

    async def counts(self, member: Member) -> dict[Scope, int]:
        """How many there are of each, up to `COUNTED`."""
        async with one_statement(self._pool) as connection:
            return {
                "mine": await _count(connection, _MINE, member),
                "queues": await _count(connection, _QUEUES, member),
                "approvals": await _count(connection, _APPROVALS, member),
            }

    async def loads(self, member: Member) -> list[Load]:
        """What each member of one's queues has; of everybody's for who may see all."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                """
                select m.member, m.name, m.capacity,
                       (select count(*) from cases c where c.claimed_by = m.member and c.under_way
                         and c.state = 'claimed') as load
                  from members m
                 where m.left_at is null and m.capacity > 0 and m.role in ('agent', 'lead')
                   and (%(all)s or m.queues && %(queues)s::text[])
                 order by load desc, m.name limit 200
                """,
                {"all": member.role == "admin", "queues": list(member.queues)},
            )
            return [Load(**row) for row in await cursor.fetchall()]

    async def clock(self, case: str) -> RunClock | None:
        """On which clock a case lives; None is wall time."""
        async with one_statement(self._pool) as connection:
            return await run_clock(connection, case)

    async def changed(self, since: int, most: int = 500) -> list[dict[str, Any]]:
        """What changed since an event: the case, its queue, who has it."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                'select e.event, e."case", c.queue, c.claimed_by from case_events e'
                ' join cases c using ("case") where e.event > %s order by e.event limit %s',
                [since, most],
            )
            return await cursor.fetchall()


_MINE: LiteralString = "c.under_way and c.claimed_by = %(me)s"
_QUEUES: LiteralString = "c.under_way and (%(all)s or c.queue = any(%(queues)s))"
_APPROVALS: LiteralString = (
    "c.under_way and c.approval is not null and (%(all)s or c.queue = any(%(queues)s))"
    " and c.approval ->> 'by' <> %(me)s"
)


async def _count(connection: Connection, which: LiteralString, member: Member) -> int:
    cursor = await connection.execute(
        f"select count(*) as n from (select from cases c where {which} limit %(counted)s) found",
        _who(member) | {"counted": COUNTED},
    )
    row = await cursor.fetchone()
    return row["n"] if row else 0


def _who(member: Member) -> dict[str, Any]:
    return {"me": member.member, "queues": list(member.queues), "all": member.role == "admin"}


def _values(member: Member, wanted: Wanted) -> dict[str, Any]:
    page = min(max(wanted.page, 1), MOST_PAGES)
    words = wanted.words
    return {
        **_who(member),
        "state": wanted.state,
        "queue": wanted.queue,
        "place": wanted.place,
        "language": wanted.language,
        "customers": list(wanted.customers) if wanted.customers is not None else None,
        "words": f"%{_plain(words)}%" if words else None,
        "most": (page - 1) * PAGE + PAGE + 1,
        "from": (page - 1) * PAGE,
        "page": PAGE + 1,
    }


def _plain(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _statement(member: Member, wanted: Wanted) -> LiteralString:
    standing: LiteralString = "not c.under_way" if wanted.over else "c.under_way"
    conditions: LiteralString = standing
    for name, sql in _FILTERS:
        if getattr(wanted, name) is not None:
            conditions += " and " + sql
    order = _ORDER_OVER if wanted.over else _ORDER
    of_queues: LiteralString = f"""
        select c.* from unnest(%(queues)s::text[]) q(queue) cross join lateral (
            select * from cases c where c.queue = q.queue and {conditions}
             order by {order} limit %(most)s) c"""
    mine: LiteralString = (
        f"select c.* from cases c where c.claimed_by = %(me)s and {conditions}"
        f" order by {order} limit %(most)s"
    )
    everything: LiteralString = (
        f"select c.* from cases c where {conditions} order by {order} limit %(most)s"
    )
    waiting: LiteralString = (
        f"select c.* from cases c where {conditions} and {_APPROVALS}"
        f" order by {order} limit %(most)s"
    )  # fmt: skip
    match wanted.scope:
        case "mine":
            found = mine
        case "approvals":
            found = waiting
        case "queues":
            found = of_queues if member.queues or member.role != "admin" else everything
        case "all":
            # Those that somebody has of a queue that is not theirs are in the second part only.
            others: LiteralString = (
                f"select c.* from cases c where c.claimed_by = %(me)s"
                f" and c.queue <> all(%(queues)s) and {conditions}"
            )
            found = everything if member.role == "admin" else f"({of_queues}) union all ({others})"
    outer = _DUE_ORDER_OVER if wanted.over else _DUE_ORDER
    return (
        f"with found as ({found}), page as (select x.* from found x order by {outer} limit %(page)s"
        f" offset %(from)s) select {_SHOWN} from page x left join customers s using (customer)"
        f" order by {outer}"
    )


def _listed(row: Mapping[str, Any]) -> ListedCase:
    read = dict(row)
    clock = read.pop("run_clock")
    return ListedCase(**read, clock=clock_of(clock))
