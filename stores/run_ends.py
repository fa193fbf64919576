"""The end of a run, told to whoever waits for it."""

from typing import Any

from contracts.ids import effect_key, message_id
from contracts.journey_run import RunReference
from contracts.other_journey import ASKED_BY
from journey.effects import RunRecord
from journey.touchpoint import HOLD_LIFTED
from stores.database import Connection
from stores.requested_entries import ended_run
from stores.touchpoints import NewTouchpoint, store_touchpoints

_WAITING = """
select r.customer,
       (select t.properties ->> %(asked_by)s
          from message_ids m join touchpoints t
            on t.received_at = m.received_at and t.touchpoint = m.touchpoint
         where m.message_id = r.entering_message_id) as asked_by,
       (r.holds is not null or r.priority is not null)
           and exists (select 1 from deliveries d
                        where d.customer = r.customer and d.state = 'deferred') as held
  from runs r where r.entry = %(entry)s
"""


async def tell_of_end(connection: Connection, run: RunReference, record: RunRecord) -> bool:
    """Tell the run that asked for this one, and messages that waited for its end. Twice is once.

    Returns whether anybody was told; ring `stores.wakeup.Bell` after the commit then.
    """
    values = {"entry": run.entry, "asked_by": ASKED_BY}
    cursor = await connection.execute(_WAITING, values)
    row: dict[str, Any] | None = await cursor.fetchone()
    if row is None:
        return False
    told: list[NewTouchpoint] = []
    if row["asked_by"] is not None:
        outcome = record.outcome or ""
        told.append(
            ended_run(
                row["customer"], row["asked_by"], record.at, outcome=outcome, goal=record.goal
            )
        )
    if row["held"]:
        told.append(
            NewTouchpoint(
                message_id=message_id("lifted", effect_key(run.workflow_id, run.entry, 0)),
                event=HOLD_LIFTED,
                occurred_at=record.at,
                customer=row["customer"],
                properties={"journey": run.journey},
            )
        )
    await store_touchpoints(connection, told)
    return bool(told)
