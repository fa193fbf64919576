"""Cases: what runs ask of them, and how they are found."""

import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import LiteralString

from contracts.fault_points import reach
from contracts.ids import case_clock_id
from contracts.journey_run import RunReference
from contracts.staff_case import StaffCaseChanged
from journey.effects import CloseCase, EscalateCase, OpenCase
from journey.machine import CASE_CLOCK_ENGINE
from stores.case_minding import mind, queue_of
from stores.case_rows import (
    BY_CLEW,
    COLUMNS,
    DUE,
    Case,
    case_of,
    happened,
    lock_case,
    present_case,
    read_case,
)
from stores.database import Connection, Pool, clean_text, jsonb, one_statement, ordered_json
from stores.house import HouseStore

_OPEN: LiteralString = """
with own as (
    select coalesce((select engine >= %(first_engine)s from runs where entry = %(entry)s), false) as clocked
)
insert into cases ("case", entry, n, workflow_id, journey, customer, queue, brief, decisions, state,
                   first_answer_by, resolve_by, opened_at, queued_at, run_clock, clock,
                   first_answer, resolve, escalate_to, expires, fixed, language, place)
select %(case)s, %(entry)s, %(n)s, %(workflow_id)s, %(journey)s, canonical(%(customer)s), %(queue)s,
       %(brief)s, %(decisions)s, 'open', %(first_answer_by)s, %(resolve_by)s, %(now)s, %(now)s,
       %(run_clock)s, %(clock)s,
       case when clocked and %(known)s then %(first_answer)s end,
       case when clocked and %(known)s then %(resolve)s end,
       case when clocked then %(escalate_to)s end, clocked and %(resolve)s::text is not null,
       case when clocked and %(known)s then '{}'::jsonb end,
       (select split_part(traits ->> 'locale', '-', 1) from customers where customer = canonical(%(customer)s)),
       coalesce(%(place)s, (select t.context ->> 'place' from runs r
                              join message_ids m on m.message_id = r.entering_message_id
                              join touchpoints t using (touchpoint, received_at)
                             where r.entry = %(entry)s))
  from own
on conflict ("case") do nothing returning "case"
"""

_STANDING: LiteralString = """
select c."case", c.state, c.queue, coalesce(r.engine >= %s, false) as clocked
  from cases c left join runs r on r.entry = c.entry where c."case" = %s
"""

_SHORT_NAME = re.compile(r"(\d{1,18}):(\d{1,18})")


