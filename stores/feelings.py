"""What customers feel: each reading with its evidence, and what counts of them now.

`customer.feeling` is a trait like any other, so that conditions, templates and audiences see it and
runs hear when it changes; it is written here only, when a reading comes and when one has faded.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, LiteralString

import orjson
from pydantic import JsonValue

from contracts.ids import message_id
from journey.feelings import (
    STAFF_READING_LASTS,
    FeelingRule,
    Reading,
    felt,
    fits,
    said,
)
from journey.spans import read_span
from journey.touchpoint import Touchpoint
from stores.audit import record_deed
from stores.customer_traits import lay_traits
from stores.customers import CustomerStore, read_customer
from stores.database import Connection, Pool, clean_text, one_statement
from stores.house import HouseStore

TRAIT = "feeling"
"""The trait that says what counts now."""

MOST_COUNTED = 500
"""The latest so many touchpoints of a customer are looked through for one rule."""

MOST_FADED = 200
"""So many customers are looked at in one go whose feelings have faded."""

_NEW: LiteralString = """
insert into feelings (reading, customer, feeling, source, evidence, by, at, fades_at)
values (%(reading)s, %(customer)s, %(feeling)s, %(source)s, %(evidence)s, %(by)s, %(at)s,
        %(fades_at)s)
on conflict do nothing
"""

_HOLDING: LiteralString = """
select feeling, source, evidence, by, at, fades_at from feelings
 where customer = canonical(%s) and fades_at > %s order by at desc limit 200
"""


class UnknownFeelingError(ValueError):
    """A feeling that the house does not know; the message names those it knows."""


class FeelingStore:
    """Readings of feelings. `ring` is called where runs are to be told; `now` is run time."""

    def __init__(
        self,
        pool: Pool,
        house: HouseStore | None = None,
        ring: Callable[[], None] | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._pool = pool
        self._house = house or HouseStore(pool)
        self._customers = CustomerStore(pool)
        self._ring = ring or (lambda: None)
        self._now = now or (lambda: datetime.now(UTC))

    async def felt_by(self, customer: str, now: datetime, stage: str | None) -> str | None:
        """What a customer feels. `stage`: the feeling of the stage they are in, where nothing surer is known."""
        counts = felt(await self.readings(customer, now), now)
        return counts.feeling if counts else stage

    async def readings(self, customer: str, now: datetime | None = None) -> list[Reading]:
        """What holds now of all that was read, the newest first."""
        async with one_statement(self._pool) as connection:
            return await holding(connection, customer, now or self._now())

    async def read_rules(
        self,
        customer: str,
        rules: Sequence[FeelingRule],
        touchpoints: Sequence[Touchpoint],
    ) -> None:
        """Read from what came what the rules of the house make of it. Twice is the same as once."""
        events = {touchpoint.event for touchpoint in touchpoints}
        asked = [rule for rule in rules if rule.on in events]
        if not asked:
            return
        async with self._pool.connection() as connection:
            found = await read_customer(connection, customer, lock=True)
            if found is None:
                return
            profile, zone, changed = found.profile(), found.zone or "UTC", False
            for touchpoint in touchpoints:
                for rule in asked:
                    if fits(rule, touchpoint, profile):
                        held = await _often(connection, rule, customer, touchpoint, profile, zone)
                        if held:
                            reading = _read(rule, touchpoint, profile, zone, self._now())
                            changed |= await _add(
                                connection, customer, reading, _key(rule, customer, touchpoint)
                            )
            told = changed and await self._tell(connection, customer, touchpoints[-1].message_id)
        if told:
            self._ring()

    async def read_by_staff(
        self, customer: str, feeling: str, *, why: str, by: str, lasts: str | None = None
    ) -> Reading:
        """A member of staff saw or heard it: surer than anything else, until it fades.

        Raises: `UnknownFeelingError`, `LookupError` where there is no such customer,
        `journey.spans.SpanError`.
        """
        async with self._pool.connection() as connection:
            reading, told = await self.keep_by_staff(
                connection, customer, feeling, why=why, by=by, lasts=lasts
            )
        if told:
            self._ring()
        return reading

    async def keep_by_staff(
        self,
        connection: Connection,
        customer: str,
        feeling: str,
        *,
        why: str,
        by: str,
        lasts: str | None = None,
    ) -> tuple[Reading, bool]:
        """As `read_by_staff`, in the caller's transaction; whether runs are to be told."""
        house = (await self._house.house()).feelings
        known = sorted(each.feeling for each in house.feelings) if house else []
        if known and feeling not in known:
            raise UnknownFeelingError(
                f"{feeling!r} is none of the feelings of this house: {', '.join(known)}"
            )
        now = self._now()
        found = await read_customer(connection, customer, lock=True)
        if found is None:
            raise LookupError(f"there is no customer {customer!r}")
        reading = Reading(
            feeling=feeling,
            source="staff",
            evidence=why,
            at=now,
            fades_at=read_span(lasts or STAFF_READING_LASTS).after(now, found.zone or "UTC"),
            by=by,
        )
        key = f"staff/{customer}/{now.isoformat()}"
        await _add(connection, customer, reading, key)
        # Why stands with the reading, and goes with the customer; what staff did is kept for ever.
        detail = {"feeling": feeling, "until": reading.fades_at.isoformat()}
        await record_deed(connection, by, "read a feeling", f"customer {customer}", detail)
        return reading, await self._tell(connection, customer, key)

    async def over(self, customer: str, *, why: str, by: str) -> int:
        """All that holds is over, from now on: it was mended, or misread. Returns how many readings."""
        now = self._now()
        async with self._pool.connection() as connection:
            await read_customer(connection, customer, lock=True)
            cursor = await connection.execute(
                "update feelings set fades_at = %s, evidence = evidence || %s"
                " where customer = %s and fades_at > %s",
                [now, f" (over: {clean_text(why)})", customer, now],
            )
            ended = cursor.rowcount
            detail = {"readings": ended}
            await record_deed(connection, by, "ended what is felt", f"customer {customer}", detail)
            told = await self._tell(connection, customer, f"over/{customer}/{now.isoformat()}")
        if told:
            self._ring()
        return ended

    async def fade(self) -> bool:
        """Look at customers of whom a reading has faded; whether there may be more of them."""
        now = self._now()
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select distinct customer from (select customer from feelings"
                " where not faded and fades_at <= %s order by fades_at limit %s) due",
                [now, MOST_FADED],
            )
            due = [row["customer"] for row in await cursor.fetchall()]
        told = [await self._fade(customer, now) for customer in due]
        if any(told):
            self._ring()
        return len(due) > 0

    async def _fade(self, customer: str, now: datetime) -> bool:
        async with self._pool.connection() as connection:
            await read_customer(connection, customer, lock=True)
            cursor = await connection.execute(
                "update feelings set faded = true where customer = %s and not faded"
                " and fades_at <= %s returning fades_at",
                [customer, now],
            )
            faded = [row["fades_at"] for row in await cursor.fetchall()]
            if not faded:
                return False
            return await self._tell(connection, customer, f"faded/{customer}/{max(faded)}")

    async def _tell(self, connection: Connection, customer: str, cause: str) -> bool:
        """Let the trait say what counts now, and runs hear of it where that is something else."""
        now = self._now()
        counts = felt(await holding(connection, customer, now), now)
        wanted: dict[str, JsonValue] = {TRAIT: counts.feeling if counts else None}
        try:
            laid = await lay_traits(
                connection,
                self._customers,
                customer,
                wanted,
                message_id=message_id("feeling", f"{cause}/{wanted[TRAIT]}"),
                at=now,
            )
        except LookupError:
            return False
        return bool(laid.changed)


