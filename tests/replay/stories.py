"""Stories whose histories are recorded: each engine version and each way through the shell has one."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle

from contracts import names
from contracts.ids import effect_key
from contracts.message_delivery import MessageDelivered
from contracts.staff_case import CaseMinded, CaseToMind
from tests.workflows.world import Stage, touchpoint

Story = Callable[[Stage], Awaitable[WorkflowHandle[Any, Any]]]

CART = Path("tests/journeys/abandoned-cart.yaml").read_text()
FLIGHT = Path("examples/flight/journey.yaml").read_text()
EVERY_WAY_OUT = Path("tests/journeys/every-way-out.yaml").read_text()
PNR = "PNR7"


async def reminded_and_let_go(stage: Stage) -> WorkflowHandle[Any, Any]:
    """A message, two waits that end by themselves."""
    stage.world.publish(CART)
    anna = await stage.enter("abandoned-cart", "Product Added", "c_anna", cart_value=80)
    await anna.outcome()
    return anna.handle


async def bought_in_the_middle_of_a_wait(stage: Stage) -> WorkflowHandle[Any, Any]:
    """An exit."""
    stage.world.publish(CART)
    berta = await stage.enter("abandoned-cart", "Product Added", "c_berta", cart_value=80)
    await berta.does("Order Completed", revenue=80)
    await berta.outcome()
    return berta.handle


async def helped_by_staff(stage: Stage) -> WorkflowHandle[Any, Any]:
    """A case, escalated, decided; a refused and an unknown message."""
    stage.world.publish(CART)
    refused = MessageDelivered(state="refused", reason="unreachable")
    stage.world.answers["we-tried"] = [refused]
    carla = await stage.enter("abandoned-cart", "Product Added", "c_carla", cart_value=80)
    await carla.does("Checkout Started")
    await stage.pass_time_hours(60)
    case = next(iter(stage.world.cases))
    await carla.does("Case Decided", case=case, decision="not-reached", by="eva")
    await carla.outcome()
    return carla.handle


async def told_to_leave(stage: Stage) -> WorkflowHandle[Any, Any]:
    """Updates, nonsense signals, an order to leave."""
    stage.world.publish(CART)
    dora = await stage.enter("abandoned-cart", "Product Added", "c_dora", cart_value=80)
    await dora.handle.signal("touchpoint", args=["nonsense", 7])
    await dora.handle.signal("no_such_signal")
    started = touchpoint("Checkout Started", "dora-now")
    await dora.handle.execute_update(names.UPDATE_TOUCHPOINT_NOW, started)
    await dora.handle.execute_update(names.UPDATE_LEAVE, {"reason": "asked us to"})
    await dora.outcome()
    return dora.handle


async def cancelled_from_the_web_ui(stage: Stage) -> WorkflowHandle[Any, Any]:
    """A cancellation."""
    stage.world.publish(CART)
    emma = await stage.enter("abandoned-cart", "Product Added", "c_emma", cart_value=80)
    await emma.status()
    await emma.handle.cancel()
    await emma.outcome()
    return emma.handle


async def moved_to_another_version(stage: Stage) -> WorkflowHandle[Any, Any]:
    """A move in the middle of a wait; the answer comes when it is done."""
    stage.world.publish(CART)
    frida = await stage.enter("abandoned-cart", "Product Added", "c_frida", cart_value=80)
    await frida.status()
    other = stage.world.publish(CART.replace("until: 1h", "until: 3h"))
    await frida.handle.execute_update(names.UPDATE_MOVE, {"version": other})
    await frida.outcome()
    return frida.handle


async def nudged_in_the_middle_of_a_wait(stage: Stage) -> WorkflowHandle[Any, Any]:
    """A nudge that is refused, and one with which it goes on before its time."""
    stage.world.publish(CART)
    lida = await stage.enter("abandoned-cart", "Product Added", "c_lida", cart_value=80)
    await lida.status()
    for address in ("nowhere/7", "hesitating/0"):
        told = {"address": address, "reason": "the shop opened again"}
        await lida.handle.execute_update(names.UPDATE_NUDGE, told)
    await lida.outcome()
    return lida.handle


async def not_admitted(stage: Stage) -> WorkflowHandle[Any, Any]:
    """A start that names no journey."""
    gerda = await stage.enter("no-such-journey", "Product Added", "c_gerda")
    await gerda.outcome()
    return gerda.handle


async def a_flight_delayed_then_cancelled(stage: Stage) -> WorkflowHandle[Any, Any]:
    """Reactions, items, promises, subjects, and a deadline that moves."""
    stage.world.publish(FLIGHT)
    now = await stage.skipping.get_current_time()
    leg = {
        "flight": "UA1-2013-02-08",
        "number": "UA1",
        "from": "EWR",
        "to": "ORD",
        "departs": _after(now, 6),
        "arrives": _after(now, 9),
    }
    hanna = await stage.enter(
        "flight", "Flight Booked", "c_hanna", pnr=PNR, legs=[leg], onward=[], parking=True, key=PNR
    )
    await hanna.does("Checked In", pnr=PNR)
    await hanna.does("Bag Checked", pnr=PNR, bags=[{"tag": "T1"}, {"tag": "T2"}])
    await hanna.does("Bag Loaded", pnr=PNR, tag="T1")
    about = {"subject": {"kind": "flight", "id": leg["flight"]}}
    later = {"departs": _after(now, 8), "arrives": _after(now, 11), "minutes": 120}
    await hanna.does("Flight Delayed", context=about, **later)
    await stage.pass_time_hours(7.9)
    await hanna.does("Flight Cancelled", context=about, reason="snow", alternatives=[])
    await stage.pass_time_hours(1)
    case = [case for case, held in stage.world.cases.items() if held.queue == "rebooking"][-1]
    await hanna.does("Case Decided", case=case, decision="refunded", by="eva")
    await hanna.outcome()
    return hanna.handle


async def answered_and_bought_without_the_coupon(stage: Stage) -> WorkflowHandle[Any, Any]:
    """Calls, a show, an answered survey, a coupon that the exit makes void, and what is done at the end."""
    stage.world.publish(EVERY_WAY_OUT)
    ina = await stage.enter("every-way-out", "Began", "c_ina")
    await stage.until(lambda: len(stage.world.sent) == 1)
    ask = effect_key(ina.handle.id, 1, stage.world.sent[0].deliver.n)
    await ina.does("Survey Answered", ask=ask, score=9)
    await stage.until(lambda: "open" in stage.world.coupons.values())
    await ina.does("Bought")
    await ina.outcome()
    return ina.handle


async def silent_until_the_end(stage: Stage) -> WorkflowHandle[Any, Any]:
    """A reminder, a survey and a coupon that run out, ways side by side, a promise that is late, another run."""
    stage.world.publish(EVERY_WAY_OUT)
    jana = await stage.enter("every-way-out", "Began", "c_jana")
    await stage.pass_time_hours(10 * 24)
    [asked] = stage.world.begun
    run = effect_key(jana.handle.id, 1, asked.start.n)
    await jana.does("Run Ended", run=run, outcome="good")
    await jana.outcome()
    return jana.handle


def _after(now: Any, hours: float) -> str:
    return (now + timedelta(hours=hours)).isoformat()


UNDECIDED = """
language: 1
journey: undecided
title: Staff have until the evening
owner: tests
enter: {on: Began}
stages:
  - stage: only
    steps:
      - handoff:
          queue: rooms
          brief: The room is cold
          first_answer: 1h
          resolve: 5h
          escalate_to: leads
          decisions: {moved: {do: [{finish: moved}]}}
          late: [{finish: nobody-came}]
