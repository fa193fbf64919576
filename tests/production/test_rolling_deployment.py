"""A deployment rolls over customers who are on their way: new processes come beside old ones, and old ones go."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import Client

from benchmarks.production.stack import ProductionStack
from channels.mail_store import MailStore
from channels.recording import RecordingChannel
from cli.engine import move_runs
from contracts.sealing import MasterKeys
from journey.machine import ENGINE
from stores.database import open_pool
from stores.engines import EngineRefusedError, EngineStore
from stores.history_keys import HistoryKeyStore
from tests.integration.conftest import Stack
from tests.production.crowd import Crowd
from tests.production.next_build import NEXT_ENGINE, lay_out_next_build
from workers.embedded.child_process import EmbeddedServerError
from workers.embedded.stack import Ports
from workers.sealed_history import Sealing, data_converter

KINDS = ("journey", "delivery", "router")

PATIENT = """
enter: {on: Began Patient, again: never}
stages:
  - stage: only
    steps:
      - wait: {any: [{on: Came Back, do: [{finish: came-back}]}], until: 30d}
      - finish: lost
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="rolling-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@asynccontextmanager
async def looked_at(processes: ProductionStack) -> AsyncGenerator[Stack]:
    """An installation of real processes, as tests look at one."""
    places = processes.addresses
    pool = await open_pool(places.database_url, name="test", most=8)
    try:
        client = await Client.connect(places.temporal_address)
        master = MasterKeys.read(None, processes.files.secret())
        sealing = Sealing(HistoryKeyStore(pool, master, time.monotonic))
        opening = await Client.connect(
            places.temporal_address, data_converter=data_converter(sealing=sealing)
        )
        yield Stack(
            places.temporal_address,
            places.database_url,
            client,
            pool,
            RecordingChannel(),
            opening=opening,
        )
    finally:
        await pool.close()


async def replace_all(processes: ProductionStack, clone: Path) -> None:
    """What `docker compose up -d` does, or a cluster: each new process beside the old one, which then goes."""
    for kind in KINDS:
        await processes.add(kind, name=f"{kind}-next", clone=clone)
    for kind in KINDS:
        await processes.end(kind)


async def disturbed(stack: Stack, journey: str, most: int) -> list[str]:
    """Why workflow tasks of its runs failed."""
    runs = await stack.runs(journey, most=most)
    return [words for run in runs for words in await stack.failed_tasks(run.workflow_id)]


@pytest.mark.faults_full
@pytest.mark.timeout(900)
async def test_new_processes_take_over_and_a_new_engine_comes_without_disturbing_anybody(
    folder: Path,
) -> None:
    clone = await asyncio.to_thread(lay_out_next_build, folder)
    parts = {"journey": 1, "delivery": 1, "router": 1, "mailbox": 1}
    processes = ProductionStack(folder / "state", servers=1, ports=Ports.free(), processes=parts)
    async with processes, looked_at(processes) as stack:
        engines = EngineStore(stack.pool)
        crowd = Crowd(stack, "rolling", rate=2, mailbox=MailStore(processes.files.mailbox))
        await crowd.publish()
        await stack.write("patient", PATIENT)
        await stack.tell("Began Patient", customer="pat")
        patient = await stack.run_of("pat", "patient")
        entering = asyncio.create_task(crowd.enter())
        with pytest.raises(EngineRefusedError, match=r"journey .* knows 1"):
            await engines.raise_to(NEXT_ENGINE, by="test")

        await replace_all(processes, clone)
        await engines.raise_to(NEXT_ENGINE, by="test")
        born = len(crowd.said)
        await stack.until(lambda: len(crowd.said) > born + 10, seconds=60)
        with pytest.raises(EngineRefusedError, match="There is no way back"):
            await engines.lower_to(ENGINE, by="test")
        with pytest.raises(EmbeddedServerError, match=f"Runs here have engine {NEXT_ENGINE}"):
            await processes.add("journey", name="journey-old")
        await processes.end("journey-old")
        crowd.enough.set()
        await entering
        moved, left = await move_runs(engines, stack.client, ENGINE, NEXT_ENGINE)
        broken = await crowd.judge()

        runs = await stack.runs(crowd.journey, most=10_000)
        under = {
            engine: sum(run.engine == engine for run in runs) for engine in (ENGINE, NEXT_ENGINE)
        }
        print(f"\n{len(runs)} runs over a rolling deployment, by engine {under}; retired: {moved}")
        assert broken.nothing, broken
        assert crowd.twice == []
        assert len(crowd.mails) == 2 * len(crowd.said)
        assert min(under.values()) > 0
        assert await disturbed(stack, crowd.journey, 10_000) == []
        assert (moved, left) == (1, 0)
        assert (await stack.status(patient.workflow_id))["engine"] == NEXT_ENGINE
        await stack.tell("Came Back", customer="pat")
        assert (await stack.outcome(patient.workflow_id))["outcome"] == "came-back"
