"""Who is looked at for entering without doing anything, and where the look at everybody has got to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contracts.ids import message_id
from journey.entry_dates import next_occurrence
from journey.entry_looks import (
    Candidate,
    Looked,
    Tally,
    is_counted,
    is_of_audience,
    look,
    tally,
)
from journey.program import Program
from journey.spans import read_span
from journey.steps.wait import Counted
from journey.touchpoint import AUDIENCE_LEFT, ENTER, Touchpoint
from stores.customers import Customer, canonical, read_customer
from stores.database import Connection, Pool
from stores.definitions import live_version
from stores.touchpoints import NewTouchpoint, store_touchpoints

MOST_COUNTED = 1_000
"""The latest so many touchpoints of a name are counted."""

PAGE = 200
"""How many customers are looked at in one go."""


@dataclass(slots=True, frozen=True, kw_only=True)
class DueLook:
    """A customer to be looked at now, because time alone may have changed the answer."""

    journey: str
    customer: str


class EntryLookStore:
    """Looks at customers, each in a transaction of its own.

    `ring` wakes the routers; `now` is run time; `page`: how many customers are looked at in one go.
    """

    def __init__(
        self,
        pool: Pool,
        ring: Callable[[], None] | None = None,
        now: Callable[[], datetime] | None = None,
        *,
        page: int = PAGE,
    ) -> None:
        self._pool = pool
        self._ring = ring or (lambda: None)
        self._now = now or (lambda: datetime.now(UTC))
        self._page = page

    async def look(self, customer: str, program: Program) -> None:
        """Look at one customer; whoever enters or leaves the audience is told by a touchpoint of their own."""
        async with self._pool.connection() as connection:
            told = await self._look(connection, customer, program)
        if told:
            self._ring()

    async def due(self) -> list[DueLook]:
        """Customers to be looked at now, the longest due first."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select journey, customer from entry_looks where look_at <= %s"
                " order by look_at limit %s",
                [self._now(), self._page],
            )
            return [DueLook(**row) for row in await cursor.fetchall()]

    async def forget(self, journey: str, customer: str) -> None:
        """Look at somebody no more: the journey is not live, or enters otherwise now."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "update entry_looks set look_at = null where journey = %s and customer = %s",
                [journey, customer],
            )

    async def scan(self, program: Program) -> bool:
        """Look at the next customers of all, where this version has not looked at everybody yet.

        Whether there may be more. One process at a time scans a journey.
        """
        async with self._pool.connection() as connection:
            scan = await _scan(connection, program)
            if scan is None or scan["version"] == program.version:
                return False
            customers = await _page(connection, scan["after"], self._page)
            for customer in customers:
                await self._look(connection, customer, program)
            done = len(customers) < self._page
            await connection.execute(
                "update entry_scans set after = %s, occurrence = null,"
                " version = case when %s then %s else version end where journey = %s",
                [None if done else customers[-1], done, program.version, program.journey],
            )
        self._ring()
        return not done

    async def keep_schedule(self, program: Program) -> bool:
        """Let the next customers of the audience enter, where an occurrence has come. Whether there may be more."""
        recurrence, now = str(program.definition.enter.schedule), self._now()
        async with self._pool.connection() as connection:
            scan = await _scan(connection, program)
            if scan is None:
                return False
            occurrence, began = scan["occurrence"], scan["live_since"]
            if occurrence is None or occurrence > now:
                if occurrence is None or scan["version"] != program.version:
                    following = next_occurrence(recurrence, program.zone, began, now)
                    await _next(connection, program, following)
                return False
            customers = await _page(connection, scan["after"], self._page)
            told = [
                told
                for customer in customers
                for told in await self._occurs(connection, customer, program, occurrence)
            ]
            await store_touchpoints(connection, told)
            if len(customers) < self._page:
                following = next_occurrence(recurrence, program.zone, began, max(occurrence, now))
                await _next(connection, program, following)
            else:
                await connection.execute(
                    "update entry_scans set after = %s where journey = %s",
                    [customers[-1], program.journey],
                )
        self._ring()
        return len(customers) == self._page

    async def _occurs(
        self, connection: Connection, name: str, program: Program, occurrence: datetime
    ) -> list[NewTouchpoint]:
        customer = await read_customer(connection, name)
        if customer is None or customer.customer != name:
            return []
        candidate = await self._candidate(connection, customer, program)
        if not is_of_audience(program, candidate, self._now())[0]:
            return []
        return [_told(ENTER, program, name, occurrence.isoformat(), self._now())]

    async def _look(self, connection: Connection, name: str, program: Program) -> bool:
        name = await canonical(connection, name)
        since = await _live_since(connection, program.journey)
        before = await _looked(connection, program.journey, name)
        # Read behind that lock: whoever had it may have seen what the customer has become meanwhile.
        customer = await read_customer(connection, name)
        if customer is None:
            return False
        candidate, now = await self._candidate(connection, customer, program), self._now()
        found = look(program, candidate, before, now, new=customer.created_at > since)
        await connection.execute(
            "update entry_looks set inside = %s, times = %s, looked_to = %s, look_at = %s"
            " where journey = %s and customer = %s",
            [
                *(found.looked.inside, found.looked.times, found.looked.looked_to),
                *(found.look_at, program.journey, name),
            ],
        )
        told = [_told(ENTER, program, name, occasion, now) for occasion in found.enters]
        if found.left:
            told.append(_told(AUDIENCE_LEFT, program, name, f"{found.looked.times}", now))
        await store_touchpoints(connection, told)
        return bool(told)

    async def _candidate(
        self, connection: Connection, customer: Customer, program: Program
    ) -> Candidate:
        zone, now, profile = customer.zone or program.zone, self._now(), customer.profile()
        tallies: dict[str, Tally] = {}
        for name, counted in program.definition.enter.counts.items():
            times = await _times(connection, customer.customer, counted, zone, now)
            moments = [
                each.timestamp for each in times if is_counted(program, counted, each, profile)
            ]
            tallies[name] = tally(moments, counted.within, zone, now)
        return Candidate(profile=profile, zone=zone, tallies=tallies)


async def _scan(connection: Connection, program: Program) -> dict[str, Any] | None:
    """Where the scan of a journey is; None where another process is at it, or another version is live by now."""
    journey = program.journey
    await _live_since(connection, journey)
    cursor = await connection.execute(
        "select * from entry_scans where journey = %s for update skip locked", [journey]
    )
    scan = await cursor.fetchone()
    # Asked behind the lock: who publishes a version lets the scan begin anew behind it.
    return scan if await live_version(connection, journey) == program.version else None


async def _next(connection: Connection, program: Program, following: datetime | None) -> None:
    await connection.execute(
        "update entry_scans set occurrence = %s, after = null, version = %s where journey = %s",
        [following, program.version, program.journey],
    )


async def _page(connection: Connection, after: str | None, most: int) -> list[str]:
    cursor = await connection.execute(
        "select customer from customers where customer > %s and merged_into is null"
        " order by customer limit %s",
        [after or "", most],
    )
    return [row["customer"] for row in await cursor.fetchall()]


async def _live_since(connection: Connection, journey: str) -> datetime:
    """When customers could first enter the journey (wall time)."""
    await connection.execute(
        "insert into entry_scans (journey, live_since)"
        " select journey, published_at from live_journeys where journey = %s"
        " on conflict do nothing",
        [journey],
    )
    cursor = await connection.execute(
        "select live_since from entry_scans where journey = %s", [journey]
    )
    row = await cursor.fetchone()
    return row["live_since"] if row else datetime.now(UTC)


async def _looked(connection: Connection, journey: str, customer: str) -> Looked | None:
    """How the customer stood when last looked at, locked; None where nobody has looked yet."""
    cursor = await connection.execute(
        "insert into entry_looks (journey, customer, looked_to) values (%s, %s, '-infinity')"
        " on conflict do nothing",
        [journey, customer],
    )
    first = cursor.rowcount == 1
    cursor = await connection.execute(
        "select inside, times, nullif(looked_to, '-infinity') as looked_to, look_at from entry_looks"
        " where journey = %s and customer = %s for update",
        [journey, customer],
    )
    row = await cursor.fetchone()
    if first or row is None or row["looked_to"] is None:
        return None
    return Looked(
        inside=row["inside"],
        times=row["times"],
        looked_to=row["looked_to"],
        foreseen=row["look_at"],
    )


async def _times(
    connection: Connection, customer: str, counted: Counted, zone: str, now: datetime
) -> Sequence[Touchpoint]:
    since = read_span(counted.within).before(now, zone) if counted.within else None
    cursor = await connection.execute(
        """
        select message_id, occurred_at, properties, context from touchpoints
         where customer = any(array(
        select %s::text union all
        select customer from customers where merged_into = %s))
           and event = %s and (%s::timestamptz is null or occurred_at > %s)
         order by received_at desc, touchpoint desc limit %s
        """,
        [customer, customer, counted.on, since, since, MOST_COUNTED],
    )
    return [
        Touchpoint(
            message_id=row["message_id"],
            event=counted.on,
            timestamp=row["occurred_at"],
            properties=row["properties"],
            context=row["context"],
        )
        for row in await cursor.fetchall()
    ]


def _told(
    event: str, program: Program, customer: str, occasion: str, now: datetime
) -> NewTouchpoint:
    key = f"{program.journey}/{customer}/{occasion}"
    return NewTouchpoint(
        message_id=message_id(event, key),
        event=event,
        occurred_at=now,
        customer=customer,
        properties={"journey": program.journey, "occasion": occasion},
    )