"""


async def nobody_decided_in_time(stage: Stage) -> WorkflowHandle[Any, Any]:
    """A case that keeps its own deadlines, and tells the run that nobody decided."""
    stage.world.publish(UNDECIDED)
    karl = await stage.enter("undecided", "Began", "c_karl")
    await stage.until(lambda: bool(stage.world.cases))
    await stage.pass_time_hours(6)
    case = next(iter(stage.world.cases))
    await karl.does("Case Decided", case=case, decision=None, expired="not decided in time")
    await karl.outcome()
    return karl.handle


async def a_case_of_its_own(stage: Stage) -> WorkflowHandle[Any, Any]:
    """The clock of a case: a deadline that passes, a change, and its end."""
    now = await stage.skipping.get_current_time()
    near = now + timedelta(hours=1)
    stage.world.minds = [
        CaseMinded(state="open", words="open in rooms", over=False, look_at=near),
        CaseMinded(state="open", words="open in leads", over=False),
        CaseMinded(state="resolved", words="resolved in leads", over=True),
    ]
    handle: WorkflowHandle[Any, Any] = await stage.client.start_workflow(
        names.STAFF_CASE,
        CaseToMind(case="case/journey/undecided/c_karl:1:1"),
        id="case/journey/undecided/c_karl/1/1",
        task_queue=names.JOURNEYS_QUEUE,
    )
    await stage.pass_time_hours(2)
    await handle.signal(names.SIGNAL_CHANGED)
    await handle.result()
    return handle


STORIES: list[Story] = [
    reminded_and_let_go,
    bought_in_the_middle_of_a_wait,
    helped_by_staff,
    told_to_leave,
    cancelled_from_the_web_ui,
    moved_to_another_version,
    nudged_in_the_middle_of_a_wait,
    not_admitted,
    a_flight_delayed_then_cancelled,
    answered_and_bought_without_the_coupon,
    silent_until_the_end,
    nobody_decided_in_time,
    a_case_of_its_own,
]
