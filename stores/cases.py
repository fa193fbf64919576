"""Cases: what customers were handed over to staff for, and what staff decided."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString

from pydantic import JsonValue, TypeAdapter

from activities.staff_cases import UnknownCaseError
from contracts.clock import RunClock
from contracts.fault_points import reach
from contracts.journey_run import RunReference
from contracts.staff_case import StaffCaseChanged
from journey.decisions import checked_decision
from journey.effects import CloseCase, EscalateCase, OfferedDecision, OpenCase
from journey.touchpoint import CASE_DECIDED
from stores.audit import record_deed
from stores.case_decisions import (
    CaseAlreadyClaimedError,
    CaseAlreadyDecidedError,
    CaseClosedError,
)
from stores.database import (
    Connection,
    Pool,
    clean_text,
    jsonb,
    one_statement,
    ordered_json,
)
from stores.touchpoints import NewTouchpoint, store_touchpoints

_COLUMNS: LiteralString = """
    "case", entry, workflow_id, journey, customer, queue, brief, decisions, state, claimed_by,
    decision, fields, decided_by, reason, first_answer_by, resolve_by, escalations, opened_at,
    opened_wall, answered_at, resolved_at
"""

_CLOCK = TypeAdapter(RunClock)

_SHORT_NAME = re.compile(r"(\d{1,18}):(\d{1,18})")


@dataclass(slots=True, frozen=True, kw_only=True)
class Case:
    """One case. Times are the run's own, `opened_wall` apart."""

    case: str
    entry: int
    workflow_id: str
    journey: str
    customer: str
    queue: str
    brief: str
    decisions: dict[str, OfferedDecision]
    state: str
    claimed_by: str | None
    decision: str | None
    fields: dict[str, JsonValue]
    decided_by: str | None
    reason: str
    first_answer_by: datetime | None
    resolve_by: datetime | None
    escalations: list[dict[str, JsonValue]]
    opened_at: datetime
    opened_wall: datetime
    answered_at: datetime | None
    resolved_at: datetime | None

    @property
    def of_a_run(self) -> bool:
        """Whether a run waits for it; a customer may also have asked for somebody by themselves."""
        return bool(self.workflow_id)

    @property
    def short_name(self) -> str:
        """What people call it: `entry:n`, which no other case has."""
        return ":".join(self.case.rsplit(":", 2)[-2:])


