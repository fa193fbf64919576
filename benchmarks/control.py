"""How long mission control takes with a million runs: `python -m benchmarks.control [--runs 1000000] [--in FOLDER]`.

A backtest plays a tea shop's journey into a database of its own; what it wrote is copied, each time for other customers
an hour later, until there are so many runs (meanwhile without the indexes that only speed looks up, which are made
again afterwards). Then the figures are counted anew from the records, compared with them,
and each page is asked for by somebody who is the first to look: nothing of it is kept. Prints p50 and p95 in
milliseconds, answered in this process over the real database (aim: 300 ms at p95), and how long it takes until a
touchpoint that was written down is told to an open page (aim: 2 s). It reports, and fails for nothing. `--in` keeps the
database there, and the next time asks it again, after such migrations as it has not had.
"""

import argparse
import asyncio
import logging
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, LiteralString

import httpx2 as httpx
import structlog
from psycopg import sql

from console.control_live import Shared
from stores.database import open_pool
from stores.figures_ear import FiguresEar
from stores.migrations import upgrade
from tests.integration.control.control_house import ControlHouse
from workers.embedded.postgres_server import PostgresServer

PLAYED = 20_000
AT_ONCE = 50
ROUNDS = 30
COPIED = (
    "customers",
    "identities",
    "runs",
    "trace",
    "stays",
    "promises",
    "deliveries",
    "touchpoints",
)
"""Tables of which each copy has rows of its own."""

_COPIES: Sequence[LiteralString] = (
    "insert into customers (customer, traits, zone, created_at)"
    " select customer || suffix, traits, zone, created_at from played_customers cross join copies",
    "insert into identities (kind, value, customer, created_at)"
    " select kind, value || suffix, customer || suffix, created_at from played_identities cross join copies",
    "insert into runs (entry, workflow_id, first_run_id, journey, version, customer, key, engine, state, held_out,"
    " entering_message_id, entered_at, began_at, sequence, recorded_at, stage, waits_for, wakes_at,"
    " needs_attention, outcome, goal, finished_at, updated_at, stands)"
    " select entry + more, workflow_id || suffix, first_run_id || suffix, journey, version,"
    " customer || suffix, key, engine, state, held_out, entering_message_id || suffix,"
    " entered_at + later, began_at + later, sequence, recorded_at + later, stage, waits_for,"
    " wakes_at + later, needs_attention, outcome, goal, finished_at + later, updated_at, stands"
    " from runs cross join copies where entry <= %(last)s",
    "insert into trace (entry, sequence, at, address, kind, why)"
    " select entry + more, sequence, at + later, address, kind, why"
    " from trace cross join copies where entry <= %(last)s",
    "insert into stays (entry, address, since, until)"
    " select entry + more, address, since + later, until + later from stays cross join copies where entry <= %(last)s",
    "insert into deliveries (key, entry, n, journey, customer, message, purpose, channel, address, state, reason,"
    " words, attempts, run_time, intended_at, settled_at)"
    " select key || suffix, entry + more, n, journey, customer || suffix, message, purpose, channel,"
    " address, state, reason, words, attempts, run_time + later, intended_at + later, settled_at + later"
    " from deliveries cross join copies where entry <= %(last)s",
    "insert into touchpoints (touchpoint, received_at, message_id, event, customer, occurred_at, properties, context)"
    " overriding system value select touchpoint + more * 100, received_at, message_id || suffix, event,"
    " customer || suffix, occurred_at, properties, context"
    " from played_touchpoints cross join copies where customer is not null",
)
"""Read by copy: `copies` says what each has more than what was played."""

_PLAYED: Sequence[LiteralString] = ("customers", "identities", "touchpoints")
"""What is copied by whose it is, and so read from a table that does not grow."""


