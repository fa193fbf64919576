# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportArgumentType=false
# ruff: noqa: D103, ASYNC240 -- the journeys' names say it; contexts are the engine's; a ready file is local, once
# The package is in the peers' own environment, not in ours.
"""The journeys on DBOS: durable functions within the process that takes the touchpoints, as its documents advise.

python -m benchmarks.side_by_side.peers.dbos_app worker URL SINK DOOR SECONDS

Tuned: asynchronous workflows, a pool of twenty connections, no admin server, only errors in the log.
"""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dbos import DBOS, SetWorkflowID

from benchmarks.side_by_side.peers.door import open_door
from benchmarks.side_by_side.scenario import ASKED, BOUGHT, STEPPED, STEPS
from benchmarks.side_by_side.sink import SinkWriter

_, _, URL, SINK, DOOR, SECONDS = sys.argv
LONG = 30 * 86_400.0
WRITER = SinkWriter(Path(SINK))


@DBOS.step()
async def send(customer: str, message: str) -> str:
    WRITER.take(customer, message)
    return "accepted"


@DBOS.workflow()
async def cart(customer: str, _: str | None) -> str:
    for message in ("reminder", "handover"):
        if await DBOS.recv_async(BOUGHT, timeout_seconds=float(SECONDS)) is not None:
            return "bought"
        await send(customer, message)
    return "handed over"


@DBOS.workflow()
async def answer(customer: str, _: str | None) -> str:
    await DBOS.recv_async(ASKED, timeout_seconds=LONG)
    return await send(customer, "answer")


@DBOS.workflow()
async def long(customer: str, _: str | None) -> str:
    for _step in range(STEPS):
        await DBOS.recv_async(STEPPED, timeout_seconds=LONG)
        await send(customer, "step")
    return "walked"


@DBOS.workflow()
async def wave(customer: str, due: str) -> str:
    seconds = (datetime.fromisoformat(due) - datetime.now(UTC)).total_seconds()
    await DBOS.sleep_async(max(0.0, seconds))
    return await send(customer, "due")


JOURNEYS = {"cart": cart, "answer": answer, "long": long, "wave": wave}


async def do(asked: dict[str, Any]) -> Any:
    """One line from the door."""
    run = f"{asked['journey']}/{asked['customer']}"
    match asked["do"]:
        case "begin":
            with SetWorkflowID(run):
                await DBOS.start_workflow_async(
                    JOURNEYS[asked["journey"]], asked["customer"], asked["due"]
                )
        case "touch":
            await DBOS.send_async(run, "came", topic=asked["event"])
        case _:
            status = await DBOS.get_workflow_status_async(run)
            return status is not None and status.status == "SUCCESS"
    return None


async def serve() -> None:
    """Work until told to end."""
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    DBOS(
        config={
            "name": "journeys",
            "system_database_url": URL.replace("postgresql://", "postgresql+psycopg://"),
            "sys_db_pool_size": 20,
            "run_admin_server": False,
            "log_level": "ERROR",
        }
    )
    DBOS.launch()
    async with await open_door(Path(DOOR), do):
        Path(os.environ["CLEW_READY_FILE"]).touch()
        await end.wait()
    os._exit(0)  # a workflow that waits would keep its thread


if __name__ == "__main__":
    asyncio.run(serve())
