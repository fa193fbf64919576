"""Whether a request changed the database, told by PostgreSQL's own numbers of transactions."""

from typing import Any, LiteralString, cast

from stores.database import Pool, one_statement


async def tables(pool: Pool) -> list[str]:
    """Every table that holds rows."""
    async with one_statement(pool) as connection:
        cursor = await connection.execute(
            "select relname from pg_class c join pg_namespace n on n.oid = relnamespace"
            " where nspname = 'public' and relkind = 'r' order by relname"
        )
        return [row["relname"] for row in await cursor.fetchall()]


class Untouched:
    """Looks before and after a request. A transaction gets a number when it first writes, or locks a row.

    Where none got one, nothing was written; else the rows that such a transaction left are looked for.
    What was deleted is seen by the numbers of rows, which are looked at now and then.
    """

    def __init__(self, pool: Pool, names: list[str]) -> None:
        self._pool, self._names = pool, names

    async def number(self) -> int:
        """The number that the next transaction that writes will get; 0.1 ms."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as n"
            )
            row = await cursor.fetchone()
        assert row is not None
        return row["n"]

    async def written_since(self, number: int) -> list[str]:
        """The tables in which rows were written by transactions from this number on."""
        if await self.number() == number:
            return []
        each = " union all ".join(
            f"select '{name}' as name where exists"
            f' (select from "{name}" where xmin::text::bigint >= {number})'
            for name in self._names
        )
        return [row["name"] for row in await self._rows(each)]

    async def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        each = " union all ".join(
            f"select '{name}' as name, count(*) as n from \"{name}\"" for name in self._names
        )
        return {row["name"]: row["n"] for row in await self._rows(each)}

    async def _rows(self, query: str) -> list[dict[str, Any]]:
        async with one_statement(self._pool) as connection:
            return await (await connection.execute(cast("LiteralString", query))).fetchall()
