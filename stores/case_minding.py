"""What time does to a case: reminders, escalations, somebody else instead of who is silent, and its end.

Whoever changes a case minds it in the same transaction, and so does its workflow when something is due.
What is due is `journey.case_clock`'s; here it is done, once, under the lock of the case.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, LiteralString

from pydantic import JsonValue, TypeAdapter

from contracts.clock import RunClock
from contracts.fault_points import reach
from contracts.ids import message_id
from journey.case_clock import (
    OVER,
    Assign,
    CaseAct,
    CaseTimes,
    Deadline,
    Due,
    Escalate,
    Expire,
    Pause,
    Remind,
    TakeBack,
    Wake,
    due,
    standing_in_words,
)
from journey.queues import Queue, QueuesFile
from journey.touchpoint import CASE_DECIDED
from stores.case_assignment import assign, there_from
from stores.case_rows import BY_CLEW, Case, clock_of, happened, present_case
from stores.database import Connection, jsonb
from stores.members import absences_of, read_member
from stores.touchpoints import NewTouchpoint, store_touchpoints

MOST_ACTS = 20
"""More is never due at once; what would be goes in circles."""

_FIXED = TypeAdapter(dict[Deadline, datetime])
_PAUSES = TypeAdapter(tuple[Pause, ...])

_TIMES: LiteralString = """
select state, coalesce(reopened_at, opened_at) as opened_at,
       coalesce(queued_at, reopened_at, opened_at) as queued_at, first_answer, next_answer, resolve,
       fixed, first_answer_by, resolve_by, escalate_to, expires, answered_at is not null as answered,
       waits_since, pauses, snoozed_until, claimed_by as assignee, acted_at, marks, run_clock
  from cases where "case" = %s
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class Minded:
    """How a case stands. `look_at`: when something is due next, in wall time; `tells_run`: its run is to be told."""

    case: Case
    look_at: datetime | None
    tells_run: bool = False


async def mind(
    connection: Connection, case: Case, house: QueuesFile | None, now: datetime
) -> Minded:
    """Do what is due on a case that this transaction holds, and write down when to look again."""
    refused: set[type[CaseAct]] = set()
    tells_run = False
    for _ in range(MOST_ACTS):
        queue = queue_of(house, case.queue)
        times, clock = await _times(connection, case, queue, now)
        told = due(times, queue, now)
        act = next((each for each in told.acts if type(each) not in refused), None)
        if act is None:
            break
        if await _do(connection, case, queue, act, now):
            tells_run = tells_run or (isinstance(act, Expire) and case.of_a_run)
            case = await present_case(connection, case.case)
        else:
            refused.add(type(act))
    else:
        raise RuntimeError(f"{case.case}: what is due on it goes in circles")
    look_at = clock.wall(told.next_at) if clock and told.next_at else told.next_at
    await _write(connection, case, told, look_at, standing_in_words(times, queue, told.deadlines))
    return Minded(
        case=await present_case(connection, case.case), look_at=look_at, tells_run=tells_run
    )


def queue_of(house: QueuesFile | None, queue: str) -> Queue:
    """The queue as the house wrote it down; one that it did not has office hours and no deadlines."""
    return house.named(queue) if house is not None else Queue(queue=queue)


async def _times(
    connection: Connection, case: Case, queue: Queue, now: datetime
) -> tuple[CaseTimes, RunClock | None]:
    cursor = await connection.execute(_TIMES, [case.case])
    row: dict[str, Any] | None = await cursor.fetchone()
    assert row is not None
    by = {"first_answer": row.pop("first_answer_by"), "resolve": row.pop("resolve_by")}
    fixed = row.pop("fixed")
    row["fixed"] = (
        {name: at for name, at in by.items() if at is not None}
        if fixed is None
        else _FIXED.validate_python(fixed)
    )
    row["pauses"] = _PAUSES.validate_python(row["pauses"])
    row["marks"] = frozenset(row["marks"])
    clock = clock_of(row.pop("run_clock"))
    times = CaseTimes(**row)
    if times.assignee is not None:
        times = replace(times, away_from=await _away_from(connection, times.assignee, now))
    elif queue.assign != "pulled" and times.state not in OVER:
        times = replace(times, present_from=await there_from(connection, queue, now))
    return times, clock


async def _away_from(connection: Connection, assignee: str, now: datetime) -> datetime | None:
    """When whoever has the case is absent next; whom we do not know never is."""
    member = await read_member(connection, assignee)
    if member is None:
        return None
    if member.left_at is not None:
        return now
    away = (await absences_of(connection, [assignee], now)).get(assignee, [])
    return away[0][0] if away else None


