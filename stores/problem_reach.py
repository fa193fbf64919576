"""Whom open problems touch, found and told in portions, so that ingest and other customers never wait.

A portion is one transaction: who is found and who is told in it is found and told, or nobody is.
So whatever ends the process, the next one goes on where it was, and nobody is told twice. One
process at a time works on a problem; touchpoints of problems wait while the routers are behind.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString

from pydantic import JsonValue

from contracts.ids import message_id
from journey import conditions
from journey.conditions import ConditionError
from journey.moment_events import PROBLEM_MENDED, PROBLEM_OPENED, PROBLEM_UPDATED
from journey.touchpoint import stamp
from stores.customers import Customer
from stores.database import Connection, Pool, jsonb, one_statement
from stores.identity_graph import lock_rows
from stores.problem_joining import join
from stores.problems import AUDIENCE_NAMES, Problem, read_problem
from stores.touchpoints import NewTouchpoint, store_touchpoints

PORTION = 200
"""So many customers are told in one transaction."""

PAGE = 1_000
"""So many customers are looked at in one transaction for whether they are of a problem's audience."""

MOST_PENDING = 2_000
"""Nobody is told while so many touchpoints wait for the routers already."""

_PAGE: LiteralString = """
select customer, traits, zone, created_at from customers
 where customer > %s order by customer limit %s
"""

_LISTENS: LiteralString = """
select l.customer, 'subject' as how, min(l.workflow_id) as run from listening l
 where l.kind = %(kind)s and l.id = %(id)s
   and not exists (select 1 from problem_touched t
                    where t.problem = %(problem)s and t.customer = l.customer)
 group by l.customer limit %(most)s
"""

_HAD: LiteralString = """
select h.customer, 'subject' as how from touchpoints h
 where h.subject_kind = %(kind)s and h.subject_id = %(id)s and h.customer is not null
   and not exists (select 1 from problem_touched t
                    where t.problem = %(problem)s and t.customer = h.customer)
 group by h.customer limit %(most)s
"""

_STANDS: LiteralString = """
select r.customer, 'run' as how, min(r.workflow_id) as run from runs r
 where r.journey = %(journey)s and r.state = 'open'
   and (%(stage)s::text is null or r.stage = %(stage)s)
   and not exists (select 1 from problem_touched t
                    where t.problem = %(problem)s and t.customer = r.customer)
 group by r.customer limit %(most)s
"""

_DUE: LiteralString = """
select touched, customer from problem_touched
 where problem = %(problem)s and told_to < %(updates)s order by told_to, touched limit %(most)s
"""

_TELL: LiteralString = """
select t.touched, t.customer, t.how, t.run, t.told_at, t.asked_at,
       coalesce(t."case", c."case") as "case"
  from problem_touched t
  left join lateral (
       select x."case" from cases x
        where x.customer = t.customer and x.under_way
          and x.queue = any(%(queues)s)
        order by x.opened_wall limit 1) c on true
 where t.touched = any(%(touched)s) and t.told_to < %(updates)s
 order by t.touched for no key update of t
"""

_TOLD: LiteralString = """
update problem_touched t
   set told_to = %(updates)s, "case" = w."case", told_at = coalesce(t.told_at, w.told_at),
       mended_told_at = coalesce(w.mended_told_at, t.mended_told_at),
       asked_at = coalesce(t.asked_at, w.asked_at)
  from jsonb_to_recordset(%(rows)s) as w(touched text, "case" text, told_at timestamptz,
                                         mended_told_at timestamptz, asked_at timestamptz)
 where t.touched = w.touched
"""


