# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportArgumentType=false
# ruff: noqa: D103, ASYNC240 -- the journeys' names say it; contexts are the engine's; a ready file is local, once
# The package is in the peers' own environment, not in ours.
"""The journeys on procrastinate: jobs with a time, and a table each of whoever has bought and whoever waits.

python -m benchmarks.side_by_side.peers.procrastinate_app worker|door URL SINK DOOR SECONDS

A job cannot wait for an event. So each asks, when its time comes, whether they have bought meanwhile; and who waits for
an event is a row, which the event turns into a job. Tuned: jobs that are due are looked for twice a second, not every
five seconds; eight jobs at once; done jobs are deleted.
"""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import procrastinate
from psycopg_pool import AsyncConnectionPool

from benchmarks.side_by_side.peers.door import open_door
from benchmarks.side_by_side.scenario import ASKED, BOUGHT, STEPPED, STEPS
from benchmarks.side_by_side.sink import SinkWriter

_, WHAT, URL, SINK, DOOR, SECONDS = sys.argv
WRITER = SinkWriter(Path(SINK))
WAIT = {"seconds": int(SECONDS)}
POOL = AsyncConnectionPool(URL, open=False, min_size=2, max_size=16, kwargs={"autocommit": True})
APP = procrastinate.App(
    connector=procrastinate.PsycopgConnector(conninfo=URL, min_size=2, max_size=16)
)
TABLES = """
create table bought (customer text primary key);
create table waiting (run text primary key, done int not null default 0);
create table touchpoints (n bigserial primary key, customer text not null, event text not null);
"""


async def one(statement: str, *given: Any) -> Any:
    """The first row, if any."""
    async with POOL.connection() as connection:
        cursor = await connection.execute(statement, given)
        return await cursor.fetchone() if cursor.description else None


async def has_bought(customer: str) -> bool:
    """Whether they have, which then is forgotten."""
    return await one("delete from bought where customer = %s returning 1", customer) is not None


@APP.task(name="reminder")
async def reminder(customer: str) -> None:
    if not await has_bought(customer):
        WRITER.take(customer, "reminder")
        await handover.configure(schedule_in=WAIT).defer_async(customer=customer)


@APP.task(name="handover")
async def handover(customer: str) -> None:
    if not await has_bought(customer):
        WRITER.take(customer, "handover")


@APP.task(name="say")
async def say(customer: str, message: str) -> None:
    WRITER.take(customer, message)


async def begin(journey: str, customer: str, due: str | None) -> None:
    match journey:
        case "cart":
            await reminder.configure(schedule_in=WAIT).defer_async(customer=customer)
        case "wave":
            at = datetime.fromisoformat(due or "").astimezone(UTC)
            await say.configure(schedule_at=at).defer_async(customer=customer, message="due")
        case _:
            await one("insert into waiting (run) values (%s)", f"{journey}/{customer}")


async def touch(run: str, customer: str, event: str) -> None:
    if event == BOUGHT:
        await one("insert into bought values (%s) on conflict do nothing", customer)
    elif event == ASKED:
        if await one("delete from waiting where run = %s returning 1", run):
            await say.defer_async(customer=customer, message="answer")
    elif event == STEPPED:
        done = await one("update waiting set done = done + 1 where run = %s returning done", run)
        if done:
            await say.defer_async(customer=customer, message="step")
            if done[0] == STEPS:
                await one("delete from waiting where run = %s", run)
    else:
        await one("insert into touchpoints (customer, event) values (%s, %s)", customer, event)


async def do(asked: dict[str, Any]) -> Any:
    """One line from the door."""
    run, customer = f"{asked['journey']}/{asked['customer']}", asked["customer"]
    match asked["do"]:
        case "begin":
            await begin(asked["journey"], customer, asked["due"])
        case "touch":
            await touch(run, customer, asked["event"])
        case _:
            found = "select from bought where customer = %s union all select from waiting where run = %s"
            return await one(found, customer, run) is None
    return None


async def serve() -> None:
    """Work until told to end."""
    end, ready = asyncio.Event(), Path(os.environ["CLEW_READY_FILE"])
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    async with POOL, APP.open_async():
        if WHAT == "door":
            async with await open_door(Path(DOOR), do):
                ready.touch()
                await end.wait()
            return
        if await one("select to_regclass('bought')") == (None,):
            await APP.schema_manager.apply_schema_async()
            await one(TABLES)
        working = asyncio.ensure_future(
            APP.run_worker_async(
                concurrency=8, fetch_job_polling_interval=0.5, delete_jobs="successful",
                install_signal_handlers=False,
            )
        )  # fmt: skip
        ready.touch()
        await end.wait()
        working.cancel()


if __name__ == "__main__":
    asyncio.run(serve())
