"""Customers on a real database, without limits on their names unless a test says otherwise."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest_asyncio

from journey.identity_rules import Identity, IdentityRules, KindRule
from stores.customers import CustomerStore
from stores.database import Pool, open_pool
from stores.staff_merges import MergeStore

NO_LIMITS = IdentityRules(
    identities={kind: KindRule(limit=100_000) for kind in ("user_id", "email", "phone", "device")}
)


@dataclass
class People:
    """Who is known, and by which names."""

    pool: Pool
    rules: IdentityRules | None = None
    rung: list[str] = field(default_factory=list)

    @property
    def customers(self) -> CustomerStore:
        return CustomerStore(self.pool, self.rules)

    @property
    def merges(self) -> MergeStore:
        return MergeStore(self.pool, lambda: self.rung.append("rung"))

    async def named(self, *names: Identity, explicit: bool = False) -> str:
        async with self.pool.connection() as connection:
            return await self.customers.resolve(connection, names, explicit=explicit)

    async def has(self, customer: str, **traits: Any) -> None:
        async with self.pool.connection() as connection:
            await self.customers.merge_traits(connection, customer, traits)

    async def rows(self, statement: Any, *values: Any) -> list[dict[str, Any]]:
        async with self.pool.connection() as connection:
            return await (await connection.execute(statement, values)).fetchall()

    async def do(self, statement: Any, *values: Any) -> None:
        async with self.pool.connection() as connection:
            await connection.execute(statement, values)


@pytest_asyncio.fixture
async def people(database: str) -> AsyncIterator[People]:
    pool = await open_pool(database, most=10)
    yield People(pool)
    await pool.close()
