"""Touchpoints: what happened, to whom or what, by month of arrival; each message id once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from contracts.routing import customer_unit, subject_unit
from journey.touchpoint import TRAITS_CHANGED
from stores.computed_traits import TraitsComputed, computed_from, lock_whose_traits
from stores.database import Connection, Pool, clean_text, jsonb

MONTHS_AHEAD = 3

# One statement. Numbers and the outbox go in the order given, which becomes the order of routing;
# message ids in their own order, so that two writers of the same ones never wait for each other.
# Nothing is taken of a customer who is erased, or is about to be.
_STORE = """
with given as (
    select * from jsonb_to_recordset(%s) as r(
        position int, message_id text, event text, customer text, subject_kind text,
        subject_id text, unit text, occurred_at timestamptz, properties jsonb, context jsonb)
     where customer is null or not is_erased(customer)
), counted as materialized (
    select o.*, nextval('touchpoints_touchpoint_seq') as touchpoint
      from (select * from (select distinct on (message_id) * from given
                            order by message_id, position) once
             order by position) o
), new as (
    insert into message_ids (message_id, touchpoint, received_at)
    select message_id, touchpoint, now() from counted order by message_id
    on conflict do nothing
    returning touchpoint
), fresh as (
    select c.* from new n join counted c using (touchpoint)
), stored as (
    insert into touchpoints (touchpoint, received_at, message_id, event, customer, subject_kind,
                             subject_id, occurred_at, properties, context)
    overriding system value
    select touchpoint, now(), message_id, event, customer, subject_kind, subject_id, occurred_at,
           properties, context
      from fresh
), queued as (
    insert into outbox (unit, touchpoint, received_at)
    select unit, touchpoint, now() from fresh where unit is not null order by position
)
select position, touchpoint from fresh
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class NewTouchpoint:
    """A touchpoint to be stored: about a customer, about a subject (kind, id), or both.

    `routed` False keeps it without telling anybody, such as an identify that changed nothing.
    """

    message_id: str
    event: str
    occurred_at: datetime
    customer: str | None = None
    subject: tuple[str, str] | None = None
    properties: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    context: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    routed: bool = True

    def unit(self) -> str | None:
        """Where it is routed: with its customer, or else with its subject."""
        if not self.routed:
            return None
        if self.customer is not None:
            return customer_unit(self.customer)
        return subject_unit(*self.subject) if self.subject else None


async def store_touchpoint(
    connection: Connection,
    *,
    customer: str | None,
    subject: tuple[str, str] | None,
    message_id: str,
    event: str,
    occurred_at: datetime,
    properties: dict[str, JsonValue],
    context: dict[str, JsonValue],
) -> int | None:
    """Store one touchpoint and its outbox row in the caller's transaction.

    Ring `stores.wakeup.Bell` after the commit. Returns its number in the table, or None where
    the message id was seen before.
    """
    stored = await store_touchpoints(
        connection,
        [
            NewTouchpoint(
                message_id=message_id,
                event=event,
                occurred_at=occurred_at,
                customer=customer,
                subject=subject,
                properties=properties,
                context=context,
            )
        ],
    )
    return stored[0]


async def store_touchpoints(
    connection: Connection, touchpoints: Sequence[NewTouchpoint]
) -> list[int | None]:
    """Store many at once, as `store_touchpoint` does one, routed in the order given.

    Traits that are computed from them are so in the same transaction, and told behind them. What is
    of a customer who is erased is not stored, as what was seen before is not.
    """
    await lock_whose_traits(connection, touchpoints)
    stored = await _store(connection, touchpoints)
    fresh = [one for one, number in zip(touchpoints, stored, strict=True) if number is not None]
    await tell_computed(connection, await computed_from(connection, fresh))
    return stored


async def tell_computed(connection: Connection, computed: Sequence[TraitsComputed]) -> None:
    """Tell runs which computed traits of their customers are others now."""
    told = [
        NewTouchpoint(
            message_id=each.message_id,
            event=TRAITS_CHANGED,
            occurred_at=datetime.now(UTC),
            customer=each.customer,
            properties=each.changed,
        )
        for each in computed
    ]
    await _store(connection, told)


async def _store(connection: Connection, touchpoints: Sequence[NewTouchpoint]) -> list[int | None]:
    stored: list[int | None] = [None] * len(touchpoints)
    if touchpoints:
        rows = [_row(position, given) for position, given in enumerate(touchpoints)]
        cursor = await connection.execute(_STORE, [jsonb(rows)])
        for row in await cursor.fetchall():
            stored[row["position"]] = row["touchpoint"]
    return stored


async def seen_before(connection: Connection, message_ids: Sequence[str]) -> set[str]:
    """Which of these message ids were stored already."""
    cursor = await connection.execute(
        "select message_id from message_ids where message_id = any(%s)",
        [[clean_text(message_id) for message_id in message_ids]],
    )
    return {row["message_id"] for row in await cursor.fetchall()}


def _row(position: int, given: NewTouchpoint) -> dict[str, object]:
    kind, subject = given.subject or (None, None)
    return {
        "position": position,
        "message_id": given.message_id,
        "event": given.event,
        "customer": given.customer,
        "subject_kind": kind,
        "subject_id": subject,
        "unit": given.unit(),
        "occurred_at": given.occurred_at.isoformat(),
        "properties": given.properties,
        "context": given.context,
    }


async def ensure_partitions(
    pool: Pool, months_ahead: int = MONTHS_AHEAD, *, today: datetime | None = None
) -> list[str]:
    """Make the partitions of this month and the next ones; returns those it made.

    What had arrived in a month without one is moved into it. Safe to call from many processes, also
    of a role that owns no table: a function of the owner makes them.
    """
    month = (today or datetime.now(UTC)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    made: list[str] = []
    for _ in range(months_ahead + 1):
        async with pool.connection() as connection:
            cursor = await connection.execute(
                "select make_touchpoints_partition(%s) as made", [month]
            )
            row = await cursor.fetchone()
        if row is not None and row["made"]:
            made.append(f"touchpoints_{month:%Y_%m}")
        month = (month + timedelta(days=32)).replace(day=1)
    return made