class CaseStore:
    """Cases. `ring` is called where the customer's runs are to be told of a decision."""

    def __init__(self, pool: Pool, ring: Callable[[], None] | None = None) -> None:
        self._pool = pool
        self._ring = ring or (lambda: None)

    async def open(
        self, case: str, run: RunReference, order: OpenCase, brief: str
    ) -> StaffCaseChanged:
        """Open a case, or say how it stands where it was opened before."""
        decisions = {name: asdict(offered) for name, offered in order.decisions.items()}
        async with self._pool.connection() as connection:
            await connection.execute(
                """
                insert into cases ("case", entry, n, workflow_id, journey, customer, queue, brief,
                                   decisions, state, first_answer_by, resolve_by, opened_at,
                                   run_clock)
                values (%s, %s, %s, %s, %s, canonical(%s), %s, %s, %s, 'open', %s, %s, %s, %s)
                on conflict ("case") do nothing
                """,
                [
                    *(case, run.entry, order.n, run.workflow_id, run.journey, run.customer),
                    *(order.queue, clean_text(brief), ordered_json(decisions)),
                    *(order.first_answer_by, order.resolve_by, run.now),
                    jsonb(asdict(run.clock)) if run.clock else None,
                ],
            )
            standing = await _standing(connection, case)
            reach("case.before_commit")
        reach("case.after_commit")
        return standing

    async def escalate(self, case: str, order: EscalateCase, at: datetime) -> StaffCaseChanged:
        """Move a case that is open and unclaimed. Raises: `UnknownCaseError`."""
        step = {"n": order.n, "to": order.queue, "reason": order.reason, "at": at}
        async with self._pool.connection() as connection:
            await connection.execute(
                """
                update cases set queue = %(queue)s, escalations = escalations
                       || jsonb_build_array(%(step)s::jsonb || jsonb_build_object('from', queue))
                 where "case" = %(case)s and state = 'open' and not escalations @> %(known)s
                """,
                {
                    "case": case,
                    "queue": order.queue,
                    "step": jsonb(step),
                    "known": jsonb([{"n": order.n}]),
                },
            )
            return await _standing(connection, case)

    async def close(self, case: str, order: CloseCase, at: datetime) -> StaffCaseChanged:
        """Close a case that is not resolved. Raises: `UnknownCaseError`."""
        async with self._pool.connection() as connection:
            await connection.execute(
                """
                update cases set state = 'closed', reason = %s, resolved_at = %s
                 where "case" = %s and state in ('open', 'claimed')
                """,
                [clean_text(order.reason), at, case],
            )
            return await _standing(connection, case)

    async def case(self, case: str) -> Case | None:
        """One case."""
        async with one_statement(self._pool) as connection:
            return await _read(connection, case)

    async def named(self, name: str) -> Case | None:
        """One case by its id or its short name."""
        short = _SHORT_NAME.fullmatch(name)
        if short is None:
            return await self.case(name)
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                f"select {_COLUMNS} from cases where entry = %s and n = %s",
                [int(short[1]), int(short[2])],
            )
            row = await cursor.fetchone()
        return _case(row) if row else None

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
                f"select {_COLUMNS} from cases where {conditions}"
                " order by least(first_answer_by, resolve_by) nulls last, opened_wall, n"
                " limit %(most)s",
                {
                    "state": state,
                    "queue": queue,
                    "customer": customer,
                    "claimed_by": claimed_by,
                    "most": most,
                },
            )
            return [_case(row) for row in await cursor.fetchall()]

    async def claim(self, case: str, by: str) -> Case:
        """Take a case on; claiming one's own again changes nothing.

        Raises: `UnknownCaseError`, `CaseAlreadyClaimedError`, `CaseAlreadyDecidedError`,
        `CaseClosedError`.
        """
        async with self._pool.connection() as connection:
            held = await _held(connection, case)
            if held.state == "claimed" and held.claimed_by != by:
                raise CaseAlreadyClaimedError(f"{held.claimed_by} has claimed this case")
            await connection.execute(
                """
                update cases set state = 'claimed', claimed_by = %s,
                       answered_at = coalesce(answered_at, %s) where "case" = %s
                """,
                [by, await _run_time(connection, case), case],
            )
            return await _present(connection, case)

    async def decide(
        self,
        case: str,
        decision: str,
        fields: Mapping[str, JsonValue],
        *,
        by: str,
        authority: float | None = None,
    ) -> Case:
        """Resolve a case and tell the customer's runs, in one transaction.

        `authority`: up to which amount this member may decide; None is without limit.
        Raises: `UnknownCaseError`, `UnknownDecisionError`, `WrongFieldError` naming the field,
        `AuthorityExceededError`, `CaseAlreadyDecidedError`, `CaseClosedError`.
        """
        async with self._pool.connection() as connection:
            held = await _held(connection, case)
            checked = checked_decision(held.decisions, decision, fields, authority)
            now = await _run_time(connection, case)
            await connection.execute(
                """
                update cases set state = 'resolved', decision = %s, fields = %s, decided_by = %s,
                       answered_at = coalesce(answered_at, %s), resolved_at = %s
                 where "case" = %s
                """,
                [decision, jsonb(checked), by, now, now, case],
            )
            told = NewTouchpoint(
                message_id=f"decision/{case}",
                event=CASE_DECIDED,
                occurred_at=now,
                customer=held.customer,
                properties={"case": case, "decision": decision, "fields": checked, "by": by},
                routed=held.of_a_run,
            )
            await store_touchpoints(connection, [told])
            await record_deed(
                connection,
                by,
                f"decided {decision}",
                f"case {case}",
                before=held.state,
                after=checked,
            )
            decided = await _present(connection, case)
        reach("case.after_decision")
        if held.of_a_run:
            self._ring()
        return decided


async def _read(connection: Connection, case: str) -> Case | None:
    cursor = await connection.execute(
        f'select {_COLUMNS} from cases where "case" = %s', [clean_text(case)]
    )
    row = await cursor.fetchone()
    return _case(row) if row else None


async def _run_time(connection: Connection, case: str) -> datetime:
    """Now, on the clock of the run that opened the case."""
    cursor = await connection.execute(
        'select run_clock from cases where "case" = %s', [clean_text(case)]
    )
    row = await cursor.fetchone()
    wall = datetime.now(UTC)
    return _CLOCK.validate_python(row["run_clock"]).now(wall) if row and row["run_clock"] else wall


async def _held(connection: Connection, case: str) -> Case:
    """A case that can still be worked on, locked until the transaction ends."""
    await connection.execute(
        'select 1 from cases where "case" = %s for no key update', [clean_text(case)]
    )
    held = await _present(connection, case)
    if held.state == "resolved":
        raise CaseAlreadyDecidedError(f"{held.decided_by} has decided: {held.decision}")
    if held.state == "closed":
        raise CaseClosedError(f"this case was closed: {held.reason}")
    return held


async def _present(connection: Connection, case: str) -> Case:
    found = await _read(connection, case)
    if found is None:
        raise UnknownCaseError(f"there is no case {case!r}")
    return found


async def _standing(connection: Connection, case: str) -> StaffCaseChanged:
    found = await _present(connection, case)
    return StaffCaseChanged(case=found.case, state=found.state, queue=found.queue)


def _case(row: dict[str, Any]) -> Case:
    offered = {name: OfferedDecision(**each) for name, each in row["decisions"].items()}
    values: dict[str, Any] = {**row, "decisions": offered}
    return Case(**values)
