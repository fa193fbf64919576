"""The way into PostgreSQL: one pool a process, rows as dicts, JSON by orjson, times in UTC."""

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, LiteralString, cast
from weakref import WeakKeyDictionary

import orjson
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Json, Jsonb, set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool

Connection = AsyncConnection[DictRow]
Pool = AsyncConnectionPool[Connection]

_CHECK_AFTER_SECONDS = 1.0
"""A connection used a moment ago is not asked again whether it lives: that is a round trip."""


async def open_pool(
    url: str,
    *,
    name: str = "clew",
    least: int = 1,
    most: int = 10,
    behind_pgbouncer: bool = False,
    wait_seconds: float = 30.0,
) -> Pool:
    """Open a pool; close it with `await pool.close()`.

    `async with pool.connection()` is one transaction. `url` is anything libpq takes, `name` shows
    in `pg_stat_activity`. `behind_pgbouncer`: transaction pooling, so nothing is prepared. A
    caller waits at most `wait_seconds` for a connection, then meets `psycopg_pool.PoolTimeout`.
    """
    pool = Pool(
        url,
        connection_class=Connection,
        kwargs={
            "row_factory": dict_row,
            "application_name": name,
            "prepare_threshold": None if behind_pgbouncer else 5,
        },
        min_size=least,
        max_size=max(least, most),
        timeout=wait_seconds,
        configure=_configure,
        check=_check,
        name=name,
        open=False,
    )
    await pool.open(wait=True, timeout=wait_seconds)
    return pool


@asynccontextmanager
async def one_statement(pool: Pool) -> AsyncGenerator[Connection]:
    """A connection for a single statement, which is its own transaction and one round trip."""
    async with pool.connection() as connection:
        await connection.set_autocommit(True)
        try:
            yield connection
        finally:
            if connection.info.transaction_status == TransactionStatus.IDLE:
                await connection.set_autocommit(False)
            else:
                await connection.close()


async def rows_of(
    pool: Pool, query: LiteralString, values: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """All that one statement reads."""
    async with one_statement(pool) as connection:
        return await (await connection.execute(query, values)).fetchall()


def jsonb(value: object) -> Jsonb:
    """A value as a jsonb parameter. The one place where JSON is written to the database."""
    return Jsonb(value, dumps=dump_json)


def ordered_json(value: object) -> Json:
    """A value as a json parameter, for a column that keeps the order of its fields."""
    return Json(value, dumps=dump_json)


def dump_json(value: object) -> bytes:
    """JSON as PostgreSQL takes it: it cannot hold U+0000, which becomes U+FFFD."""
    dumped = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    if b"\\u0000" in dumped:
        dumped = orjson.dumps(_without_nul(orjson.loads(dumped)))
    return dumped


def clean_text(text: str) -> str:
    """Text as PostgreSQL takes it: U+0000 becomes U+FFFD."""
    return text.replace("\0", "\ufffd")


def _without_nul(value: Any) -> Any:
    match value:
        case str():
            return clean_text(value)
        case dict():
            fields = cast("dict[str, Any]", value)
            return {clean_text(name): _without_nul(item) for name, item in fields.items()}
        case list():
            return [_without_nul(item) for item in cast("list[Any]", value)]
        case _:
            return value


_checked: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()


async def _check(connection: Connection) -> None:
    if time.monotonic() - _checked.get(connection, 0.0) < _CHECK_AFTER_SECONDS:
        return
    await Pool.check_connection(connection)
    _checked[connection] = time.monotonic()


async def _configure(connection: Connection) -> None:
    set_json_dumps(dump_json, connection)
    set_json_loads(orjson.loads, connection)
    # PgBouncer follows this parameter from client to server, unlike most.
    await connection.execute("set timezone to 'UTC'")
    await connection.commit()
