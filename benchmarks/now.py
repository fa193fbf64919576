"""How long `GET /v1/customers/{identity}/now` takes among a million profiles, over HTTP.

    python -m benchmarks.now [--profiles 1000000] [--asks 5000] [--folder PATH] [--json]

A PostgreSQL of its own is filled with COPY: every customer has three identities, and shares of them
have runs, promises, shows, coupons, deliveries, feelings, replies and touchpoints. The API is a
process of its own behind a real socket; identities of all kinds are asked for at random, one at a
time and eight at once, and a tenth of the callers is known to nobody.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import uvicorn
from psycopg import sql
from pydantic import SecretStr

from journey.house_files import read_house_file
from journey.publication import read_definition
from stores.database import dump_json, open_pool
from stores.definitions import DefinitionStore
from stores.inbox_ear import InboxEar
from stores.migrations import upgrade
from stores.published import HOUSE, PublishedStore
from stores.wakeup import Bell
from workers.api import api_app
from workers.embedded.postgres_server import PostgresServer
from workers.settings import ApiSettings

TOKEN = "staff-token-of-the-benchmark"  # noqa: S105 -- of a server that lives for minutes
NOON = datetime.now(UTC).replace(microsecond=0)

_JOURNEY = """
language: 1
journey: care
title: A journey of the benchmark
owner: benchmarks
enter: {on: Begun}
stages:
  - {stage: under-way, title: Under way, feeling: hopeful, steps: [{wait: 30d}, {finish: over}]}
"""

_PERSONAS = """
personas:
  - persona: hurried-regular
    title: The hurried regular
    counts: {orders: {on: Order Completed, within: 365d}}
    match:
      - {when: counts.orders >= 2, because: they ordered twice in a year}
      - {when: customer.visits >= 5.0, weight: 0.5, because: they come often}
