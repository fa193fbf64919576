"""One rule says whose marketing waits for whose end, and neither side misses the other."""

from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.journey_run import RunReference
from contracts.message_delivery import DeliverMessage
from journey.effects import RunRecord
from stores.database import jsonb
from stores.run_records import RunRecordStore
from tests.integration.delivery.conftest import ANNA, Desk, at_once

RACING = 20


async def in_another_journey(desk: Desk, entry: int, **of: Any) -> None:
    """Anna is in another journey, too."""
    row = {"journey": "other", "customer": ANNA, "state": "open", "holds": None, "priority": None}
    given = row | of
    await desk.rows(
        "insert into runs (entry, workflow_id, first_run_id, journey, customer, key, engine, state,"
        " entered_at, began_at, holds, priority)"
        " values (%s, %s, %s, %s, %s, %s, 1, %s, %s, %s, %s, %s)",
        *(entry, f"other/{entry}", f"other-{entry}", given["journey"], given["customer"]),
        *(str(entry), given["state"], desk.wall, desk.wall, given["holds"], given["priority"]),
    )


HOLDS = {"holds": "marketing"}
EARLIER, LATER = 6, 8
RIVALS: list[tuple[dict[str, Any], int, dict[str, Any], str]] = [
    ({}, LATER, HOLDS, "deferred"),
    ({"priority": 100}, LATER, HOLDS, "deferred"),
    ({}, LATER, {"priority": 1}, "deferred"),
    ({"priority": 20}, LATER, {"priority": 80}, "deferred"),
    ({}, LATER, {}, "accepted"),
    ({"priority": 80}, LATER, {"priority": 80}, "accepted"),
    ({"priority": 80}, LATER, {"priority": 20}, "accepted"),
    ({}, LATER, HOLDS | {"state": "finished"}, "accepted"),
    ({}, LATER, HOLDS | {"state": "not_admitted"}, "accepted"),
    ({}, LATER, HOLDS | {"customer": "c_bert"}, "accepted"),
    (HOLDS, LATER, {}, "accepted"),
    (HOLDS, LATER, {"priority": 100}, "accepted"),
    (HOLDS, LATER, HOLDS, "accepted"),
    (HOLDS, EARLIER, HOLDS, "deferred"),
    (HOLDS, LATER, HOLDS | {"priority": 5}, "deferred"),
    (HOLDS | {"priority": 5}, EARLIER, HOLDS, "accepted"),
    (HOLDS, EARLIER, HOLDS | {"journey": "flight"}, "accepted"),
]


@pytest.mark.parametrize(("own", "entry", "other", "state"), RIVALS)
async def test_one_rule_says_whose_marketing_waits_for_whose_end(
    desk: Desk, own: dict[str, Any], entry: int, other: dict[str, Any], state: str
) -> None:
    await desk.rows(
        "update runs set holds = %s, priority = %s where entry = 7",
        *(own.get("holds"), own.get("priority")),
    )
    await in_another_journey(desk, entry, **other)

    assert (await desk.deliver(1, purpose="marketing")).state == state
    assert (await desk.deliver(2, purpose="service")).state == "accepted"


@pytest.mark.parametrize("own", [{}, HOLDS, {"priority": 50}])
@pytest.mark.parametrize("other", [HOLDS, {"priority": 50}, HOLDS | {"priority": 70}])
async def test_no_two_journeys_wait_for_each_other(
    desk: Desk, own: dict[str, Any], other: dict[str, Any]
) -> None:
    await desk.rows(
        "update runs set holds = %s, priority = %s where entry = 7",
        *(own.get("holds"), own.get("priority")),
    )
    await in_another_journey(desk, LATER, **other)
    order = desk.order(1, purpose="marketing")
    theirs = replace(order, run=replace(order.run, entry=LATER, workflow_id=f"other/{LATER}"))

    told = [await desk.worker().deliver_message(each) for each in (order, theirs)]

    assert "accepted" in {each.state for each in told}


async def test_a_message_that_calls_itself_marketing_waits_whatever_its_journey_says(
    desk: Desk,
) -> None:
    await in_another_journey(desk, LATER, holds="marketing")
    await desk.publish("---\nsubject: Offer\npurpose: marketing\n---\nBuy!\n")

    told = await desk.deliver(purpose="service")

    assert (told.state, told.reason) == ("deferred", "held_by: the customer is in other")


async def test_a_held_message_is_looked_at_again_when_its_time_is_over(desk: Desk) -> None:
    await in_another_journey(desk, LATER, holds="marketing")
    until = desk.wall + timedelta(hours=3)
    held = await desk.deliver(purpose="marketing", expires=until)
    assert (held.state, held.until) == ("deferred", until)

    desk.later(hours=3)
    told = await desk.deliver(purpose="marketing", expires=until)

    assert (told.state, told.reason) == ("refused", "expired")
    assert desk.got == []


async def test_who_does_not_want_marketing_is_not_kept_waiting_for_it(desk: Desk) -> None:
    await in_another_journey(desk, LATER, holds="marketing")
    await desk.with_traits(marketing_consent=False)

    assert (await desk.deliver(purpose="marketing")).reason == "no_consent"


async def test_a_message_and_the_end_of_what_holds_it_never_miss_each_other(desk: Desk) -> None:
    await desk.rows(
        "insert into customers (customer, traits) select 'c_' || n, %s from generate_series(1, %s) n",
        jsonb({"first_name": "Anna"}),
        RACING,
    )
    await desk.rows(
        "insert into identities (kind, value, customer)"
        " select 'email', n || '@example.com', 'c_' || n from generate_series(1, %s) n",
        RACING,
    )
    for entries, holds in ((100, None), (200, "marketing")):
        await desk.rows(
            "insert into runs (entry, workflow_id, first_run_id, journey, customer, engine, state,"
            " entered_at, began_at, holds)"
            " select %s + n, 'run/' || %s + n, %s + n, 'j' || %s, 'c_' || n, 1, 'open', %s, %s, %s"
            " from generate_series(1, %s) n",
            *(entries, entries, entries, entries, desk.wall, desk.wall, holds, RACING),
        )
    worker, records = desk.worker(), RunRecordStore(desk.pool)

    def said(number: int) -> Awaitable[Any]:
        return worker.deliver_message(_of(desk, number))

    def ended(number: int) -> Awaitable[Any]:
        entry = 200 + number
        run = RunReference(
            entry=entry, workflow_id=f"run/{entry}", journey="j200", customer=f"c_{number}"
        )
        return records.write(run, RunRecord(sequence=9, at=desk.wall, outcome="over"))

    numbers = range(1, RACING + 1)
    pairs = [(said(n), ended(n)) if n % 2 else (ended(n), said(n)) for n in numbers]
    answers = await at_once(*(act for pair in pairs for act in pair))

    assert [each for each in answers if isinstance(each, BaseException)] == []
    held = await desk.rows("select customer from deliveries where state = 'deferred'")
    told = await desk.rows("select customer from touchpoints where event = '$hold_lifted'")
    sent = await desk.rows("select customer from deliveries where state = 'accepted'")
    assert {each["customer"] for each in held} == {each["customer"] for each in told}
    assert len(held) + len(sent) == RACING


def _of(desk: Desk, number: int) -> DeliverMessage:
    order = desk.order(1, purpose="marketing", message="gate")
    entry = 100 + number
    run = replace(order.run, entry=entry, workflow_id=f"run/{entry}", customer=f"c_{number}")
    return replace(order, run=run)
