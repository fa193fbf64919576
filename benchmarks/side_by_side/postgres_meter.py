"""What a contender asks of its PostgreSQL: write transactions, WAL, statements by text and by who asked.

Write transactions are the transaction ids that were used up, WAL the distance between two positions, statements what
`pg_stat_statements` counts at the top, `begin` and `commit` among them. All hold for every database on the server. Who
asked is the role: each process of a contender may connect as one of its own (`role_url`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

SETTINGS = {
    # The same for everybody: no checkpoint in the middle of a measurement, and room for a hundred thousand runs.
    "shared_preload_libraries": "pg_stat_statements",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
    "shared_buffers": "256MB",
    "max_connections": "300",
}

_READ = """
select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as transactions,
       (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint as wal_bytes,
       (select sum(xact_commit)::bigint from pg_stat_database) as commits,
       (select coalesce(sum(calls), 0)::bigint from pg_stat_statements) as statements
"""
_BY_TEXT = """
select d.datname, r.rolname, regexp_replace(s.query, '\\s+', ' ', 'g') as query, sum(s.calls)::bigint as calls
  from pg_stat_statements s join pg_database d on d.oid = s.dbid join pg_roles r on r.oid = s.userid
 group by 1, 2, 3
"""


_COUNTERS = ("seconds", "transactions", "wal_bytes", "commits", "statements")


@dataclass(slots=True, frozen=True)
class Reading:
    """Where the server's counters stand, or what lies between two readings."""

    seconds: float
    transactions: float
    wal_bytes: float
    commits: float
    statements: float

    def since(self, earlier: "Reading") -> "Reading":
        """What was used between two readings."""
        return Reading(*(getattr(self, name) - getattr(earlier, name) for name in _COUNTERS))

    def beyond(self, idle: "Reading") -> "Reading":
        """What was used beyond what the server does when nothing happens. `idle`: a stretch of that."""
        share = self.seconds / idle.seconds
        more = (getattr(self, n) - share * getattr(idle, n) for n in _COUNTERS[1:])
        return Reading(self.seconds, *more)


Texts = Mapping[tuple[str, str], int]
"""How often each statement was asked, by who (database and role) and text."""


class Meter(Protocol):
    """Counts what a store is asked. A counter that it has not is NaN."""

    async def read(self) -> Reading:
        """The counters now."""
        ...

    async def texts(self) -> Texts:
        """Every statement that was asked so far."""
        ...

    async def bytes(self) -> int:
        """The size of all it keeps."""
        ...

    async def settle(self) -> None:
        """Do now what a store does in the background, so that what follows is not charged for it."""
        ...


class PostgresMeter:
    """Reads one PostgreSQL with `SETTINGS`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def prepare(self) -> None:
        """Make the counting of statements available. Once."""
        await self._rows("create extension if not exists pg_stat_statements")

    async def read(self) -> Reading:
        """The counters now; reading them uses up no transaction id."""
        (row,) = await self._rows(_READ)
        return Reading(monotonic(), *(float(value) for value in row))

    async def texts(self) -> Texts:
        """Every statement that was asked so far."""
        return {
            (who_asked(str(database), str(role)), in_words(str(query))): int(calls)
            for database, role, query, calls in await self._rows(_BY_TEXT)
        }

    async def bytes(self) -> int:
        """The size of all databases on it."""
        ((size,),) = await self._rows(
            "select sum(pg_database_size(oid))::bigint from pg_database where datallowconn"
        )
        return int(size)

    async def settle(self) -> None:
        """Vacuum and write out what is dirty, so that what follows is not charged for it.

        Autovacuum would come for the catalogue of new tables in the middle of it, once for each installation.
        """
        for (database,) in await self._rows("select datname from pg_database where datallowconn"):
            await self._rows("vacuum analyze", database)
        await self._rows("checkpoint")

    async def _rows(self, statement: str, database: str | None = None) -> list[Any]:
        url = make_conninfo(self._url, **({} if database is None else {"dbname": database}))
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            cursor = await connection.execute(statement.encode())
            return await cursor.fetchall() if cursor.description else []


async def role_url(url: str, role: str) -> str:
    """The same database as another role, made where it is not there: statements are counted by role."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        found = await connection.execute("select from pg_roles where rolname = %s", [role])
        if await found.fetchone() is None:
            await connection.execute(
                sql.SQL("create role {} superuser login").format(sql.Identifier(role))
            )
    return re.sub(r"^(postgres(?:ql)?://)[^@/]*@", rf"\1{role}@", url)


def who_asked(database: str, role: str) -> str:
    """A role of its own says who it is; else the database does."""
    return database if role == "postgres" else role


def in_words(query: str) -> str:
    """A statement as it is told: the first of its words."""
    return query.strip()[:160]


def more_of(now: Texts, before: Texts) -> dict[tuple[str, str], int]:
    """What was asked between, the most frequent first."""
    found = {key: count - before.get(key, 0) for key, count in now.items()}
    return dict(sorted(((k, n) for k, n in found.items() if n > 0), key=lambda each: -each[1]))