class CaseStore:
    """Cases. `ring` is called where the customer's runs are to be told of a decision."""

    def __init__(self, pool: Pool, ring: Callable[[], None] | None = None) -> None:
        self._pool = pool
        self._ring = ring or (lambda: None)
        self._house = HouseStore(pool)

    async def open(
        self, case: str, run: RunReference, order: OpenCase, brief: str
    ) -> StaffCaseChanged:
        """Open a case, or say how it stands where it was opened before.

        Its deadlines count in the hours of its queue; where nobody wrote those down, they are the instants that
        the journey counted on its own calendar.
        """
        decisions = {name: asdict(offered) for name, offered in order.decisions.items()}
        house = (await self._house.house()).queues
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                _OPEN,
                {
                    "case": case,
                    "entry": run.entry,
                    "n": order.n,
                    "workflow_id": run.workflow_id,
                    "journey": run.journey,
                    "customer": run.customer,
                    "queue": order.queue,
                    "brief": clean_text(brief),
                    "decisions": ordered_json(decisions),
                    "first_answer_by": order.first_answer_by,
                    "resolve_by": order.resolve_by,
                    "first_answer": order.first_answer,
                    "resolve": order.resolve,
                    "escalate_to": order.escalate_to,
                    "known": house is not None and house.knows(order.queue),
                    "place": queue_of(house, order.queue).place,
                    "now": run.now,
                    "run_clock": jsonb(asdict(run.clock)) if run.clock else None,
                    "clock": case_clock_id(run.workflow_id, run.entry, order.n),
                    "first_engine": CASE_CLOCK_ENGINE,
                },
            )
            if await cursor.fetchone():
                await happened(connection, case, run.now, BY_CLEW, "opened")
                opened = await present_case(connection, case)
                await mind(connection, opened, house, run.now)
            standing = await _standing(connection, case)
            reach("case.before_commit")
        reach("case.after_commit")
        return standing

    async def escalate(self, case: str, order: EscalateCase, at: datetime) -> StaffCaseChanged:
        """Move a case that is open and unclaimed. Raises: `UnknownCaseError`."""
        step = {"n": order.n, "to": order.queue, "reason": order.reason, "at": at}
        house = (await self._house.house()).queues
        async with self._pool.connection() as connection:
            held = await lock_case(connection, case)
            cursor = await connection.execute(
                """
                update cases set queue = %(queue)s, queued_at = %(at)s, escalations = escalations
                       || jsonb_build_array(%(step)s::jsonb || jsonb_build_object('from', queue))
                 where "case" = %(case)s and state = 'open' and not escalations @> %(known)s
                """,
                {
                    "case": case,
                    "queue": order.queue,
                    "at": at,
                    "step": jsonb(step),
                    "known": jsonb([{"n": order.n}]),
                },
            )
            if cursor.rowcount:
                told = {"from": held.queue, "to": order.queue}
                await happened(
                    connection, case, at, BY_CLEW, "escalated", why=order.reason, detail=told
                )
                await mind(connection, await present_case(connection, case), house, at)
            return await _standing(connection, case)

    async def close(self, case: str, order: CloseCase, at: datetime) -> StaffCaseChanged:
        """Close a case that is not resolved. Raises: `UnknownCaseError`."""
        async with self._pool.connection() as connection:
            await lock_case(connection, case)
            cursor = await connection.execute(
                """
                update cases set state = 'closed', reason = %s, resolved_at = %s
                 where "case" = %s and under_way
                """,
                [clean_text(order.reason), at, case],
            )
            if cursor.rowcount:
                await happened(connection, case, at, BY_CLEW, "closed", why=order.reason)
            return await _standing(connection, case)

    async def case(self, case: str) -> Case | None:
        """One case."""
        async with one_statement(self._pool) as connection:
            return await read_case(connection, case)

    async def named(self, name: str) -> Case | None:
        """One case by its id or its short name."""
        short = _SHORT_NAME.fullmatch(name)
        if short is None:
            return await self.case(name)
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                f"select {COLUMNS} from cases where entry = %s and n = %s",
                [int(short[1]), int(short[2])],
            )
            row = await cursor.fetchone()
        return case_of(row) if row else None

    async def cases(
        self,
        *,
        state: str | None = None,
        queue: str | None = None,
        customer: str | None = None,
        claimed_by: str | None = None,
        most: int = 100,
    ) -> list[Case]:
        """Cases that fit: those to be answered soonest first, then the oldest."""
        chosen: list[tuple[object, LiteralString]] = [
            (state, "state = %(state)s"),
            (queue, "queue = %(queue)s"),
            (customer, "customer = %(customer)s"),
            (claimed_by, "claimed_by = %(claimed_by)s"),
        ]
        conditions = " and ".join(["true", *(sql for value, sql in chosen if value is not None)])
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                f"select {COLUMNS} from cases where {conditions}"
                f" order by {DUE} nulls last, opened_wall, n"
                " limit %(most)s",
                {
                    "state": state,
                    "queue": queue,
                    "customer": customer,
                    "claimed_by": claimed_by,
                    "most": most,
                },
            )
            return [case_of(row) for row in await cursor.fetchall()]


async def _standing(connection: Connection, case: str) -> StaffCaseChanged:
    cursor = await connection.execute(_STANDING, [CASE_CLOCK_ENGINE, clean_text(case)])
    row = await cursor.fetchone()
    assert row is not None, "whoever asks holds it"
    return StaffCaseChanged(**row)
