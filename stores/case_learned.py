"""What staff learned at a case goes back: to the customer's journeys, to what they feel, to who mends what lacked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue

from contracts.ids import message_id
from journey.staff_events import CASE_NOTED, STAFF_LACKED
from stores.case_rows import Case, happened
from stores.database import Connection, Pool, clean_text
from stores.feelings import FeelingStore
from stores.house import HouseStore
from stores.members import Member, employee_of
from stores.touchpoints import NewTouchpoint, store_touchpoints


@dataclass(slots=True, frozen=True, kw_only=True)
class Learned:
    """What whoever decided a case has to say. `feeling`: of the customer; `lacked`: what would have helped."""

    decision: str
    note: str = ""
    feeling: str = ""
    lacked: str = ""


class AtWork(Protocol):
    """A case that a transaction holds; `stores.case_desk.CaseAtWork` is one."""

    connection: Connection
    case: Case
    by: str
    member: Member | None
    now: datetime


async def keep_learned(pool: Pool, house: HouseStore, work: AtWork, learned: Learned) -> bool:
    """Keep it, in the transaction that holds the case; whether somebody's runs are to be told.

    Raises: `stores.feelings.UnknownFeelingError`.
    """
    note, feeling, lacked = (
        clean_text(each).strip() for each in (learned.note, learned.feeling, learned.lacked)
    )
    told: list[NewTouchpoint] = []
    if feeling:
        readings = FeelingStore(pool, house, now=lambda: work.now)
        why = note or f"case {work.case.short_name}"
        await readings.keep_by_staff(
            work.connection, work.case.customer, feeling, why=why, by=work.by
        )
    if note or feeling:
        if note:
            await happened(work.connection, work.case.case, work.now, work.by, "noted", why=note)
        told.append(
            _told(work, CASE_NOTED, work.case.customer, learned, {"note": note, "feeling": feeling})
        )
    if lacked:
        await happened(work.connection, work.case.case, work.now, work.by, "lacked", why=lacked)
        employee = await employee_of(pool, work.connection, work.by, work.member)
        told.append(_told(work, STAFF_LACKED, employee, learned, {"lacked": lacked}))
    await _store(work.connection, told)
    return bool(told)


def _told(
    work: AtWork, event: str, customer: str, learned: Learned, said: dict[str, JsonValue]
) -> NewTouchpoint:
    about: dict[str, JsonValue] = {
        "case": work.case.case, "queue": work.case.queue, "journey": work.case.journey,
        "decision": learned.decision, "by": work.by,
    }  # fmt: skip
    if event == STAFF_LACKED:
        about["member"] = about.pop("by")
    return NewTouchpoint(
        message_id=message_id(
            event.lower().replace(" ", "-"), f"{work.case.case}/{work.now.isoformat()}"
        ),
        event=event,
        occurred_at=work.now,
        customer=customer,
        properties={**about, **said},
        context={"place": work.case.place} if work.case.place else {},
    )


async def _store(connection: Connection, told: Sequence[NewTouchpoint]) -> None:
    for each in sorted(told, key=lambda each: each.customer or ""):  # customers are locked in order
        await store_touchpoints(connection, [each])