"""

Rows = Iterator[Sequence[Any]]


def _json(value: object) -> str:
    return dump_json(value).decode()


def _customer(number: int) -> str:
    return f"c_{number:026d}"


# What is there: table, its columns, and the rows of one customer.
_TABLES: dict[str, tuple[str, Callable[[int], list[Sequence[Any]]]]] = {
    "customers": (
        "customer, traits, zone",
        lambda n: [
            (
                _customer(n),
                _json(
                    {
                        "first_name": f"Anna {n}",
                        "email": f"anna{n}@example.com",
                        "phone": f"+420{n:09d}",
                        "visits": float(n % 11),
                        "language": "cs",
                        "city": "Praha",
                    }
                ),
                "Europe/Prague",
            )
        ],
    ),
    "identities": (
        "kind, value, customer",
        lambda n: [
            ("user_id", f"u{n}", _customer(n)),
            ("email", f"anna{n}@example.com", _customer(n)),
            ("phone", f"+420{n:09d}", _customer(n)),
        ],
    ),
    "promises": (
        "entry, n, name, by, state, at, sequence",
        lambda n: (
            [(n, 1, "back", NOON + timedelta(hours=n % 48 - 8), "open", NOON, 1)]
            if n % 10 == 0
            else []
        ),
    ),
    "shows": (
        'entry, n, customer, places, say, "values", priority, shown, sequence, at, name',
        lambda n: (
            [
                (
                    *(n, k, _customer(n), ["ivr", "web"]),
                    "{{ customer.first_name }}, your {{ run.what }} is at work.",
                    *(_json({"run": {"what": "order"}}), 50 + k, True, 1, NOON, f"tell-{k}"),
                )
                for k in range(1, 3)
            ]
            if n % 5 == 0
            else []
        ),
    ),
    "coupons": (
        "key, offer, code, customer, entry, journey, state, granted_at",
        lambda n: (
            [(f"journey/care/{n}:{n}:9", "ten-off", f"C{n}", _customer(n), n, "care", "open", NOON)]
            if n % 20 == 0
            else []
        ),
    ),
    "deliveries": (
        "key, entry, n, journey, customer, message, purpose, channel, state, run_time",
        lambda n: (
            [
                (
                    *(
                        f"{n}:{k}",
                        n,
                        k,
                        "care",
                        _customer(n),
                        "news",
                        "service",
                        "email",
                        "accepted",
                    ),
                    NOON - timedelta(days=k),
                )
                for k in range(1, 4)
            ]
            if n % 3 == 0
            else []
        ),
    ),
    "feelings": (
        "reading, customer, feeling, source, evidence, at, fades_at",
        lambda n: (
            [
                (
                    *(f"r{n}", _customer(n), "upset", "rule", "2 × Payment Failed within 1h", NOON),
                    NOON + timedelta(days=3),
                )
            ]
            if n % 30 == 0
            else []
        ),
    ),
    "inbound_messages": (
        "reply, customer, channel, address, text",
        lambda n: (
            [(f"r{n}", _customer(n), "sms", f"+420{n:09d}", "Where is it?")] if n % 20 == 0 else []
        ),
    ),
    "touchpoints": (
        "received_at, message_id, event, customer, occurred_at",
        lambda n: [
            (NOON, f"m{n}-{k}", "Order Completed", _customer(n), NOON - timedelta(days=30 * k))
            for k in range(n % 4)
        ],
    ),
}


async def fill(url: str, profiles: int) -> float:
    """Fill a migrated database; how many seconds it took."""
    began = time.perf_counter()
    pool = await open_pool(url)
    try:
        version = await DefinitionStore(pool).publish(read_definition(_JOURNEY, "care.yaml"))
        personas = read_house_file("personas", _PERSONAS, "personas.yaml")
        told = personas.model_dump(mode="json", by_alias=True)
        await PublishedStore(pool).publish("personas", HOUSE, told)
    finally:
        await pool.close()
    await asyncio.to_thread(_copy_all, url, profiles, version)
    return time.perf_counter() - began


def _copy_all(url: str, profiles: int, version: str) -> None:
    tables = dict(_TABLES)
    tables["runs"] = (
        "entry, workflow_id, first_run_id, journey, version, customer, engine, state, stage,"
        " waits_for, entered_at, began_at",
        lambda n: (
            [
                (
                    *(n, f"journey/care/{n}", f"r{n}", "care", version, _customer(n), 1),
                    *("open" if n % 3 else "finished", "under-way", _json(["Order Completed"])),
                    *(NOON, NOON),
                )
            ]
            if n % 2 or n % 5 == 0
            else []
        ),
    )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")  # no look at foreign keys
        for table, (columns, rows_of) in tables.items():
            command = sql.SQL("copy {} ({}) from stdin").format(
                sql.Identifier(table),
                sql.SQL(columns),  # type: ignore[arg-type]  # our own constants
            )
            with connection.cursor().copy(command) as copy:
                for number in range(1, profiles + 1):
                    for row in rows_of(number):
                        copy.write_row(row)
        connection.execute("vacuum analyze")


def serve(url: str, port: int) -> None:
    """The API in a process of its own."""

    async def _serve() -> None:
        pool = await open_pool(url, most=10)
        settings = ApiSettings(
            database_url=url,
            secret=SecretStr("a secret of at least 32 characters"),
            public_url="http://127.0.0.1",
            staff_token=SecretStr(TOKEN),
        )
        app = api_app(pool, Bell(url), InboxEar(url), settings)  # nobody listens
        config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, lifespan="off")
        await uvicorn.Server(config).serve()

    asyncio.run(_serve())


def _identity(profiles: int, chance: random.Random) -> str:
    number = chance.randint(1, profiles)
    return chance.choice(
        [
            _customer(number),
            f"u{number}",
            f"anna{number}@example.com",
            f"+420{number:09d}",
            f"+420 {number:09d}",
        ]
        * 2
        + [f"nobody{number}@example.com"]
    )


def _processor_seconds(pid: int) -> float:
    """What a process has used, by the kernel's count."""
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


