"""What customers say reaches their case: the one that it answers, else the newest that is under way.

In the transaction that keeps the message: who waits, who goes on, and what is due next.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from pydantic import JsonValue

from journey.case_clock import OVER
from journey.queues import QueuesFile
from journey.spans import read_span
from stores.case_minding import mind, queue_of
from stores.case_rows import BY_CLEW, Case, happened, lock_case, present_case, reopen, run_time
from stores.database import Connection

BY_CUSTOMER = "customer"
"""Who did what customers did, in the thread of a case."""

MERGED_AT_MOST = 20
"""Cases into which one another were merged, one after another."""

# A message of staff leads to its own case; one of a journey to the newest that its run opened.
_ANSWERED: LiteralString = """
select coalesce(
    (select "case" from case_messages where delivery = %(delivery)s),
    (select c."case" from cases c
      where c.entry = %(entry)s and c.entry <> 0 and c.under_way
      order by c.opened_wall desc, c.n desc limit 1)) as answered,
    (select c."case" from cases c where c.customer = %(customer)s and c.under_way
      order by c.opened_wall desc, c.n desc limit 1) as newest
"""

_HEARD: LiteralString = """
update cases set waits_since = coalesce(waits_since, %(now)s),
       state = case when state in ('pending', 'snoozed') then 'claimed' else state end,
       acted_at = case when state in ('pending', 'snoozed') then %(now)s else acted_at end,
       snoozed_until = null, snoozed_for = null, pauses = ended_pauses(pauses, %(now)s)
 where "case" = %(case)s
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class Said:
    """What a customer said, by our ids only: the words stay with the message. `id`: the reply, or a link."""

    id: str
    channel: str
    files: int = 0
    did: str = "wrote"


async def case_heard(
    connection: Connection,
    customer: str,
    house: QueuesFile | None,
    *,
    delivery: str | None = None,
    entry: int | None = None,
) -> str | None:
    """Which case something of this customer belongs to; `delivery`, `entry`: what it answers.

    One that is resolved only where it answers what was written from it, and not too long after.
    """
    cursor = await connection.execute(
        _ANSWERED, {"delivery": delivery, "entry": entry, "customer": customer}
    )
    row: dict[str, Any] | None = await cursor.fetchone()
    if row is None:
        return None
    answered = await _merged_into(connection, row["answered"]) if row["answered"] else None
    if answered is None or answered.customer != customer:
        return row["newest"]
    if answered.state in OVER:
        now = await run_time(connection, answered.case)
        return answered.case if _may_reopen(answered, house, now) else row["newest"]
    return answered.case


async def tell_case(
    connection: Connection, case: str, said: Said, house: QueuesFile | None
) -> bool:
    """Tell a case what its customer said, and mind it; whether its run is to be told of it.

    One that is resolved is opened again, where that is not too long ago; else nothing changes.
    """
    held = await lock_case(connection, case)
    now = await run_time(connection, case)
    if held.state in OVER:
        if not _may_reopen(held, house, now):
            return False
        await reopen(connection, case, now)
        await happened(
            connection, case, now, BY_CUSTOMER, "reopened", why=f"answered by {said.channel}"
        )
    elif held.state in ("pending", "snoozed"):
        told: dict[str, JsonValue] = {"was": held.state}
        await happened(connection, case, now, BY_CLEW, "woke", detail=told, rings=False)
    await connection.execute(_HEARD, {"case": case, "now": now})
    detail: dict[str, JsonValue] = {"id": said.id, "channel": said.channel, "files": said.files}
    await happened(connection, case, now, BY_CUSTOMER, said.did, detail=detail)
    return (await mind(connection, await present_case(connection, case), house, now)).tells_run


def _may_reopen(case: Case, house: QueuesFile | None, now: datetime) -> bool:
    if case.state != "resolved" or case.resolved_at is None or case.merged_into is not None:
        return False
    queue = queue_of(house, case.queue)
    return now < read_span(queue.reopen_within).after(case.resolved_at, queue.zone)


async def _merged_into(connection: Connection, case: str) -> Case:
    """The case that this one is now."""
    found = await present_case(connection, case)
    for _ in range(MERGED_AT_MOST):
        if found.merged_into is None:
            break
        found = await present_case(connection, found.merged_into)
    return found
