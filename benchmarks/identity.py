"""How fast customers are found, identified and made one: `python -m benchmarks.identity`.

A PostgreSQL of its own in a temporary folder, fsync on, eight writers. Statements are those of a
transaction without its begin, savepoints and commit; WAL bytes are those of the whole server meanwhile.
"""

import argparse
import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

from api.intake import Intake
from api.reported import Reported
from journey.identity_rules import Identity
from journey.touchpoint import TRAITS_CHANGED
from stores.customers import CustomerStore
from stores.database import Pool
from stores.migrations import upgrade
from stores.staff_merges import MergeStore
from workers.embedded.postgres_server import PostgresServer

WRITERS = 8


class CountingConnection(AsyncConnection[DictRow]):
    """A connection that counts what it is asked."""

    asked = 0

    async def execute(self, *args: Any, **named: Any) -> Any:
        """As its parent's, counted."""
        CountingConnection.asked += 1
        return await super().execute(*args, **named)


class SilentBell:
    """Wakes nobody: no router runs."""

    def ring(self) -> None:
        """Nobody is there."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Measured:
    """What one kind of work took, for each of its pieces."""

    what: str
    pieces: int
    per_second: float
    statements: float
    wal_bytes: float


@dataclass(slots=True)
class Bench:
    """One database, and the work that is done on it."""

    pool: Pool
    measured: list[Measured]

    async def of(self, what: str, pieces: Sequence[Callable[[], Awaitable[object]]]) -> None:
        """Do all pieces, eight at once, and keep what they took."""
        waiting = list(reversed(pieces))

        async def write() -> None:
            while waiting:
                await waiting.pop()()

        wal = await self._wal()
        asked, began = CountingConnection.asked, time.perf_counter()
        async with asyncio.TaskGroup() as writers:
            for _ in range(WRITERS):
                writers.create_task(write())
        took = time.perf_counter() - began
        statements, count = CountingConnection.asked - asked, len(pieces)
        self.measured.append(
            Measured(
                what=what,
                pieces=count,
                per_second=round(count / took, 1),
                statements=round(statements / count, 2),
                wal_bytes=round((await self._wal() - wal) / count),
            )
        )

    async def _wal(self) -> int:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint as at"
            )
            row = await cursor.fetchone()
        return row["at"] if row else 0


def identify(intake: Intake, message: str, *names: Identity, **traits: Any) -> Callable[[], Any]:
    """One identify, as ingest takes it."""
    from datetime import UTC, datetime

    one = Reported(
        kind="identify",
        message_id=message,
        event=TRAITS_CHANGED,
        occurred_at=datetime.now(UTC),
        names=names,
        properties=traits,
    )
    return lambda: intake.take("bench", [(0, None, one)], [])


async def measure(pool: Pool, pieces: int) -> list[Measured]:
    """All kinds of work, `pieces` each."""
    bench, customers = Bench(pool, []), CustomerStore(pool)
    intake, merges = Intake(pool, customers, SilentBell()), MergeStore(pool)

    def resolve(*names: Identity) -> Callable[[], Awaitable[str]]:
        async def work() -> str:
            async with pool.connection() as connection:
                return await customers.resolve(connection, names)

        return work

    def device(n: int) -> Identity:
        return ("anonymous_id", f"d{n}")

    def user(n: int) -> Identity:
        return ("user_id", f"u{n}")

    each = range(pieces)
    await bench.of("resolve, new name", [resolve(device(n)) for n in each])
    await bench.of("resolve, new user", [resolve(user(n)) for n in each])
    await bench.of("resolve, known", [resolve(user(n)) for n in each])
    new = [identify(intake, f"a{n}", user(n), tier="gold", n=n) for n in each]
    await bench.of("identify, traits change", new)
    again = [identify(intake, f"b{n}", user(n), tier="gold", n=n) for n in each]
    await bench.of("identify, nothing changes", again)
    both = [resolve(user(n), device(n)) for n in each]
    await bench.of("merge of two", both)
    rows = (await _rows(pool, "select merge from merges order by merge limit %s", pieces // 10))[:]
    undo = [
        lambda merge=row["merge"]: merges.unmerge(merge, by="bench", why="measured") for row in rows
    ]
    await bench.of("unmerge", undo)
    return bench.measured


async def _rows(pool: Pool, statement: Any, *values: Any) -> list[dict[str, Any]]:
    async with pool.connection() as connection:
        return await (await connection.execute(statement, values)).fetchall()


async def run(pieces: int) -> list[Measured]:
    """Measure on a server of its own."""
    folder = Path(tempfile.mkdtemp(prefix="clew-bench-"))
    try:
        async with PostgresServer(folder / "postgres") as server:
            url = await server.create_database("bench")
            await asyncio.to_thread(upgrade, url)
            pool = Pool(
                url,
                connection_class=CountingConnection,
                kwargs={"row_factory": dict_row},
                min_size=WRITERS,
                max_size=WRITERS + 2,
                open=False,
            )
            await pool.open()
            try:
                return await measure(pool, pieces)
            finally:
                await pool.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Print a table, and with `--json` one object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pieces", type=int, default=1_000, help="of each kind of work")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    measured = asyncio.run(run(asked.pieces))
    print(f"{'':28}{'a second':>10}{'statements':>12}{'WAL bytes':>12}")
    for each in measured:
        print(
            f"{each.what:28}{each.per_second:>10,.0f}{each.statements:>12.1f}{each.wal_bytes:>12,.0f}"
        )
    if asked.json:
        print(json.dumps({"identity": [asdict(each) for each in measured]}))


if __name__ == "__main__":
    main()
