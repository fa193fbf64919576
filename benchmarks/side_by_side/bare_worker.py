"""The worker of the journeys by hand.

python -m benchmarks.side_by_side.bare_worker ADDRESS SINK sandboxed|unsandboxed
"""

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from benchmarks.side_by_side.bare_workflow import SEND, BareJourney
from benchmarks.side_by_side.sink import SinkWriter

QUEUE = "bare"
BUILD = "12345678"
"""As long as ours: each task's events carry it."""


async def serve(address: str, sink: Path, *, sandboxed: bool) -> None:
    """Work until told to end."""
    writer = SinkWriter(sink)

    @activity.defn(name=SEND)
    async def send(customer: str, message: str) -> str:
        writer.take(customer, message)
        return "accepted"

    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    restrictions = SandboxRestrictions.default.with_passthrough_modules("benchmarks")
    client = await Client.connect(address, identity="journey")
    worker = Worker(
        client,
        task_queue=QUEUE,
        workflows=[BareJourney],
        activities=[send],
        workflow_runner=SandboxedWorkflowRunner(restrictions=restrictions)
        if sandboxed
        else UnsandboxedWorkflowRunner(),
        max_cached_workflows=1_000,
        max_concurrent_workflow_tasks=8,
        max_concurrent_activities=50,
        build_id=BUILD,
        graceful_shutdown_timeout=timedelta(seconds=5),
    )
    async with worker:
        Path(os.environ["CLEW_READY_FILE"]).touch()  # noqa: ASYNC240 -- a local file, once
        await end.wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2]), sandboxed=sys.argv[3] == "sandboxed"))
