"""Customers who may enter without doing anything, on a real database, at a time that tests move."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from journey.entry_looks import is_looked_at
from journey.program import Program
from journey.programs import Programs
from journey.publication import read_definition
from routing.entry_scanner import EntryScanner
from routing.journey_programs import JourneyPrograms
from stores.customers import CustomerStore
from stores.database import Pool, jsonb
from stores.definitions import DefinitionStore
from stores.entry_looks import EntryLookStore

ROUNDS = 50
PAGE = 16
"""Customers that are looked at in one go: few, so that a small crowd has several pages."""


class Killed(BaseException):
    """The process was killed here."""


@dataclass
class Watch:
    """Looks at customers as scanners and routers do; each `scanner` is a process of its own."""

    pool: Pool
    now: datetime = datetime(2031, 1, 15, 9, 0, tzinfo=UTC)
    programs: Programs = field(default_factory=Programs)

    def time(self) -> datetime:
        return self.now

    def killed_after(self, looks: int) -> Callable[[], datetime]:
        """A clock that is read so often, and then the process is gone."""
        left = looks

        def time() -> datetime:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            return self.now

        return time

    def looks(self, time: Callable[[], datetime] | None = None) -> EntryLookStore:
        return EntryLookStore(self.pool, now=time or self.time, page=PAGE)

    def scanner(self, time: Callable[[], datetime] | None = None) -> EntryScanner:
        return EntryScanner(self.looks(time), self.live_programs)

    @property
    def live_programs(self) -> JourneyPrograms:
        return JourneyPrograms(DefinitionStore(self.pool), self.programs)

    async def look(self) -> None:
        """Look at everybody until nobody is due any more."""
        scanner = self.scanner()
        for _ in range(ROUNDS):
            if not await scanner.round():
                return
        raise AssertionError(f"after {ROUNDS} rounds there is still more to look at")

    async def look_at(self, moment: datetime) -> None:
        self.now = moment
        await self.look()

    async def publish(self, journey: str, enter: str, title: str = "A journey of the tests") -> str:
        """Make a journey with this entry live; its version."""
        source = f"""
language: 1
journey: {journey}
title: {title}
owner: tests
enter: {enter}
stages: [{{stage: only, steps: [{{wait: {{until: 300d}}}}, {{finish: over}}]}}]
"""
        return await DefinitionStore(self.pool).publish(read_definition(source, "test.yaml"))

    async def retire(self, journey: str) -> None:
        await DefinitionStore(self.pool).retire(journey)

    async def program(self, version: str) -> Program:
        found = await self.live_programs.program(version)
        assert found is not None
        return found

    async def known(self, user_id: str, **traits: Any) -> str:
        """A customer with traits, whom nobody looks at for that."""
        customers = CustomerStore(self.pool)
        async with self.pool.connection() as connection:
            customer = await customers.resolve(connection, [("user_id", user_id)])
            await customers.merge_traits(connection, customer, traits)
        return customer

    async def becomes(self, user_id: str, **traits: Any) -> str:
        """A customer changes, and is looked at as the router does then."""
        customer = await self.known(user_id, **traits)
        for program in await self.live_programs.live():
            if is_looked_at(program):
                await self.looks().look(customer, program)
        return customer

    async def crowd(self, count: int, **traits: Any) -> None:
        """So many customers with the same traits, and the number of each."""
        await self.rows(
            "insert into customers (customer, traits)"
            " select 'c_' || lpad(n::text, 5, '0'), %s || jsonb_build_object('number', n)"
            " from generate_series(1, %s) n returning 1",
            jsonb(traits),
            count,
        )

    async def entered(self, journey: str, event: str = "$enter") -> list[tuple[str, str]]:
        """Whom the journey asked in, and on which occasion, in order."""
        rows = await self.rows(
            "select customer, properties ->> 'occasion' as occasion from touchpoints"
            " where event = %s and properties ->> 'journey' = %s order by touchpoint",
            event,
            journey,
        )
        return [(row["customer"], row["occasion"]) for row in rows]

    async def occasions(self, journey: str) -> list[str]:
        return [occasion for _, occasion in await self.entered(journey)]

    async def somebody_waits(self) -> None:
        """Until a connection waits for what another one has locked."""
        async with asyncio.timeout(30):
            while not await self.rows(
                "select 1 from pg_stat_activity"
                " where datname = current_database() and wait_event_type = 'Lock'"
            ):
                pass

    async def rows(self, statement: Any, *values: object) -> list[dict[str, Any]]:
        async with self.pool.connection() as connection:
            return await (await connection.execute(statement, values)).fetchall()
