"""Entries that were asked for: by the API, by staff, by a run of another journey."""

from collections.abc import Callable, Mapping
from datetime import datetime

from pydantic import JsonValue

from contracts.ids import message_id
from contracts.other_journey import NOT_ADMITTED
from journey.touchpoint import ENTER, RUN_ENDED
from stores.audit import record_deed
from stores.database import Connection, Pool
from stores.touchpoints import NewTouchpoint, store_touchpoints


class RequestedEntryStore:
    """Asks that customers enter, as touchpoints of theirs. `ring` wakes the routers."""

    def __init__(self, pool: Pool, ring: Callable[[], None] | None = None) -> None:
        self._pool = pool
        self._ring = ring or (lambda: None)

    async def request(
        self,
        customer: str,
        journey: str,
        properties: Mapping[str, JsonValue],
        *,
        message_id: str,
        at: datetime,
        by: str = "",
    ) -> None:
        """Ask that a customer enter a journey. Twice under one message id is once.

        `by`: which member of staff or program of theirs; nobody where a run asks for it.
        """
        async with self._pool.connection() as connection:
            asked = NewTouchpoint(
                message_id=message_id,
                event=ENTER,
                occurred_at=at,
                customer=customer,
                properties={**properties, "journey": journey},
            )
            (number,) = await store_touchpoints(connection, [asked])
            if number is not None and by:
                told: dict[str, JsonValue] = {"journey": journey, "message_id": message_id}
                what = f"customer {customer}"
                await record_deed(connection, by, "asked to enter", what, told)
        self._ring()


async def tell_not_started(
    connection: Connection, customer: str, refused: Mapping[str, str], at: datetime
) -> None:
    """Tell runs that what they asked to begin did not. `refused`: key of the asking → why."""
    told = [
        ended_run(customer, key, at, outcome=NOT_ADMITTED, reason=why)
        for key, why in refused.items()
    ]
    await store_touchpoints(connection, told)


def ended_run(
    customer: str, key: str, at: datetime, *, outcome: str, goal: bool = False, reason: str = ""
) -> NewTouchpoint:
    """The touchpoint that tells a run how the one ended that it asked for under this key."""
    return NewTouchpoint(
        message_id=message_id("ended", key),
        event=RUN_ENDED,
        occurred_at=at,
        customer=customer,
        properties={"run": key, "outcome": outcome, "goal": goal, "reason": reason},
    )