async def measure(
    port: int, profiles: int, asks: int, at_once: int, api: int | None = None
) -> dict[str, Any]:
    """Ask; milliseconds from the request to the whole answer. `api`: the process that answers."""
    chance, took = random.Random(7), list[float]()  # noqa: S311 -- the same people each time
    identities = iter([_identity(profiles, chance) for _ in range(asks)])
    known = 0

    async def ask(client: httpx2.AsyncClient) -> None:
        nonlocal known
        for identity in identities:
            began = time.perf_counter()
            whom = {"X-Customer": identity}
            answer = await client.get("/v1/customers/-/now?place=ivr", headers=whom)
            took.append((time.perf_counter() - began) * 1_000)
            known += answer.status_code == 200
            assert answer.status_code in (200, 404), answer.text

    async with httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=30,
    ) as client:
        began, before = time.perf_counter(), _processor_seconds(api) if api else 0.0
        await asyncio.gather(*(ask(client) for _ in range(at_once)))
        seconds = time.perf_counter() - began
        used = _processor_seconds(api) - before if api else 0.0
    took.sort()
    return {
        "at_once": at_once,
        "asks": len(took),
        "known": known,
        "asks_a_second": round(len(took) / seconds),
        "p50_ms": round(took[len(took) // 2], 2),
        "p95_ms": round(took[int(len(took) * 0.95)], 2),
        "p99_ms": round(took[int(len(took) * 0.99)], 2),
        "longest_ms": round(took[-1], 2),
        "api_processor_ms": round(1_000 * used / len(took), 2),
        "load": round(os.getloadavg()[0], 1),
    }


async def _answers(port: int) -> None:
    """Until the API answers."""
    async with (
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
        asyncio.timeout(300),
    ):
        while True:
            try:
                await client.get("/healthz")
            except httpx2.TransportError:
                await asyncio.sleep(0.1)
            else:
                return


async def run(profiles: int, asks: int, kept: Path | None = None) -> dict[str, Any]:
    """Fill, serve, ask. `kept`: a folder whose database is kept, and used again where it is filled already."""
    folder = kept or Path(tempfile.mkdtemp(prefix="clew-now-"))
    filled = folder / f"filled-{profiles}"
    settings = {"shared_buffers": "512MB", "fsync": "off"}
    try:
        async with PostgresServer(folder / "postgres", settings=settings) as server:
            seconds = None
            url = server.url(f"now_{profiles}")
            if not filled.exists():
                url = await server.create_database(f"now_{profiles}")
                await asyncio.to_thread(upgrade, url)
                seconds = round(await fill(url, profiles))
                filled.touch()
            measured = await _serve_and_measure(url, profiles, asks)
            return {"profiles": profiles, "filled_in_seconds": seconds, "measured": measured}
    finally:
        if kept is None:
            shutil.rmtree(folder, ignore_errors=True)


async def _serve_and_measure(url: str, profiles: int, asks: int) -> list[dict[str, Any]]:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    api = get_context("spawn").Process(target=serve, args=(url, port))
    api.start()
    try:
        await _answers(port)
        await measure(port, profiles, min(asks, 500), 8)  # what is asked first warms up
        return [await measure(port, profiles, asks, each, api.pid) for each in (1, 8)]
    finally:
        api.terminate()
        await asyncio.to_thread(api.join)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="How long `now` takes.")
    parser.add_argument("--profiles", type=int, default=1_000_000)
    parser.add_argument("--asks", type=int, default=5_000)
    parser.add_argument(
        "--folder", type=Path, help="keep the filled database here for another time"
    )
    parser.add_argument("--json", action="store_true")
    wish = parser.parse_args()
    found = asyncio.run(run(wish.profiles, wish.asks, wish.folder))
    if wish.json:
        print(json.dumps(found))
        return
    print(f"{found['profiles']:,} profiles")
    for each in found["measured"]:
        print(
            f"{each['at_once']} at once: p50 {each['p50_ms']} ms, p95 {each['p95_ms']} ms,"
            f" p99 {each['p99_ms']} ms, {each['asks_a_second']} a second"
        )


if __name__ == "__main__":
    main()