@dataclass(slots=True)
class ProblemReach:
    """Works on problems, a portion at a time. `ring` wakes the routers; `now` is run time."""

    pool: Pool
    ring: Callable[[], None] = lambda: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    portion: int = PORTION
    page: int = PAGE

    async def round(self) -> bool:
        """A portion of each problem at work; whether there may be more to do at once."""
        more = False
        for problem in await self._at_work():
            more |= await self._work(problem)
        return more

    async def _at_work(self) -> list[str]:
        async with one_statement(self.pool) as connection:
            cursor = await connection.execute(
                "select problem from problems where not settled order by opened_at limit 100"
            )
            return [row["problem"] for row in await cursor.fetchall()]

    async def _work(self, name: str) -> bool:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                "select pg_try_advisory_xact_lock(hashtextextended(%s, 0)) as free",
                [f"problem {name}"],
            )
            row = await cursor.fetchone()
            if row is None or not row["free"]:
                return False
            # Its news wait for the end of this portion, so that all of it is told the same.
            problem = await read_problem(connection, name, lock=True)
            found = await self._find(connection, problem)
            told = await self._tell(connection, problem)
            if not found and not told and problem.state == "mended":
                await self._settle(connection, problem)
        if told:
            self.ring()
        return found or told > 0

    # -- finding

    async def _find(self, connection: Connection, problem: Problem) -> bool:
        walking = await self._walk(connection, problem)
        if problem.state != "open":
            return walking
        values = {
            "problem": problem.problem,
            "kind": problem.subject_kind,
            "id": problem.subject_id,
            "journey": problem.journey,
            "stage": problem.stage,
            "most": self.portion,
        }
        joined = 0
        if problem.subject_id is not None:
            joined += await self._join(connection, problem, _LISTENS, values)
            joined += await self._join_who_had(connection, problem, values)
        if problem.journey is not None:
            joined += await self._join(connection, problem, _STANDS, values)
        return walking or joined > 0

    async def _join(
        self,
        connection: Connection,
        problem: Problem,
        query: LiteralString,
        values: dict[str, Any],
    ) -> int:
        rows = await (await connection.execute(query, values)).fetchall()
        return await join(connection, problem.problem, rows, self.now())

    async def _join_who_had(
        self, connection: Connection, problem: Problem, values: dict[str, Any]
    ) -> int:
        """Whoever had a touchpoint about the subject before; later ones join as they are routed."""
        cursor = await connection.execute(
            "select had from problems where problem = %s", [problem.problem]
        )
        row = await cursor.fetchone()
        if row is None or row["had"]:
            return 0
        joined = await self._join(connection, problem, _HAD, values)
        if joined == 0:
            await connection.execute(
                "update problems set had = true where problem = %s", [problem.problem]
            )
        return joined

    async def _walk(self, connection: Connection, problem: Problem) -> bool:
        """Look at the next customers for the audience; whether there are more to look at."""
        if problem.audience is None:
            return False
        cursor = await connection.execute(
            "select audience_after from problems where problem = %s", [problem.problem]
        )
        row = await cursor.fetchone()
        if row is None or row["audience_after"] is None:
            return False
        cursor = await connection.execute(_PAGE, [row["audience_after"], self.page])
        people = [Customer(**each) for each in await cursor.fetchall()]
        now = self.now()
        rows = [
            {"customer": person.customer, "how": "audience"}
            for person in people
            if is_touched(problem.audience, person, now)
        ]
        await join(connection, problem.problem, rows, now)
        done = len(people) < self.page
        await connection.execute(
            "update problems set audience_after = %s where problem = %s",
            [None if done else people[-1].customer, problem.problem],
        )
        return True

    # -- telling

    async def _tell(self, connection: Connection, problem: Problem) -> int:
        if await _behind(connection):
            return 0
        values: dict[str, Any] = {
            "problem": problem.problem,
            "updates": problem.updates,
            "queues": problem.queues,
            "most": self.portion,
        }
        due = await (await connection.execute(_DUE, values)).fetchall()
        if not due:
            return 0
        await lock_rows(connection, [row["customer"] for row in due])
        values["touched"] = [row["touched"] for row in due]
        people = await (await connection.execute(_TELL, values)).fetchall()
        now = self.now()
        await store_touchpoints(connection, [_told(problem, each, now) for each in people])
        rows = [_kept(problem, each, now) for each in people]
        await connection.execute(_TOLD, {"updates": problem.updates, "rows": jsonb(rows)})
        return len(people)

    async def _settle(self, connection: Connection, problem: Problem) -> None:
        await connection.execute(
            """
            update problems p set settled = true
             where problem = %(problem)s and audience_after is null
               and not exists (select 1 from problem_touched t
                                where t.problem = p.problem and t.told_to < p.updates)
            """,
            {"problem": problem.problem},
        )


def is_touched(audience: str, person: Customer, now: datetime) -> bool:
    """Whether a customer is of the audience of a problem; of whom that cannot be told is not."""
    try:
        return conditions.holds(
            audience, {"customer": person.profile(), "now": now}, AUDIENCE_NAMES
        )
    except ConditionError:
        return False


async def _behind(connection: Connection) -> bool:
    cursor = await connection.execute(
        "select count(*) as pending from (select 1 from outbox limit %s) waiting", [MOST_PENDING]
    )
    row = await cursor.fetchone()
    return row is not None and row["pending"] >= MOST_PENDING


def _event(problem: Problem, person: dict[str, Any]) -> str:
    if problem.state == "mended":
        return PROBLEM_MENDED
    return PROBLEM_OPENED if person["told_at"] is None else PROBLEM_UPDATED


def _told(problem: Problem, person: dict[str, Any], now: datetime) -> NewTouchpoint:
    event = _event(problem, person)
    properties: dict[str, JsonValue] = {
        **problem.properties,
        "problem": problem.problem,
        "title": problem.title,
        "words": problem.words,
        "since": stamp(problem.opened_at),
        "how": person["how"],
        "called": person["case"] is not None,
        "case": person["case"],
        "told": person["told_at"] is not None,
    }
    context: dict[str, JsonValue] = {}
    if problem.subject_kind is not None:
        properties["subject"] = {"kind": problem.subject_kind, "id": problem.subject_id}
    if event == PROBLEM_MENDED:
        properties["ask"] = person["asked_at"] is None
    # Of the customer as they are now: of two who became one, only one is told.
    key = f"{problem.problem}/{0 if event == PROBLEM_OPENED else problem.updates}/{person['customer']}"
    return NewTouchpoint(
        message_id=message_id(event.lower().replace(" ", "-"), key),
        event=event,
        occurred_at=now,
        customer=person["customer"],
        properties=properties,
        context=context,
    )


def _kept(problem: Problem, person: dict[str, Any], now: datetime) -> dict[str, Any]:
    mended = problem.state == "mended"
    return {
        "touched": person["touched"],
        "case": person["case"],
        "told_at": None if mended else now,
        "mended_told_at": now if mended else None,
        "asked_at": now if mended else None,
    }
