"""The workflow of a case looks when something is due or changed, in between it waits, and it ends with the case."""

from datetime import timedelta
from typing import Any

from temporalio.client import WorkflowHandle

from contracts import names
from contracts.staff_case import CaseMinded, CaseToMind
from tests.workflows.world import Stage

CASE = "case/journey/cart/anna:1:2"


async def begun(stage: Stage, *minds: CaseMinded) -> WorkflowHandle[Any, Any]:
    stage.world.minds = list(minds)
    handle: WorkflowHandle[Any, Any] = await stage.client.start_workflow(
        names.STAFF_CASE,
        CaseToMind(case=CASE),
        id=f"case/journey/cart/anna/1/{len(minds)}",
        task_queue=names.JOURNEYS_QUEUE,
    )
    return handle


OVER = CaseMinded(state="resolved", words="resolved in sales", over=True)


async def test_a_deadline_weeks_away_is_met_without_a_look_in_between(stage: Stage) -> None:
    now = await stage.skipping.get_current_time()
    waits = CaseMinded(
        state="claimed", words="eva has it", over=False, look_at=now + timedelta(days=40)
    )
    handle = await begun(stage, waits, OVER)
    assert await stage.result_of(handle) == {"state": "resolved"}
    assert stage.world.minded == [CASE, CASE]
    assert await stage.skipping.get_current_time() >= now + timedelta(days=40)
