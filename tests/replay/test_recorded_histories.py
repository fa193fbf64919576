"""A run that began under any released engine goes on as it was under this build."""

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from journey.programs import PROGRAMS
from tests.replay.stories import STORIES
from tests.scorecard import keep
from tests.workflows.world import World
from workers.plugin import clew_plugin

HISTORIES = Path(__file__).parent / "histories"
RECORDED = sorted(HISTORIES.glob("engine-*/*.json"))


async def failure_of(path: Path) -> Exception | None:
    """Why a recorded history does not replay under this build; None where it does."""
    kept = json.loads(path.read_text())
    world = World()
    for canonical in kept["definitions"]:
        world.definitions[PROGRAMS.add(canonical.encode()).version] = canonical.encode()
    history = WorkflowHistory.from_json("replayed", kept["history"])
    replayer = Replayer(workflows=[], plugins=[clew_plugin(world, sealing=None)])

    return (await replayer.replay_workflow(history, raise_on_replay_failure=False)).replay_failure


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_a_recorded_run_replays(path: Path) -> None:
    assert await failure_of(path) is None


async def test_no_history_of_any_release_breaks() -> None:
    broken = [path.stem for path in RECORDED if await failure_of(path) is not None]

    engines = {path.parent.name for path in RECORDED}
    figures = {"histories": len(RECORDED), "engines": len(engines), "breaks": len(broken)}
    keep("R9", figures, met=not broken)
    assert broken == []


def test_every_story_is_recorded() -> None:
    assert {path.stem for path in RECORDED} >= {
        story.__name__.replace("_", "-") for story in STORIES
    }
