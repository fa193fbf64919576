"""Records the histories that every later build must replay: `make histories`, after a new story.

What is recorded stays as it was: it is how a build of that time lived, and no later one can live it again.
"""

import asyncio
import gc
import json
from pathlib import Path

from temporalio.testing import WorkflowEnvironment

from deploy import prepare, tools
from journey.machine import ENGINE
from tests.replay.stories import STORIES
from tests.workflows.world import Stage, World
from workers.plugin import clew_plugin

HISTORIES = Path(__file__).parent / "histories"


async def record() -> None:
    """Live each new story on the time-skipping server and keep its history and definitions."""
    server = await asyncio.to_thread(tools.build_time_skipping_server)
    folder = HISTORIES / f"engine-{ENGINE}"
    folder.mkdir(parents=True, exist_ok=True)
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(server)
    ) as environment:
        await prepare.register_search_attributes(environment.client)
        for story in STORIES:
            file = folder / f"{story.__name__.replace('_', '-')}.json"
            if file.exists():
                continue
            world = World()
            client = await environment.connect_client(plugins=[clew_plugin(world, sealing=None)])
            stage = Stage(client, world, environment)
            async with stage.workers():
                handle = await story(stage)
            history = await handle.fetch_history()
            kept = {
                "definitions": [canonical.decode() for canonical in world.definitions.values()],
                "history": json.loads(history.to_json()),
            }
            await asyncio.to_thread(file.write_text, json.dumps(kept, indent=1) + "\n")
            print(f"{file.stem}: {len(history.events)} events")
    gc.collect()
    await asyncio.sleep(0)


if __name__ == "__main__":
    asyncio.run(record())