PAGES = {
    "all journeys": "/control",
    "a journey, a day": "/control/journey/tea?since=1d",
    "a journey, a week": "/control/journey/tea",
    "a journey, a quarter": "/control/journey/tea?since=91d",
    "a journey, ever": "/control/journey/tea?since=10y",
    "a journey, one version": "/control/journey/tea?since=28d&version={version}",
    "a journey, as it was": "/control/journey/tea?since=28d&then={then}",
    "who is under way": "/control/journey/tea/people",
    "who stands at a step": "/control/journey/tea/people?at=tasting/2",
    "who needs people": "/control/journey/tea/people?stuck=yes",
    "search, a stage": "/control/search?journey=tea&stage=tasting",
    "what was told, an hour": "/control/deliveries?span=hour",
    "what was told, four weeks": "/control/deliveries?span=weeks",
    "to whom it failed": "/control/deliveries/list?span=weeks&state=failed",
    "messages": "/control/messages",
    "answers": "/control/surveys?since=91d",
    "promises": "/control/promises?since=91d",
    "offers": "/control/offers?since=91d",
    "stops": "/control/stops",
    "settings": "/control/settings",
    "queues": "/control/settings/queues",
}


class Restless(FiguresEar):
    """Figures change all the time: nothing of a page is kept."""

    asked = 0

    def count(self, journey: str | None = None) -> int:
        """Another number each time."""
        self.asked += 1
        return self.asked