async def holding(connection: Connection, customer: str, now: datetime) -> list[Reading]:
    """The readings of a customer that have not faded, the newest first."""
    cursor = await connection.execute(_HOLDING, [customer, now])
    return [Reading(**row) for row in await cursor.fetchall()]


async def _add(connection: Connection, customer: str, reading: Reading, key: str) -> bool:
    values: dict[str, Any] = {
        "reading": key,
        "customer": customer,
        "feeling": reading.feeling,
        "source": reading.source,
        "evidence": clean_text(reading.evidence),
        "by": clean_text(reading.by),
        "at": reading.at,
        "fades_at": reading.fades_at,
    }
    cursor = await connection.execute(_NEW, values)
    return cursor.rowcount == 1


def _read(
    rule: FeelingRule,
    touchpoint: Touchpoint,
    profile: Mapping[str, JsonValue],
    zone: str,
    now: datetime,
) -> Reading:
    at = min(touchpoint.timestamp, now)  # a client's clock may be ahead
    return Reading(
        feeling=rule.feeling,
        source=rule.sure,
        evidence=rule.in_words(said(rule, touchpoint, profile)),
        at=at,
        fades_at=read_span(rule.lasts).after(at, zone),
    )


async def _often(
    connection: Connection,
    rule: FeelingRule,
    customer: str,
    touchpoint: Touchpoint,
    profile: Mapping[str, JsonValue],
    zone: str,
) -> bool:
    """Whether what a rule wants came as often as it says, this time included."""
    if rule.count == 1 or rule.within is None:
        return True
    since = read_span(rule.within).before(touchpoint.timestamp, zone)
    cursor = await connection.execute(
        """
        select message_id, event, occurred_at as timestamp, properties, context from touchpoints
         where customer = %s and event = %s and occurred_at > %s and occurred_at <= %s
         order by received_at desc, touchpoint desc limit %s
        """,
        [customer, rule.on, since, touchpoint.timestamp, MOST_COUNTED],
    )
    came = [Touchpoint(**row) for row in await cursor.fetchall()]
    return sum(fits(rule, each, profile) for each in came) >= rule.count


def _key(rule: FeelingRule, customer: str, touchpoint: Touchpoint) -> str:
    told = orjson.dumps(rule.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
    return f"{hashlib.sha256(told).hexdigest()[:16]}/{customer}/{touchpoint.message_id}"