async def _do(
    connection: Connection, case: Case, queue: Queue, act: CaseAct, now: datetime
) -> bool:
    """Whether it was done; what cannot be done now is looked at again later."""
    match act:
        case Remind():
            await _mark(connection, case, act.mark)
            told: dict[str, JsonValue] = {"deadline": act.deadline, "by": act.by.isoformat()}
            await _happened(connection, case, now, "reminded", detail=told)
        case Escalate():
            await _escalate(connection, case, act, now)
        case TakeBack():
            await _take_back(connection, case, act.why, now)
        case Wake():
            await connection.execute(
                """
                update cases set state = 'claimed', snoozed_until = null, snoozed_for = null,
                       acted_at = %(now)s, pauses = ended_pauses(pauses, %(now)s)
                 where "case" = %(case)s
                """,
                {"case": case.case, "now": now},
            )
            await _happened(connection, case, now, "woke", why=f"was {case.state}")
        case Expire():
            await _expire(connection, case, now)
        case Assign():
            given = await assign(connection, case, queue, now)
            if given is None:
                return False
            await _happened(
                connection, case, now, "given", detail={"to": given, "how": queue.assign}
            )
    reach("case.minded")
    return True


async def _escalate(connection: Connection, case: Case, act: Escalate, now: datetime) -> None:
    why = f"{act.deadline.replace('_', ' ')} was not in time"
    await _mark(connection, case, act.mark)
    if act.to is not None:
        step = {"from": case.queue, "to": act.to, "reason": why, "at": now}
        await connection.execute(
            """
            update cases set queue = %(to)s, queued_at = %(now)s, claimed_by = null,
                   state = case when reopened_at is null then 'open' else 'reopened' end,
                   snoozed_until = null, snoozed_for = null,
                   pauses = ended_pauses(pauses, %(now)s),
                   escalations = escalations || jsonb_build_array(%(step)s::jsonb)
             where "case" = %(case)s
            """,
            {"case": case.case, "to": act.to, "now": now, "step": jsonb(step)},
        )
    told: dict[str, JsonValue] = {"deadline": act.deadline, "from": case.queue, "to": act.to}
    await _happened(connection, case, now, "escalated", why=why, detail=told)


async def _take_back(connection: Connection, case: Case, why: str, now: datetime) -> None:
    await connection.execute(
        """
        update cases set claimed_by = null, had_by = array_append(had_by, claimed_by),
               state = case when reopened_at is null then 'open' else 'reopened' end,
               snoozed_until = null, snoozed_for = null, pauses = ended_pauses(pauses, %(now)s)
         where "case" = %(case)s
        """,
        {"case": case.case, "now": now},
    )
    await _happened(connection, case, now, "taken back", why=why, detail={"from": case.claimed_by})


async def _expire(connection: Connection, case: Case, now: datetime) -> None:
    why = "not decided in time"
    await connection.execute(
        "update cases set state = 'expired', reason = %s, resolved_at = %s where \"case\" = %s",
        [why, now, case.case],
    )
    if case.of_a_run:
        told = NewTouchpoint(
            message_id=message_id("expired", case.case),
            event=CASE_DECIDED,
            occurred_at=now,
            customer=case.customer,
            properties={"case": case.case, "decision": None, "expired": why, "by": BY_CLEW},
            routed=True,
        )
        await store_touchpoints(connection, [told])
    await _happened(connection, case, now, "expired", why=why)


async def _mark(connection: Connection, case: Case, mark: str) -> None:
    await connection.execute(
        'update cases set marks = array_append(marks, %s) where "case" = %s', [mark, case.case]
    )


async def _happened(
    connection: Connection,
    case: Case,
    now: datetime,
    did: str,
    *,
    why: str = "",
    detail: Mapping[str, JsonValue] | None = None,
) -> None:
    await happened(connection, case.case, now, BY_CLEW, did, why=why, detail=detail, rings=False)


async def _write(
    connection: Connection, case: Case, told: Due, look_at: datetime | None, words: str
) -> None:
    """The deadlines as they run now, so that lists are in their order, and how it stands in words."""
    until = told.deadlines
    over = case.state in OVER
    await connection.execute(
        """
        update cases set words = %(words)s, look_at = %(look_at)s,
               fixed = case when fixed is not null then fixed else jsonb_strip_nulls(
                   jsonb_build_object('first_answer', first_answer_by, 'resolve', resolve_by)) end,
               first_answer_by = case when %(over)s or answered_at is not null then first_answer_by
                                      else %(first_answer)s end,
               next_answer_by = %(next_answer)s,
               resolve_by = case when %(over)s or state = 'pending' then resolve_by else %(resolve)s end
         where "case" = %(case)s
        """,
        {
            "case": case.case,
            "words": words,
            "look_at": look_at,
            "over": over,
            "first_answer": until.get("first_answer"),
            "next_answer": until.get("next_answer"),
            "resolve": until.get("resolve"),
        },
    )
