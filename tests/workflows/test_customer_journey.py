"""What a customer lives through in a run."""

from pathlib import Path

import pytest

from contracts import names
from contracts.message_delivery import MessageDelivered
from journey.programs import PROGRAMS
from tests.workflows.world import Stage, touchpoint

CART = Path("tests/journeys/abandoned-cart.yaml").read_text()


@pytest.fixture(autouse=True)
def _published(stage: Stage) -> None:
    stage.world.publish(CART)


async def test_who_does_nothing_is_reminded_once_and_let_go(stage: Stage) -> None:
    anna = await stage.enter("abandoned-cart", "Product Added", cart_value=80)

    assert await anna.outcome() == "not-recovered"
    assert anna.was_told() == ["cart-reminder"]


async def test_exit_wins_in_the_middle_of_a_wait(stage: Stage) -> None:
    anna = await stage.enter("abandoned-cart", "Product Added", cart_value=80)
    await anna.does("Order Completed", revenue=80)

    assert await anna.outcome() == "recovered"
    assert anna.was_told() == []


async def test_staff_decide_and_the_decision_picks_the_path(stage: Stage) -> None:
    anna = await stage.enter("abandoned-cart", "Product Added", cart_value=80)
    await anna.does("Checkout Started")
    await stage.pass_time_hours(5)
    [case] = stage.world.cases
    await anna.does("Case Decided", case=case, decision="not-reached", by="eva")

    assert await anna.outcome() == "helped"
    assert anna.was_told() == ["we-tried"]


async def test_a_deferred_message_goes_out_when_it_may(stage: Stage) -> None:
    night = await stage.skipping.get_current_time()
    morning = night.replace(microsecond=0) + (night - night.replace(hour=0))
    stage.world.answers["cart-reminder"] = [MessageDelivered(state="deferred", until=morning)]
    anna = await stage.enter("abandoned-cart", "Product Added", cart_value=80)

    assert await anna.outcome() == "not-recovered"
    assert anna.was_told() == ["cart-reminder"]
    assert len({order.deliver.n for order in stage.world.sent}) == 1


@pytest.mark.parametrize(
    ("signal", "args"),
    [
        ("touchpoint", []),
        ("touchpoint", ["text"]),
        ("touchpoint", [{"event": "Checkout Started"}, {"event": "Checkout Started"}]),
        ("touchpoint", [{"event": 7}]),
        ("touchpoint", [b"\x00\xff"]),
        ("touchpoint", [{"event": "Checkout Started", "timestamp": "tomorrow"}]),
        ("touchpoints", [{"event": "Checkout Started"}]),
        ("touchpoints", [[{"event": "x" * 300}]]),
        ("no_such_signal", [{}]),
    ],
)
async def test_a_nonsense_signal_is_refused_in_words_and_the_run_lives_on(
    stage: Stage, signal: str, args: list[object]
) -> None:
    anna = await stage.enter("abandoned-cart", "Product Added", cart_value=80)
    await anna.handle.signal(signal, args=args)
    status = await anna.status()

    assert len(status["refused"]) == 1
    assert signal in status["refused"][0]
    await anna.does("Order Completed")
    assert await anna.outcome() == "recovered"
    assert "WORKFLOW_TASK_FAILED" not in await event_types(anna.handle)


async def event_types(handle: object) -> str:
    from temporalio.client import WorkflowHandle

    assert isinstance(handle, WorkflowHandle)
    history = await handle.fetch_history()
    return " ".join(type_name(event.event_type) for event in history.events)


def type_name(number: int) -> str:
    from temporalio.api.enums.v1 import EventType

    return EventType.Name(number)  # pyright: ignore[reportArgumentType] -- the enum's own number


async def test_an_update_answers_with_what_the_run_did_about_it(stage: Stage) -> None:
    anna = await stage.enter("abandoned-cart", "Product Added", cart_value=80)
    now = touchpoint("Checkout Started", "now-1")
    told = await anna.handle.execute_update(names.UPDATE_TOUCHPOINT_NOW, now)

    assert told["stage"] == "paying"
    assert told["decided"] == ["Checkout Started came", "came to paying"]


async def test_cancelling_in_the_web_ui_is_leaving(stage: Stage) -> None:
    anna = await stage.enter("abandoned-cart", "Product Added", cart_value=80)
    await anna.status()
    await anna.handle.cancel()

    assert await anna.outcome() == "left"
    assert "finished: cancelled from outside" in stage.world.trace()


async def test_what_cannot_be_sent_stops_the_run_until_it_is_mended(stage: Stage) -> None:
    source = CART.replace("good_for: 12h", "good_for: 12h, on_failure: stop")
    stage.world.publish(source.replace("journey: abandoned-cart", "journey: careful-cart"))
    stage.world.broken.add("cart-reminder")
    anna = await stage.enter("careful-cart", "Product Added", cart_value=80)
    await stage.pass_time_hours(2)
    await stage.until(lambda: any(line.startswith("failed") for line in stage.world.trace()))
    stopped = await anna.status()
    stage.world.broken.clear()
    await anna.handle.signal(names.SIGNAL_RESUME)

    assert "cart-reminder" in stopped["needs_attention"]
    assert await anna.outcome() == "not-recovered"
    assert anna.was_told() == ["cart-reminder"]


async def test_a_missing_definition_is_waited_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = stage.world.publish(CART.replace("Help a customer", "Help any customer"))
    kept = stage.world.definitions[version]
    monkeypatch.setattr(stage.world, "publishes_on_admission", False)
    monkeypatch.delitem(stage.world.definitions, version)
    assert PROGRAMS.get(version) is None
    anna = await stage.enter("abandoned-cart", "Product Added", cart_value=80)
    await stage.until(lambda: stage.world.looked_for)
    stage.world.definitions[version] = kept

    assert await anna.outcome() == "not-recovered"


async def test_every_decision_is_on_record_with_its_reason(stage: Stage) -> None:
    anna = await stage.enter("abandoned-cart", "Product Added", cart_value=80)
    await anna.outcome()

    assert [line.split(":")[0] for line in stage.world.trace()] == [
        "entered",
        "stage",
        "late",
        "sent",
        "late",
        "finished",
    ]


async def test_the_record_waits_for_a_database_that_is_down(stage: Stage) -> None:
    anna = await stage.enter("abandoned-cart", "Product Added", cart_value=80)
    await stage.until(lambda: stage.world.records)
    stage.world.database_down = True
    await anna.does("Order Completed")
    await stage.until(lambda: stage.world.refused_records >= 5)
    stage.world.database_down = False

    assert await anna.outcome() == "recovered"
    assert [line.split(":")[0] for line in stage.world.trace()] == ["entered", "stage", "finished"]
