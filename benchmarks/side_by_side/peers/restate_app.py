# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportArgumentType=false
# ruff: noqa: D103, ANN001, ASYNC240 -- the journeys' names say it; contexts are the engine's; a ready file is local, once
# The package is in the peers' own environment, not in ours.
"""The journeys on Restate: workflows with durable promises, and an object for the long walk.

python -m benchmarks.side_by_side.peers.restate_app worker ADDRESS SINK DOOR SECONDS

A walk of forty steps never waits there: each step is a call to its object, which counts them.
"""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import restate
from hypercorn.asyncio import serve
from hypercorn.config import Config

from benchmarks.side_by_side.scenario import STEPS
from benchmarks.side_by_side.sink import SinkWriter

_, _, ADDRESS, SINK, _, SECONDS = sys.argv
WRITER = SinkWriter(Path(SINK))

cart = restate.Workflow("cart")
answer = restate.Workflow("answer")
wave = restate.Workflow("wave")
long = restate.VirtualObject("long")


async def send(context, message: str) -> None:
    """Send a message, once it is on record that it was sent."""
    customer = context.key()

    def take() -> str:
        WRITER.take(customer, message)
        return "accepted"

    await context.run_typed("send", take)


@cart.main()
async def run(context: restate.WorkflowContext, _: dict) -> str:
    for message in ("reminder", "handover"):
        match await restate.select(
            bought=context.promise("bought").value(),
            time=context.sleep(timedelta(seconds=int(SECONDS))),
        ):
            case ["bought", _]:
                return "bought"
        await send(context, message)
    return "handed over"


@cart.handler()
async def bought(context: restate.WorkflowSharedContext, _: dict) -> None:
    await context.promise("bought").resolve("came")


@answer.main("run")
async def answer_run(context: restate.WorkflowContext, _: dict) -> str:
    await context.promise("asked").value()
    await send(context, "answer")
    return "answered"


@answer.handler()
async def asked(context: restate.WorkflowSharedContext, _: dict) -> None:
    await context.promise("asked").resolve("came")


@answer.handler()
async def ignored(context: restate.WorkflowSharedContext, _: dict) -> None:
    """Nothing comes of it."""


@wave.main("run")
async def wave_run(context: restate.WorkflowContext, given: dict) -> str:
    now = await context.run_typed("now", lambda: datetime.now(UTC).isoformat())
    wait = datetime.fromisoformat(given["due"]) - datetime.fromisoformat(now)
    await context.sleep(max(timedelta(), wait))
    await send(context, "due")
    return "told"


@long.handler()
async def begin(context: restate.ObjectContext, _: dict) -> None:
    context.set("done", 0)


@long.handler()
async def step(context: restate.ObjectContext, _: dict) -> None:
    done = (await context.get("done") or 0) + 1
    await send(context, "step")
    if done == STEPS:
        context.clear("done")
    else:
        context.set("done", done)


async def main() -> None:
    """Serve until told to end."""
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    config = Config()
    config.bind = [ADDRESS]
    config.loglevel = "ERROR"
    app = restate.app([cart, answer, wave, long])
    serving = asyncio.ensure_future(serve(app, config, shutdown_trigger=end.wait))
    while not await _listening():  # noqa: ASYNC110 -- seen by asking
        await asyncio.sleep(0.05)
    Path(os.environ["CLEW_READY_FILE"]).touch()
    await serving


async def _listening() -> bool:
    host, port = ADDRESS.split(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    return True


if __name__ == "__main__":
    asyncio.run(main())
