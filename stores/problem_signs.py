"""What is seen as customers' touchpoints are routed: signs that make a problem by a rule, and who joins an open one."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import LiteralString

from journey.problem_rules import ProblemRule, name_of, sign_of, subject_of
from journey.spans import read_span
from journey.touchpoint import TRAITS_CHANGED, Touchpoint
from stores.customers import Customer, read_customer
from stores.database import Connection, Pool, clean_text, one_statement
from stores.problem_joining import join
from stores.problem_reach import is_touched
from stores.problems import COLUMNS, NewProblem, Problem, open_problem

_OPEN: LiteralString = f"""
select {COLUMNS} from problems
 where not settled and state = 'open' and (audience is not null or subject_id is not null)
 limit 100
"""

_SIGN: LiteralString = """
insert into problem_signs (sign, rule, same, customer, at) values (%s, %s, %s, %s, %s)
on conflict do nothing
"""


class ProblemSigns:
    """Looks at what came for a customer. `ring` wakes the routers; `now` is run time."""

    def __init__(
        self,
        pool: Pool,
        ring: Callable[[], None] | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._pool = pool
        self._ring = ring or (lambda: None)
        self._now = now or (lambda: datetime.now(UTC))

    async def see(
        self, customer: str, rules: Sequence[ProblemRule], touchpoints: Sequence[Touchpoint]
    ) -> None:
        """Let what came open a problem, or the customer join one. Twice is the same as once."""
        events = {touchpoint.event for touchpoint in touchpoints}
        for rule in (rule for rule in rules if rule.on in events):
            for touchpoint in touchpoints:
                await self._see(customer, rule, touchpoint)
        if TRAITS_CHANGED in events or any(map(subject_of, touchpoints)):
            await self._join(customer, touchpoints)

    async def _see(self, customer: str, rule: ProblemRule, touchpoint: Touchpoint) -> None:
        if rule.on != touchpoint.event:
            return
        async with self._pool.connection() as connection:
            found = await read_customer(connection, customer)
            same = sign_of(rule, touchpoint, found.profile()) if found else None
            if same is None:
                return
            same = clean_text(same)
            # Two customers' signs at once are counted one after the other: else both would see one too few.
            await connection.execute(
                "select pg_advisory_xact_lock(hashtextextended(%s, 0))",
                [f"sign {rule.problem} {same}"],
            )
            await self._count(connection, customer, rule, touchpoint, same)

    async def _count(
        self,
        connection: Connection,
        customer: str,
        rule: ProblemRule,
        touchpoint: Touchpoint,
        same: str,
    ) -> None:
        now = self._now()
        open_already = await _open_of(connection, rule, same)
        if open_already is not None:
            await join(connection, open_already, [{"customer": customer, "how": "rule"}], now)
            return
        since = read_span(rule.within).before(now, "UTC")
        if touchpoint.timestamp <= since:
            return
        named = hashlib.sha256(touchpoint.message_id.encode()).hexdigest()[:32]
        values = (f"{rule.problem}/{named}/{customer}", rule.problem, same, customer)
        await connection.execute(_SIGN, [*values, touchpoint.timestamp])
        await connection.execute(
            "delete from problem_signs where rule = %s and same = %s and at <= %s",
            [rule.problem, same, since],
        )
        cursor = await connection.execute(
            "select distinct customer from problem_signs where rule = %s and same = %s"
            " order by customer",
            [rule.problem, same],
        )
        customers = [row["customer"] for row in await cursor.fetchall()]
        if len(customers) >= rule.customers:
            await self._open(connection, rule, same, customers, touchpoint)

    async def _open(
        self,
        connection: Connection,
        rule: ProblemRule,
        same: str,
        customers: Sequence[str],
        touchpoint: Touchpoint,
    ) -> None:
        now = self._now()
        new = NewProblem(
            # To the minute: the same thing may break, be mended and break again on one day.
            problem=name_of(rule, same, f"{now:%Y-%m-%d-%H%M}"),
            title=f"{rule.title}{f': {same}' if same else ''}",
            words=rule.words,
            why=f"{rule.on} from {len(customers)} customers within {rule.within}",
            customers=customers,
            subject=subject_of(touchpoint) if rule.subject is not None else None,
            queues=rule.queues,
            places=rule.say_at,
            rule=rule.problem,
            same=same,
        )
        if await open_problem(connection, new, by=f"rule: {rule.problem}", at=now):
            await connection.execute(
                "delete from problem_signs where rule = %s and same = %s", [rule.problem, same]
            )
            self._ring()

    async def _join(self, customer: str, touchpoints: Sequence[Touchpoint]) -> None:
        """Join what touches the customer as they are now, or what their touchpoints are about."""
        async with one_statement(self._pool) as connection:
            rows = await (await connection.execute(_OPEN)).fetchall()
        if not rows:
            return
        subjects = {subject_of(touchpoint) for touchpoint in touchpoints}
        async with self._pool.connection() as connection:
            found = await read_customer(connection, customer)
            for problem in (Problem(**row) for row in rows):
                how = self._touches(problem, found, subjects)
                if how is not None and await _still_open(connection, problem.problem):
                    row = {"customer": customer, "how": how}
                    await join(connection, problem.problem, [row], self._now())

    def _touches(
        self,
        problem: Problem,
        customer: Customer | None,
        subjects: set[tuple[str, str] | None],
    ) -> str | None:
        if (problem.subject_kind, problem.subject_id) in subjects:
            return "subject"
        if problem.audience is None or customer is None:
            return None
        return "audience" if is_touched(problem.audience, customer, self._now()) else None


async def _open_of(connection: Connection, rule: ProblemRule, same: str) -> str | None:
    cursor = await connection.execute(
        "select problem from problems where rule = %s and same = %s and state = 'open' for share",
        [rule.problem, same],
    )
    row = await cursor.fetchone()
    return row["problem"] if row else None


async def _still_open(connection: Connection, problem: str) -> bool:
    """Whether it is open, and stays so until this transaction ends: who joins a mended one would never be told."""
    cursor = await connection.execute(
        "select 1 from problems where problem = %s and state = 'open' for share", [problem]
    )
    return await cursor.fetchone() is not None