async def main(runs: int, folder: Path) -> None:
    """Fill a database of its own, and ask."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    filled = folder / "filled"
    async with PostgresServer(folder / "postgres") as server:
        url = await server.create_database("control")
        await asyncio.to_thread(upgrade, url)
        pool = await open_pool(url, most=8)
        try:
            house = ControlHouse(pool, url)
            if filled.exists():
                house.version = filled.read_text()
            else:
                await house.furnish()
                await house.lived(url, folder, PLAYED)
                await _copied(house, runs)
                await _counted(house)
                filled.write_text(house.version)
            async with house.ear:
                await house.ear.listening.wait()
                await _asked(house)
                await _told(house)
        finally:
            await pool.close()


async def _copied(house: ControlHouse, runs: int) -> None:
    began = time.monotonic()
    [row] = await house.rows("select count(*) as n, max(entry) as last from runs")
    copies = max(0, round(runs / row["n"]) - 1)
    async with _without_indexes(house), _played(house):
        for first in range(1, copies + 1, AT_ONCE):
            until = min(copies, first + AT_ONCE - 1)
            async with house.pool.connection() as connection:
                await connection.execute("set local clew.figures_are_kept = 'yes'")
                await connection.execute("set local synchronous_commit = off")
                await connection.execute("delete from copies")
                await connection.execute(
                    "insert into copies select '-' || c, c * interval '1 hour', c * %s::bigint"
                    " from generate_series(%s::integer, %s::integer) c",
                    [row["last"], first, until],
                )
                for statement in _COPIES:
                    await connection.execute(statement, {"last": row["last"]})
            print(f"  copy {until} of {copies}, {time.monotonic() - began:.0f} s", flush=True)
    async with house.pool.connection() as connection:
        await connection.set_autocommit(True)
        await connection.execute("vacuum analyze")
    counts = [
        (
            table,
            (
                await house.rows(
                    sql.SQL("select count(*) as n from {}").format(sql.Identifier(table))
                )
            )[0]["n"],
        )
        for table in COPIED
    ]
    print(f"filled in {time.monotonic() - began:.0f} s; {sum(n for _, n in counts):,} records")
    for table, n in counts:
        print(f"  {table:<14}{n:>14,}")


@asynccontextmanager
async def _without_indexes(house: ControlHouse) -> AsyncGenerator[None]:
    """Without the indexes of what is copied that no constraint needs; they are made again in the end."""
    rows = await house.rows(
        sql.SQL(
            "select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as made from pg_index i"
            " where i.indrelid in ({}) and not i.indisunique"
        ).format(
            sql.SQL(", ").join(
                sql.SQL("{}::regclass").format(sql.Literal(table)) for table in COPIED
            )
        )
    )
    async with house.pool.connection() as connection:
        for row in rows:
            await connection.execute(sql.SQL("drop index {}").format(sql.SQL(row["name"])))
    yield
    async with house.pool.connection() as connection:
        await connection.execute("set local maintenance_work_mem = '256MB'")
        for row in rows:
            # Of a table in parts it would be made for the whole alone.
            await connection.execute(sql.SQL(row["made"].replace(" ON ONLY ", " ON ", 1)))


@asynccontextmanager
async def _played(house: ControlHouse) -> AsyncGenerator[None]:
    """What was played, in tables beside those that grow; and one that says which copies are made."""
    async with house.pool.connection() as connection:
        await connection.execute(
            "create unlogged table copies (suffix text, later interval, more bigint)"
        )
        for table in _PLAYED:
            await connection.execute(
                sql.SQL("create unlogged table {} as select * from {}").format(
                    sql.Identifier(f"played_{table}"), sql.Identifier(table)
                )
            )
    yield
    async with house.pool.connection() as connection:
        for table in ("copies", *(f"played_{table}" for table in _PLAYED)):
            await connection.execute(sql.SQL("drop table {}").format(sql.Identifier(table)))


async def _counted(house: ControlHouse) -> None:
    began = time.monotonic()
    figures = await house.folded.rebuild()
    between = time.monotonic()
    differences = await house.folded.differences()
    print(
        f"{figures:,} figures counted anew in {between - began:.0f} s, compared in"
        f" {time.monotonic() - between:.0f} s: {len(differences)} differences"
    )


async def _asked(house: ControlHouse) -> None:
    ear, house.ear = house.ear, Restless("")
    transport = httpx.ASGITransport(app=house.app())
    house.ear = ear
    then = house.at((await _length(house)) / 2)
    print(f"\n{'page':<26}{'p50 ms':>8}{'p95 ms':>8}")
    async with httpx.AsyncClient(transport=transport, base_url="http://clew.test") as client:
        await house.signed_in(client, "lena")
        for name, address in PAGES.items():
            path = address.format(version=house.version, then=f"{then:%Y-%m-%dT%H:%M}")
            took = list[float]()
            for _ in range(ROUNDS):
                began = time.perf_counter()
                answer = await client.get(path)
                took.append(1_000 * (time.perf_counter() - began))
                assert answer.status_code == 200, (path, answer.status_code)
            told = statistics.quantiles(took, n=20)
            print(f"{name:<26}{statistics.median(took):>8.0f}{told[18]:>8.0f}")


async def _length(house: ControlHouse) -> Any:
    [row] = await house.rows("select max(recorded_at) - min(entered_at) as length from runs")
    return row["length"]


async def _told(house: ControlHouse) -> None:
    """From the commit of what a run tells until an open page is told, with a fold each second as the router does it."""
    took = list[float]()
    shared = Shared(house.ear)

    async def fold() -> None:
        while True:
            while await house.folded.fold():
                pass
            await asyncio.sleep(1)

    folding = asyncio.create_task(fold())
    try:
        for n in range(20):
            before = house.ear.count("tea")
            async with house.pool.connection() as connection:
                await connection.execute(
                    "update runs set stands = stands || jsonb_build_object(%s::text, '2026-03-09T00:00:00Z')"
                    " where entry = (select max(entry) from runs where state = 'open')",
                    [f"tasting/{n}"],
                )
            began = time.perf_counter()
            while house.ear.count("tea") == before:
                await house.ear.heard()
            await shared.once("told", "tea", lambda: house.figures.stands("tea"))
            took.append(time.perf_counter() - began)
            await asyncio.sleep(0.13 * n)
    finally:
        folding.cancel()
    print(
        f"\ntold to an open page after {max(took):.1f} s at the longest, {statistics.median(took):.1f} s at p50"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--in", dest="folder", type=Path)
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        asyncio.run(main(wish.runs, wish.folder or Path(passing)))
