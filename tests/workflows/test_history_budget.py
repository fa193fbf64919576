"""What a run costs in history: counted, because a history that grows is a run that is slow to wake."""

import json
from typing import Any

import pytest
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError

from tests.workflows.world import Stage

STEPS = 10


def walk(purpose: str = "service") -> str:
    """Ten times: a touchpoint comes, a message goes out, and the next wait is cut short by the next touchpoint."""
    stages = []
    for n in range(STEPS + 1):
        steps: list[dict[str, Any]] = []
        if n:
            steps.append({"send": {"message": f"note-{n}", "purpose": purpose}})
        if n < STEPS:
            wait = {
                "any": [{"on": "Stepped", "do": [{"go": f"s{n + 1}"}]}],
                "until": "30d",
                "late": [{"finish": "lost"}],
            }
        else:
            wait = {
                "any": [{"on": "Ended", "do": [{"finish": "walked"}]}],
                "until": "30d",
                "late": [{"finish": "lost"}],
            }
        stages.append({"stage": f"s{n}", "steps": [*steps, {"wait": wait}]})
    return json.dumps(
        {
            "language": 1,
            "journey": "walk",
            "title": "A walk of ten steps",
            "owner": "tests",
            "enter": {"on": "Began"},
            "stages": stages,
        }
    )


async def history(handle: WorkflowHandle[Any, Any]) -> tuple[int, int]:
    """Events of a run, and their bytes on the wire as the server counts them."""
    await handle.query("status")  # answered when the task under way is written
    described = await handle.describe()
    info = described.raw_description.workflow_execution_info
    return info.history_length, info.history_size_bytes


async def test_a_full_readable_step_costs_14_events_and_1500_bytes(real_stage: Stage) -> None:
    stage = real_stage
    stage.world.publish(walk())
    async with stage.workers():
        anna = await stage.enter("walk", "Began")
        await stage.until(lambda: "stage: came to s0" in stage.world.trace())
        before = await history(anna.handle)
        for n in range(1, STEPS + 1):
            await anna.does("Stepped")
            await stage.until(
                lambda n=n: (
                    stage.world.records[-1][1].waits_for[0].startswith(("Stepped", "Ended"))
                    and len(stage.world.sent) == n
                )
            )
            await anna.status()  # no two steps share a task
        after = await history(anna.handle)

    events, size = (after[0] - before[0]) / STEPS, (after[1] - before[1]) / STEPS
    print(f"history per full step: {events:.1f} events, {size:.0f} bytes")
    assert events <= 14
    assert size <= 1_500


@pytest.mark.parametrize(("until", "budget"), [("90d", 5), ("1d", 7)])
async def test_a_touchpoint_that_moves_the_run(real_stage: Stage, until: str, budget: int) -> None:
    """5 events; 7 where it brings the alarm forward."""
    stage = real_stage
    definition = json.loads(walk())
    for n, stage_ in enumerate(definition["stages"]):
        stage_["steps"] = stage_["steps"][-1:]
        if n % 2:
            stage_["steps"][0]["wait"]["until"] = until
    stage.world.publish(json.dumps(definition))
    async with stage.workers():
        anna = await stage.enter("walk", "Began")
        await stage.until(lambda: "stage: came to s0" in stage.world.trace())
        before = await history(anna.handle)
        await anna.does("Stepped")
        await stage.until(lambda: "stage: came to s1" in stage.world.trace())
        after = await history(anna.handle)

    assert after[0] - before[0] <= budget


async def test_a_refused_update_leaves_no_trace(real_stage: Stage) -> None:
    stage = real_stage
    stage.world.publish(walk())
    async with stage.workers():
        anna = await stage.enter("walk", "Began")
        await stage.until(lambda: "stage: came to s0" in stage.world.trace())
        before = await history(anna.handle)
        for name, told in (("touchpoint_now", {"event": 7}), ("leave", "now"), ("nonsense", {})):
            with pytest.raises(WorkflowUpdateFailedError):
                await anna.handle.execute_update(name, told)

        assert await history(anna.handle) == before
