"""A run writes down how it stands: in any order, twice, and the newest always wins."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from contracts.journey_run import RunReference
from journey.effects import PromiseRecord, PromiseState, RunRecord, TraceEntry
from tests.integration.stores.conftest import CART, FLIGHT, NOW, Shop, added, touched


def record(sequence: int, stage: str | None = "booked", **more: Any) -> RunRecord:
    at = NOW + timedelta(minutes=sequence)
    trace = (
        TraceEntry(sequence=sequence, at=at, address="booked/0", kind="met", why=f"{sequence}"),
    )
    told = RunRecord(sequence=sequence, at=at, stage=stage, trace=trace)
    return replace(told, **more)


def promise(sequence: int, state: PromiseState) -> PromiseRecord:
    at = NOW + timedelta(minutes=sequence)
    return PromiseRecord(n=3, name="refund", by=NOW + timedelta(days=2), state=state, at=at)


async def under_way(shop: Shop) -> RunReference:
    await shop.publish(FLIGHT)
    anna = await shop.known()
    booked = touched("Booked", "m-1", pnr="P7", flights=["OK1"])
    order = shop.order("flight", anna, booked, key="P7")
    return shop.reference(order, await shop.enters(order))


async def test_a_record_tells_how_the_run_stands_and_why(shop: Shop) -> None:
    run = await under_way(shop)
    wakes_at = NOW + timedelta(days=1)
    waits_for = ("Landed, or 23 Nov",)
    told = record(1, waits_for=waits_for, wakes_at=wakes_at, needs_attention="stuck")

    await shop.records.write(run, told)

    story = await shop.runs.run(run.entry)
    assert story is not None
    assert (story.run.stage, story.run.waits_for) == ("booked", list(waits_for))
    assert (story.run.wakes_at, story.run.needs_attention) == (wakes_at, "stuck")
    assert tuple(story.trace) == told.trace
    assert story.listens == {"flight": ["OK1"]}
    assert await shop.runs.run(run.workflow_id) == story
    assert [found.entry for found in await shop.runs.runs(needing_attention=True)] == [run.entry]


async def test_a_record_written_twice_is_written_once(shop: Shop) -> None:
    run = await under_way(shop)
    told = record(1, promises=(promise(1, "open"),))

    await shop.records.write(run, told)
    once = await shop.runs.run(run.entry)
    await shop.records.write(run, told)

    twice = await shop.runs.run(run.entry)
    assert once is not None
    assert twice is not None
    assert replace(twice.run, updated_at=once.run.updated_at) == once.run
    assert (twice.trace, twice.promises) == (once.trace, once.promises)


RECORDS = [
    record(1, "booked", listens={"flight": ("OK1", "OK2")}, promises=(promise(1, "open"),)),
    record(2, "boarding", promises=(promise(2, "kept"),)),
    record(3, None, outcome="landed", goal=True),
]


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
async def test_an_older_record_never_overwrites_a_newer_one(
    shop: Shop, order: tuple[int, ...]
) -> None:
    run = await under_way(shop)

    for index in order:
        await shop.records.write(run, RECORDS[index])

    story = await shop.runs.run(run.entry)
    assert story is not None
    assert (story.run.stage, story.run.state, story.run.outcome) == (None, "finished", "landed")
    assert (story.run.goal, story.run.finished_at) == (True, RECORDS[2].at)
    assert [entry.sequence for entry in story.trace] == [1, 2, 3]
    assert [kept.state for kept in story.promises] == ["kept"]
    assert story.listens == {}


async def test_among_records_of_one_sequence_the_later_wins(shop: Shop) -> None:
    """A turn that decided nothing worth a line may still move the alarm."""
    run = await under_way(shop)
    earlier, later = record(1), record(1, at=NOW + timedelta(hours=2), wakes_at=NOW)

    for told in (earlier, later, earlier):
        await shop.records.write(run, told)

    story = await shop.runs.run(run.entry)
    assert story is not None
    assert story.run.wakes_at == NOW


async def test_records_at_the_same_instant_leave_the_newest(shop: Shop) -> None:
    run = await under_way(shop)

    await asyncio.gather(*(shop.records.write(run, record(n, f"stage-{n}")) for n in range(1, 9)))

    story = await shop.runs.run(run.entry)
    assert story is not None
    assert story.run.stage == "stage-8"
    assert len(story.trace) == 8


async def test_a_subject_that_a_run_comes_to_listen_to_is_told_to_it_from_its_beginning(
    shop: Shop,
) -> None:
    run = await under_way(shop)
    await shop.arrives(touched("Flight Cancelled", "m-2"), subject=("flight", "OK2"))
    await shop.arrives(touched("Flight Cancelled", "m-3"), subject=("flight", "OK3"))
    await shop.rows("delete from outbox returning 1")
    shop.rung.clear()

    await shop.records.write(run, record(1, listens={"flight": ("OK2",)}))

    assert await shop.pending() == [("m-2", run.workflow_id)]
    assert shop.rung == ["record"]
    assert await shop.runs.listening_to("flight", "OK1") == []
    assert [heard.entry for heard in await shop.runs.listening_to("flight", "OK2")] == [run.entry]


async def test_an_older_record_that_says_what_it_listens_to_counts_behind_a_silent_newer_one(
    shop: Shop,
) -> None:
    run = await under_way(shop)

    await shop.records.write(run, record(2))
    await shop.records.write(run, record(1, listens={"flight": ("OK2",)}))

    story = await shop.runs.run(run.entry)
    assert story is not None
    assert story.listens == {"flight": ["OK2"]}


async def test_an_ended_run_makes_room_and_is_counted_where_it_ended(shop: Shop) -> None:
    await shop.publish(CART.replace("after 7d", "always"))
    anna = await shop.known()
    first = shop.order("cart", anna, added())
    await shop.ends(first, await shop.enters(first), "recovered")
    await shop.enters(shop.order("cart", anna, added("m-2")))

    counts = [
        (count.state, count.outcome, count.runs) for count in await shop.runs.standing("cart")
    ]
    assert counts == [("finished", "recovered", 1), ("open", None, 1)]
    assert await shop.runs.open_runs_of("nobody") == []


async def test_runs_are_listed_newest_first_and_leafed_through(shop: Shop) -> None:
    await shop.publish(CART)
    for n in range(3):
        await shop.enters(shop.order("cart", await shop.known(f"customer {n}"), added(f"m-{n}")))

    newest = await shop.runs.runs(journey="cart", state="open", most=2)
    rest = await shop.runs.runs(journey="cart", before=newest[-1].entry)

    assert len(newest) == 2
    assert len(rest) == 1
    assert await shop.runs.runs(journey="tour") == []
    assert await shop.runs.run(123_456) is None


async def alone(shop: Shop) -> tuple[str, RunReference]:
    """A run that nobody waits for, and that listens to its customer only."""
    await shop.publish(CART)
    anna = await shop.known()
    order = shop.order("cart", anna, added("m-1"))
    return anna, shop.reference(order, await shop.enters(order))


async def test_an_end_that_the_run_did_not_come_to_after_all_is_undone(shop: Shop) -> None:
    """The task that was to end it was refused: it lives on, and misses nothing that came meanwhile."""
    anna, run = await alone(shop)
    assert await shop.records.end_within_task(run, record(7, None, outcome="left"))
    story = await shop.runs.run(run.entry)
    assert story is not None
    assert (story.run.state, story.run.outcome) == ("finished", "left")
    await shop.arrives(added("m-2"), anna, number=1)

    await shop.records.write(run, record(6, "paying", at=NOW + timedelta(minutes=8)))

    story = await shop.runs.run(run.entry)
    assert story is not None
    assert (story.run.state, story.run.outcome, story.run.stage) == ("open", None, "paying")
    assert story.run.finished_at is None
    assert [entry.sequence for entry in story.trace] == [1, 2, 6]
    assert await shop.pending() == [("m-2", run.workflow_id)]


async def test_a_run_that_ends_otherwise_when_its_task_is_lived_again_ended_so(shop: Shop) -> None:
    _, run = await alone(shop)
    await shop.records.end_within_task(run, record(7, None, outcome="left"))

    await shop.records.end_within_task(
        run, record(5, None, at=NOW + timedelta(minutes=9), outcome="bought", goal=True)
    )

    story = await shop.runs.run(run.entry)
    assert story is not None
    assert (story.run.state, story.run.outcome, story.run.goal) == ("finished", "bought", True)
    assert story.run.finished_at == NOW + timedelta(minutes=9)


async def test_an_old_record_that_comes_late_undoes_no_end(shop: Shop) -> None:
    _, run = await alone(shop)
    await shop.records.end_within_task(run, record(7, None, outcome="left"))

    await shop.records.write(run, record(6, "paying"))

    story = await shop.runs.run(run.entry)
    assert story is not None
    assert (story.run.state, story.run.outcome) == ("finished", "left")


async def test_an_end_that_others_wait_for_is_not_written_within_the_task(shop: Shop) -> None:
    """They would be told of what may not come true."""
    run = await under_way(shop)

    assert not await shop.records.end_within_task(run, record(7, None, outcome="left"))

    story = await shop.runs.run(run.entry)
    assert story is not None
    assert story.run.state == "open"
