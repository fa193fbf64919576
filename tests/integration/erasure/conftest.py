"""A customer of whom every table holds something, and what is left of them afterwards."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest_asyncio

from routing.erasing import Eraser
from stores.customers import CustomerStore
from stores.database import Pool, open_pool
from stores.erased_hashes import ErasedHashes
from stores.erasures import ErasureStore
from stores.held_rules import Stays
from stores.held_tables import TABLES
from tests.integration.erasure.filled import fill

SECRET = b"a secret of at least 32 characters"
CANARY = "canary-7f3a"


@dataclass
class NoExecutions:
    """A Temporal that has these executions; `slow` of them are still there after the first try."""

    left: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    asked: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])
    slow: int = 0

    async def find(
        self, customers: Sequence[str], runs: Sequence[tuple[str, str]], most: int
    ) -> list[tuple[str, str]]:
        del runs
        self.asked.append(tuple(customers))
        return self.left[:most]

    async def delete(self, found: Sequence[tuple[str, str]]) -> None:
        stay, self.slow = self.slow, 0
        gone = found[: len(found) - stay]
        self.left = [each for each in self.left if each not in gone]


@dataclass
class House:
    """An installation's database, with everything that erasing needs."""

    pool: Pool
    url: str
    executions: NoExecutions = field(default_factory=NoExecutions)
    destroyed: list[str] = field(default_factory=list[str])

    @property
    def hashes(self) -> ErasedHashes:
        return ErasedHashes(SECRET)

    @property
    def erasures(self) -> ErasureStore:
        return ErasureStore(self.pool, hashes=self.hashes, destroy_keys=self._destroy)

    @property
    def customers(self) -> CustomerStore:
        return CustomerStore(self.pool)

    def eraser(self, holder: str = "tests") -> Eraser[Any]:
        return Eraser(self.erasures, self.executions, holder)

    async def known(self, *names: tuple[str, str], **traits: Any) -> str:
        async with self.pool.connection() as connection:
            customer = await self.customers.resolve(connection, names)
            await self.customers.merge_traits(connection, customer, traits)
        return customer

    async def filled(self, customer: str, *, mark: str = CANARY, entry: int = 1) -> None:
        async with self.pool.connection() as connection:
            await fill(connection, customer, mark, entry)

    async def erased(self, customer: str) -> str:
        erasure = await self.erasures.begin(customer, by="eva", reason="asked on the phone")
        await self.eraser().finish(erasure)
        return erasure

    async def rows(self, statement: Any, *values: Any) -> list[dict[str, Any]]:
        async with self.pool.connection() as connection:
            return await (await connection.execute(statement, values)).fetchall()

    async def do(self, statement: Any, *values: Any) -> None:
        async with self.pool.connection() as connection:
            await connection.execute(statement, values)

    async def hits(self, *sought: str) -> dict[str, int]:
        """Table → rows in which any of these texts stands."""
        found: dict[str, int] = {}
        for table in await self.tables():
            rows = await self.rows(f'select to_jsonb(t) as row from "{table}" t')
            texts = [orjson.dumps(row["row"]).decode() for row in rows]
            count = sum(any(each in text for each in sought) for text in texts)
            if count:
                found[table] = count
        return found

    async def tables(self) -> list[str]:
        rows = await self.rows(
            "select relname from pg_class where relnamespace = 'public'::regnamespace"
            " and relkind in ('r', 'p') and not relispartition order by 1"
        )
        return [row["relname"] for row in rows]

    async def _destroy(self, connection: Any, owners: Sequence[str]) -> int:
        del connection
        new = [each for each in owners if each not in self.destroyed]
        self.destroyed += new
        return len(new)


@pytest_asyncio.fixture
async def house(database: str) -> AsyncIterator[House]:
    pool = await open_pool(database, most=10)
    yield House(pool, database)
    await pool.close()


STAYING = {table for table, held in TABLES.items() if isinstance(held.erase, Stays)}
