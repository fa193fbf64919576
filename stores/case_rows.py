"""A case as it is kept: read, held while it is changed, and what happened to it written beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString

from pydantic import JsonValue, TypeAdapter

from activities.staff_cases import UnknownCaseError
from contracts.clock import RunClock
from journey.effects import OfferedDecision
from stores.case_decisions import CaseAlreadyDecidedError, CaseClosedError
from stores.database import Connection, clean_text, jsonb

COLUMNS: LiteralString = """
    "case", entry, workflow_id, journey, customer, queue, brief, decisions, state, claimed_by,
    decision, fields, decided_by, reason, first_answer_by, resolve_by, escalations, opened_at,
    opened_wall, answered_at, resolved_at, origin, title, place, language, skills,
    next_answer_by, waits_since, snoozed_until, snoozed_for, reopened_at, approval, merged_into, words
"""

DUE: LiteralString = "least(first_answer_by, next_answer_by, resolve_by)"
"""What a list of cases is in the order of; an index has the same words."""

RUNS_OUT: LiteralString = """
least(case when answered_at is null then first_answer_by end, next_answer_by, resolve_by)
"""
"""The next deadline that still runs: an answer that was given is late no more."""

RUNG_AGAIN: LiteralString = """
on conflict ("case") do update set rung_at = clock_timestamp(), held_to = null
"""
"""What rings while a router tells of an earlier ring is told after it, and never lost."""

_CLOCK = TypeAdapter(RunClock)

BY_CLEW = "clew"
"""Who did what nobody asked for: the case's own clock."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Case:
    """One case. Times are the run's own, `opened_wall` apart.

    `origin`: who opened it: a journey, the customer, staff, or a mention in public. `waits_since`: since when
    the customer waits for the next answer. `approval`: a decision beyond the authority of who took it, which
    waits for somebody who may. `words`: how it stands, as its own workflow says.
    """

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
    origin: str = "journey"
    title: str = ""
    place: str | None = None
    language: str | None = None
    skills: tuple[str, ...] = ()
    next_answer_by: datetime | None = None
    waits_since: datetime | None = None
    snoozed_until: datetime | None = None
    snoozed_for: str | None = None
    reopened_at: datetime | None = None
    approval: dict[str, JsonValue] | None = None
    merged_into: str | None = None
    words: str = ""

    @property
    def of_a_run(self) -> bool:
        """Whether a run waits for it; a customer may also have asked for somebody by themselves."""
        return bool(self.workflow_id)

    @property
    def short_name(self) -> str:
        """What people call it: `entry:n`, which no other case has."""
        return ":".join(self.case.rsplit(":", 2)[-2:])


def case_of(row: Mapping[str, Any]) -> Case:
    """The case in a row of `COLUMNS`."""
    offered = {name: OfferedDecision(**each) for name, each in row["decisions"].items()}
    values: dict[str, Any] = {**row, "decisions": offered, "skills": tuple(row["skills"])}
    return Case(**values)


async def read_case(connection: Connection, case: str) -> Case | None:
    """One case by its id."""
    cursor = await connection.execute(
        f'select {COLUMNS} from cases where "case" = %s', [clean_text(case)]
    )
    row = await cursor.fetchone()
    return case_of(row) if row else None


async def present_case(connection: Connection, case: str) -> Case:
    """One case. Raises: `UnknownCaseError`."""
    found = await read_case(connection, case)
    if found is None:
        raise _unknown(case)
    return found


def _unknown(case: str) -> UnknownCaseError:
    return UnknownCaseError(f"there is no case {case!r}")


async def lock_case(connection: Connection, case: str) -> Case:
    """A case, locked until the transaction ends, whatever its state. Raises: `UnknownCaseError`."""
    cursor = await connection.execute(
        f'select {COLUMNS} from cases where "case" = %s for no key update', [clean_text(case)]
    )
    row = await cursor.fetchone()
    if row is None:
        raise _unknown(case)
    return case_of(row)


async def held_case(connection: Connection, case: str) -> Case:
    """A case that can still be worked on, locked until the transaction ends.

    Raises: `UnknownCaseError`, `CaseAlreadyDecidedError`, `CaseClosedError`.
    """
    held = await lock_case(connection, case)
    if held.state == "resolved":
        raise CaseAlreadyDecidedError(f"{held.decided_by} has decided: {held.decision}")
    if held.state in ("closed", "expired"):
        raise CaseClosedError(f"this case was closed: {held.reason}")
    return held


async def run_time(connection: Connection, case: str) -> datetime:
    """Now, on the clock of the run that opened the case."""
    clock, wall = await run_clock(connection, case), datetime.now(UTC)
    return clock.now(wall) if clock else wall


async def run_clock(connection: Connection, case: str) -> RunClock | None:
    """The clock on which a case lives; None is wall time."""
    cursor = await connection.execute(
        'select run_clock from cases where "case" = %s', [clean_text(case)]
    )
    row = await cursor.fetchone()
    return clock_of(row["run_clock"] if row else None)


def clock_of(kept: object) -> RunClock | None:
    """The clock on which a case lives, as its row has it; None is wall time."""
    return _CLOCK.validate_python(kept) if kept else None


async def reopen(connection: Connection, case: str, now: datetime) -> None:
    """One that is over waits again, as if nobody had had it."""
    await connection.execute(
        """
        update cases set state = 'reopened', reopened_at = %(now)s, queued_at = %(now)s, claimed_by = null,
               answered_at = null, resolved_at = null, waits_since = null, approval = null,
               snoozed_until = null, had_by = '{}', reason = ''
         where "case" = %(case)s
        """,
        {"case": case, "now": now},
    )


async def happened(
    connection: Connection,
    case: str,
    at: datetime,
    who: str,
    did: str,
    *,
    why: str = "",
    detail: Mapping[str, JsonValue] | None = None,
    rings: bool = True,
) -> None:
    """Write down what happened to a case, and have its clock told, in the transaction that does it.

    `rings`: not where its clock itself did it, or where it changes nothing for it.
    """
    await connection.execute(
        """
        insert into case_events ("case", at, who, did, why, detail) values (%s, %s, %s, %s, %s, %s)
        """,
        [case, at, clean_text(who), did, clean_text(why), jsonb(dict(detail or {}))],
    )
    if rings:
        await ring(connection, case)


async def ring(connection: Connection, case: str) -> None:
    """Have the clock of a case told that something changed, or started."""
    await connection.execute(f'insert into case_bells ("case") values (%s) {RUNG_AGAIN}', [case])
