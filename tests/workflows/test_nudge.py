"""Those who wait are nudged: the run goes on in the same moment, and answers what it did."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from contracts import names
from contracts.converter import NOT_YET, REFUSED
from contracts.message_delivery import MessageDelivered
from journey.machine import NUDGE_ENGINE
from journey.touchpoint import RefusedTouchpointError
from tests.workflows.world import Customer, Stage
from workflows.entering import check_nudge

CART = Path("tests/journeys/abandoned-cart.yaml").read_text()
HERE = {"address": "hesitating/0", "reason": "the shop is open again"}


async def shopping(stage: Stage) -> Customer:
    """Anna, who has put things into her cart."""
    stage.world.publish(CART)
    anna = await stage.enter("abandoned-cart", "Product Added", cart_value=80)
    await anna.status()
    return anna


async def test_who_is_nudged_goes_on_at_once_and_waits_anew_from_then(stage: Stage) -> None:
    anna = await shopping(stage)

    answer = await anna.handle.execute_update(names.UPDATE_NUDGE, HERE)

    assert "the shop is open again" in answer["decided"]
    await stage.until(lambda: anna.was_told() == ["cart-reminder"])
    now = await stage.skipping.get_current_time()
    woken = (await anna.status())["wakes_at"]
    assert abs((datetime.fromisoformat(woken) - now).total_seconds() - 2 * 86_400) < 60
    assert await anna.outcome() == "not-recovered"
    assert anna.was_told() == ["cart-reminder"]
    traced = [each for each in stage.world.decisions() if each.kind == "nudged"]
    assert [(each.address, each.why) for each in traced] == [tuple(HERE.values())]


async def test_a_message_that_is_put_off_again_is_not_sent_by_a_nudge(stage: Stage) -> None:
    night = await stage.skipping.get_current_time()
    morning = night.replace(microsecond=0) + (night - night.replace(hour=0))
    off = MessageDelivered(state="deferred", reason="quiet_until", until=morning)
    stage.world.answers["cart-reminder"] = [off, off]
    anna = await shopping(stage)
    await anna.handle.execute_update(names.UPDATE_NUDGE, HERE)
    await stage.until(lambda: len(stage.world.answers["cart-reminder"]) == 1)

    at = {**HERE, "address": "hesitating/0/late/0"}
    await stage.until(lambda: "deferred" in [each.kind for each in stage.world.decisions()])
    await anna.handle.execute_update(names.UPDATE_NUDGE, at)

    await stage.until(lambda: stage.world.answers["cart-reminder"] == [])
    assert anna.was_told() == []
    assert await anna.outcome() == "not-recovered"
    assert anna.was_told() == ["cart-reminder"]


async def test_who_does_not_wait_there_says_so_and_waits_on(stage: Stage) -> None:
    anna = await shopping(stage)
    before = await anna.status()

    answer = await anna.handle.execute_update(names.UPDATE_NUDGE, {"address": "paying/0"})

    assert answer["refused"] == ["nobody stands at paying/0"]
    assert (await anna.status())["wakes_at"] == before["wakes_at"]


@pytest.mark.parametrize("told", [{}, {"address": 7}, {"address": ""}, {"reason": "now"}, [1]])
async def test_a_nudge_that_names_no_step_is_refused_in_words(stage: Stage, told: Any) -> None:
    anna = await shopping(stage)

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await anna.handle.execute_update(names.UPDATE_NUDGE, told)

    cause = refused.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == REFUSED


async def test_a_run_of_an_engine_that_does_not_know_it_refuses_before_its_history_has_it(
    stage: Stage,
) -> None:
    stage.world.engine = NUDGE_ENGINE - 1
    anna = await shopping(stage)

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await anna.handle.execute_update(names.UPDATE_NUDGE, HERE)

    assert "a run of engine 3 cannot be nudged" in str(refused.value.cause)
    assert "clew engine retire 3" in str(refused.value.cause)
    events = [event async for event in anna.handle.fetch_history_events()]
    assert not any("update" in str(event).lower() for event in events)


def test_a_run_that_does_not_know_its_engine_yet_asks_to_be_told_again() -> None:
    with pytest.raises(ApplicationError) as not_yet:
        check_nudge(0)

    assert not_yet.value.type == NOT_YET
    with pytest.raises(RefusedTouchpointError):
        check_nudge(NUDGE_ENGINE - 1)
    check_nudge(NUDGE_ENGINE)
