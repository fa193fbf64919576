"""What providers report of deliveries, and all that follows from it, in one transaction a report.

Told twice, or in another order, it comes to the same: an event counts by its id, and what follows
from several of them does not depend on which came first.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import JsonValue

from contracts.delivery_feedback import Feedback
from contracts.fault_points import reach
from contracts.ids import message_id
from journey import message_events
from stores.database import Connection, Pool, clean_text, jsonb, one_statement
from stores.feedback_consequences import follow, settle_late
from stores.identity_graph import lock_rows
from stores.reported_deliveries import KnownFeedback, ReportedDelivery, find_deliveries
from stores.touchpoints import NewTouchpoint, store_touchpoints

EVENTS = {
    "delivered": message_events.DELIVERED,
    "opened": message_events.OPENED,
    "clicked": message_events.CLICKED,
    "bounced": message_events.BOUNCED,
    "complained": message_events.COMPLAINED,
    "unsubscribed": message_events.UNSUBSCRIBED,
}
"""What is reported → the touchpoint that it becomes."""

_LONGEST = 500
_ATTEMPTS = 4

_KEEP = """
insert into delivery_feedback (event_id, delivery, customer, channel, kind, detail, at)
select event_id, delivery, customer, channel, kind, detail, at
  from jsonb_to_recordset(%s) as r(event_id text, delivery text, customer text, channel text,
                                   kind text, detail text, at timestamptz)
 order by event_id
on conflict do nothing
returning event_id
"""

_NAMED = "select key from deliveries where key = %s or entry = %s::bigint and n = %s::bigint"
_SHORT_NAME = re.compile(r"(\d{1,18}):(\d{1,18})")

_READ = """
select f.event_id, f.kind, f.at, f.detail, f.channel, f.delivery, f.customer,
       coalesce(d.message, '') as message, coalesce(d.journey, '') as journey
  from delivery_feedback f left join deliveries d on d.key = f.delivery
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class TakenFeedback:
    """Of one report: how many are new, were told before, and are about no message of ours."""

    new: int = 0
    repeated: int = 0
    unknown: int = 0


@dataclass(slots=True, frozen=True, kw_only=True)
class KeptFeedback:
    """One line of what was reported."""

    event_id: str
    kind: str
    at: datetime
    detail: str
    channel: str
    delivery: str
    customer: str
    message: str
    journey: str


class _CustomerMovedError(Exception):
    """A delivery got another customer, by a merge, between finding it and locking that one."""


class FeedbackStore:
    """Keeps what providers report. `ring` wakes the routers."""

    def __init__(self, pool: Pool, ring: Callable[[], None] | None = None) -> None:
        self._pool = pool
        self._ring = ring or (lambda: None)

    async def take(self, reported: Sequence[Feedback]) -> TakenFeedback:
        """Keep a report with all that follows from it; what is about no delivery of ours is left."""
        if not reported:
            return TakenFeedback()
        for attempt in range(_ATTEMPTS):
            try:
                taken = await self._take(reported)
            except _CustomerMovedError:
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                if taken.new:
                    self._ring()
                return taken
        raise AssertionError

    async def named(self, name: str) -> str | None:
        """The key of a delivery by that key, or by its short name, `entry:n`; None where there is none."""
        short = _SHORT_NAME.fullmatch(name)
        numbers = (int(short[1]), int(short[2])) if short else (None, None)
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(_NAMED, [clean_text(name), *numbers])
            row = await cursor.fetchone()
        return row["key"] if row else None

    async def of_delivery(self, key: str, most: int = 100) -> list[KeptFeedback]:
        """What was reported of one message, the last first."""
        return await self._read("where f.delivery = %s", key, most)

    async def of_customer(self, customer: str, most: int = 100) -> list[KeptFeedback]:
        """What was reported of a customer's messages, the last first."""
        return await self._read("where f.customer = %s", customer, most)

    async def _read(
        self,
        where: Literal["where f.delivery = %s", "where f.customer = %s"],
        of: str,
        most: int,
    ) -> list[KeptFeedback]:
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                f"{_READ} {where} order by f.at desc, f.event_id limit %s", [clean_text(of), most]
            )
            return [KeptFeedback(**row) for row in await cursor.fetchall()]

    async def _take(self, reported: Sequence[Feedback]) -> TakenFeedback:
        async with self._pool.connection() as connection, connection.transaction():
            known = await find_deliveries(connection, reported)
            await lock_rows(connection, [delivery.customer for _, delivery in known])
            if await find_deliveries(connection, reported) != known:
                raise _CustomerMovedError
            fresh = await _keep(connection, known)
            await settle_late(connection, fresh)
            for feedback, delivery in fresh:
                await follow(connection, feedback, delivery)
            await store_touchpoints(connection, [_touchpoint(*each) for each in fresh])
            reach("feedback.before_commit")
        reach("feedback.after_commit")
        return TakenFeedback(
            new=len(fresh),
            repeated=len(known) - len(fresh),
            unknown=len(reported) - len(known),
        )


async def _keep(connection: Connection, known: Sequence[KnownFeedback]) -> list[KnownFeedback]:
    """Those that were not kept before, in the order in which they happened."""
    rows = [
        {
            "event_id": feedback.event_id,
            "delivery": delivery.key,
            "customer": delivery.customer,
            "channel": delivery.channel,
            "kind": feedback.kind,
            "detail": _in_words(feedback),
            "at": feedback.at,
        }
        for feedback, delivery in known
    ]
    cursor = await connection.execute(_KEEP, [jsonb(rows)])
    new = {row["event_id"] for row in await cursor.fetchall()}
    fresh = {each[0].event_id: each for each in known if clean_text(each[0].event_id) in new}
    return sorted(fresh.values(), key=lambda each: (each[0].at, each[0].event_id))


def _touchpoint(feedback: Feedback, delivery: ReportedDelivery) -> NewTouchpoint:
    said: dict[str, JsonValue] = {
        "delivery": delivery.key,
        "message": delivery.message,
        "channel": delivery.channel,
        "journey": delivery.journey,
        "run": delivery.key.rsplit(":", 2)[0],
    }
    match feedback.kind:
        case "bounced":
            said |= {"reason": feedback.detail[:_LONGEST], "hard": feedback.hard}
        case "clicked":
            said |= {"url": feedback.url, "machine": feedback.machine}
        case "opened":
            said["machine"] = feedback.machine
        case _:
            pass
    return NewTouchpoint(
        message_id=clean_text(message_id("feedback", feedback.event_id)),
        event=EVENTS[feedback.kind],
        occurred_at=feedback.at,
        customer=delivery.customer,
        properties=said,
    )


def _in_words(feedback: Feedback) -> str:
    """What a person reads of it."""
    words = feedback.url if feedback.kind == "clicked" else feedback.detail
    if feedback.kind == "bounced":
        words = f"{'for good' if feedback.hard else 'this time'}: {words or 'no reason given'}"
    if feedback.machine:
        words = f"by a machine: {words}" if words else "by a machine"
    return words[:_LONGEST]
