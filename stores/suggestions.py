"""What became of suggestions: stored once, told to the customer's runs, and counted for the ranking."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString

from pydantic import JsonValue

from journey.moment_events import EVENT_OF, Told
from journey.spans import read_span
from stores.audit import record_deed
from stores.customers import read_customer
from stores.database import Connection, Pool, clean_text
from stores.moment_candidates import coupon_key, problem_key, show_key
from stores.touchpoints import store_touchpoint

AGAIN_AFTER = "14d"
"""A refused suggestion is not made again before, unless it is said otherwise with the refusal."""

SLOTS = 8
"""Over so many rows a sum is spread."""

_FIND_SHOW: LiteralString = """
select s.name, s.say, r.journey, r.workflow_id as run from shows s join runs r using (entry)
 where s.entry = %s and s.n = %s and r.customer = %s
"""

_FIND_COUPON: LiteralString = """
select offer as name, journey, key from coupons
 where customer = %s and entry = %s and key like %s
"""

_KEEP: LiteralString = """
with told as (
    insert into suggestions_told (message_id, customer, suggestion, key, place, told, by, at, again_at)
    values (%(message_id)s, %(customer)s, %(suggestion)s, %(key)s, %(place)s, %(told)s, %(by)s,
            %(at)s, %(again_at)s)
    on conflict do nothing returning 1
)
insert into suggestion_counts as c (key, place, slot, shown, taken, refused)
select %(key)s, %(place)s, %(slot)s, (%(told)s = 'shown')::int, (%(told)s = 'taken')::int,
       (%(told)s = 'refused')::int
  from told
on conflict (key, place, slot) do update
   set shown = c.shown + excluded.shown, taken = c.taken + excluded.taken,
       refused = c.refused + excluded.refused
"""


class UnknownSuggestionError(LookupError):
    """There is no such suggestion for this customer; take the id from what was suggested."""


@dataclass(slots=True, frozen=True, kw_only=True)
class SuggestionTold:
    """What became of a suggestion at a place. `again_after`: when a refused one may be made again."""

    customer: str
    suggestion: str
    told: Told
    place: str
    message_id: str
    by: str = ""
    again_after: str = AGAIN_AFTER


@dataclass(slots=True)
class SuggestionStore:
    """Takes in what became of suggestions. `ring` wakes the routers; `now` is run time."""

    pool: Pool
    ring: Callable[[], None] = lambda: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def tell(self, told: SuggestionTold) -> bool:
        """Store it as a touchpoint and count it; whether it is new. Twice under one message id is once.

        Raises: `UnknownSuggestionError`, `journey.spans.SpanError`.
        """
        now = self.now()
        async with self.pool.connection() as connection:
            customer = await read_customer(connection, told.customer, lock=True)
            found = await _find(connection, told)
            zone = customer.zone if customer and customer.zone else "UTC"
            again_at = read_span(told.again_after).after(now, zone)
            stored = await store_touchpoint(
                connection,
                customer=told.customer,
                subject=None,
                message_id=told.message_id,
                event=EVENT_OF[told.told],
                occurred_at=now,
                properties=_properties(told, found),
                context={},
            )
            if stored is None:
                return False
            await connection.execute(
                _KEEP,
                {
                    "message_id": told.message_id,
                    "customer": told.customer,
                    "suggestion": told.suggestion,
                    "key": found["key"],
                    "place": told.place,
                    "told": told.told,
                    "by": clean_text(told.by),
                    "at": now,
                    "again_at": again_at if told.told == "refused" else None,
                    "slot": secrets.randbelow(SLOTS),
                },
            )
            if told.told != "shown":  # nobody's decision, and told each time that a page is seen
                detail: dict[str, JsonValue] = {"suggestion": told.suggestion, "place": told.place}
                what = f"customer {told.customer}"
                await record_deed(connection, told.by or "program", told.told, what, detail)
        self.ring()
        return True


async def _find(connection: Connection, told: SuggestionTold) -> dict[str, Any]:
    """What was suggested: its name, journey, run, and the key it is counted under."""
    if told.suggestion.startswith("problem:"):
        cursor = await connection.execute(
            "select problem as name from problems where problem = %s",
            [told.suggestion.removeprefix("problem:")],
        )
        row = await cursor.fetchone()
        if row is not None:
            return {**row, "key": problem_key(row["name"])}
    coupon = told.suggestion.removeprefix("coupon:")
    entry, _, n = coupon.partition(":")
    if entry.isdecimal() and n.isdecimal() and len(entry) < 19 and len(n) < 19:
        if coupon != told.suggestion:
            row = await _coupon(connection, told.customer, int(entry), int(n))
        else:
            cursor = await connection.execute(_FIND_SHOW, [int(entry), int(n), told.customer])
            row = await cursor.fetchone()
            row = row and {**row, "key": show_key(row)}
        if row is not None:
            return row
    raise UnknownSuggestionError(
        f"nothing was suggested to this customer as {told.suggestion[:100]!r}:"
        " send the `id` of one of the suggestions that `now` answered"
    )


async def _coupon(
    connection: Connection, customer: str, entry: int, n: int
) -> dict[str, Any] | None:
    values = [customer, entry, f"%:{entry}:{n}"]
    row = await (await connection.execute(_FIND_COUPON, values)).fetchone()
    if row is None:
        return None
    run = row.pop("key").rsplit(":", 2)[0]
    return {**row, "run": run, "key": coupon_key(row["name"])}


def _properties(told: SuggestionTold, found: dict[str, Any]) -> dict[str, JsonValue]:
    return {
        "suggestion": told.suggestion,
        "name": found["name"],
        "journey": found.get("journey"),
        "run": found.get("run"),
        "place": told.place,
        "by": told.by,
    }
