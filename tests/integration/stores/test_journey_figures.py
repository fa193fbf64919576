"""What people see of a journey as a whole is the sum of what its runs wrote down, whatever happened to them."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.journey_figures import InStage, Standing
from contracts.journey_run import RunReference
from contracts.run_standing import EndedOutside, OpenRecord
from journey.effects import RunRecord, TraceEntry
from stores.erased_hashes import ErasedHashes
from stores.erasures import ErasureStore
from stores.figure_looks import FigureLooks
from stores.journey_figures import JourneyFiguresStore
from stores.run_sweep import RunSweepStore
from tests.integration.stores.conftest import CART, NOW, Shop, added

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WAITS = "hesitating/0"
LATER = NOW + 400 * DAY


def told(sequence: int, after: timedelta, kind: str = "", why: str = "", **more: Any) -> RunRecord:
    """A record of so long after the beginning; it waits at the first step unless it says otherwise."""
    at = NOW + after
    address = more.pop("address", WAITS)
    trace = (
        (TraceEntry(sequence=sequence, at=at, address=address, kind=kind, why=why),) if kind else ()
    )
    record = RunRecord(
        sequence=sequence, at=at, stage="hesitating", trace=trace, stands={WAITS: NOW}
    )
    return replace(record, **more)


class Figures:
    """A shop, and what is to be seen of its journey as a whole."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.store, self.looks = JourneyFiguresStore(shop.pool), FigureLooks(shop.pool)

    async def enters(self, who: str = "anna") -> RunReference:
        order = self.shop.order("cart", await self.shop.known(who), added(f"m-{who}"))
        return self.shop.reference(order, await self.shop.enters(order))

    async def write(self, run: RunReference, *records: RunRecord) -> None:
        for record in records:
            await self.shop.records.write(run, record)

    async def fold(self) -> None:
        while await self.store.fold():
            pass

    async def counted(self, version: str | None = None) -> Counter[tuple[str, str, str]]:
        await self.fold()
        rows = await self.looks.counted("cart", NOW - DAY, LATER, version)
        return Counter({(each.address, each.kind, each.way): each.n for each in rows})

    async def stands(self) -> dict[str, int]:
        await self.fold()
        found: dict[str, int] = {}
        for each in await self.looks.stands("cart"):
            found[each.address] = found.get(each.address, 0) + each.n
        return found


@pytest.fixture
async def figures(shop: Shop) -> Figures:
    await shop.publish(CART)
    return Figures(shop)


async def test_who_entered_stands_at_the_first_step_and_in_its_stage(figures: Figures) -> None:
    for who in ("anna", "ben"):
        await figures.enters(who)

    assert await figures.stands() == {"hesitating": 2, WAITS: 2}
    counted = await figures.counted()
    assert counted["", "entered", ""] == 2
    assert counted["hesitating", "stage", ""] == 2
    [stage] = await figures.looks.in_stages("cart")
    assert (stage.stage, stage.n) == ("hesitating", 2)
    since = NOW.replace(minute=0)
    assert await figures.looks.stands("cart") == [
        Standing(address="hesitating", since=since, n=2),
        Standing(address=WAITS, since=since, n=2),
    ]


async def test_how_long_they_stood_which_way_they_went_and_how_it_ended(figures: Figures) -> None:
    run = await figures.enters()
    going = told(8, 3 * HOUR, "met", "Order Completed came", stands={"hesitating/1": None})
    ends = told(
        9,
        5 * HOUR,
        "finished",
        "recovered",
        address="exit/0",
        outcome="recovered",
        goal=True,
        stage=None,
        stands={},
    )
    await figures.write(run, going, ends)

    counted = await figures.counted()
    assert counted[WAITS, "met", "Order Completed came"] == 1
    assert counted["", "ended", "recovered"] == counted["", "goal", "recovered"] == 1
    assert counted["hesitating/1", "left", "recovered"] == 1
    assert await figures.stands() == {}
    assert await figures.looks.in_stages("cart") == []
    stays = {
        each.address: each.milliseconds / 3_600_000
        for each in await figures.looks.counted("cart", NOW - DAY, LATER)
        if each.kind == "stay"
    }
    assert stays == {WAITS: 3, "hesitating/1": 2, "hesitating": 5}


async def test_at_every_hour_of_the_past_it_is_known_who_stood_where(figures: Figures) -> None:
    run = await figures.enters()
    await figures.write(run, told(8, 30 * HOUR, "late", stands={"hesitating/1": None}))
    await figures.fold()

    def at(after: timedelta) -> Any:
        return figures.looks.stood("cart", NOW + after)

    assert await at(-HOUR) == {}
    assert await at(HOUR) == await at(30 * HOUR) == {"hesitating": 1, WAITS: 1}
    assert await at(31 * HOUR) == await at(99 * DAY) == {"hesitating": 1, "hesitating/1": 1}


async def test_a_stay_shorter_than_a_second_is_none(figures: Figures) -> None:
    run = await figures.enters()
    sending = told(8, HOUR, "late", stands={"hesitating/1": None})
    sent = told(
        9, HOUR + timedelta(milliseconds=900), "sent", address="hesitating/1",
        stands={"hesitating/2": None},
    )  # fmt: skip
    await figures.write(run, sending, sent)

    counted = await figures.counted()
    assert counted["hesitating/1", "sent", ""] == 1
    assert not [each for each in counted if each[:2] == ("hesitating/1", "came")]
    assert await figures.stands() == {"hesitating": 1, "hesitating/2": 1}


async def test_what_is_written_twice_or_out_of_order_counts_once(figures: Figures) -> None:
    run = await figures.enters()
    first = told(8, HOUR, "late", stands={"hesitating/1": None})
    second = told(
        9, 2 * HOUR, "met", "Back came", address="hesitating/1", stands={"hesitating/2": None}
    )
    await figures.write(run, second, first, second, first)

    counted = await figures.counted()
    assert counted[WAITS, "late", ""] == counted["hesitating/1", "met", "Back came"] == 1
    assert await figures.stands() == {"hesitating": 1, "hesitating/2": 1}


async def test_a_decision_that_is_told_otherwise_later_counts_as_it_was_told_last(
    figures: Figures,
) -> None:
    run = await figures.enters()
    await figures.write(run, told(8, HOUR, "met", "Back came"))
    await figures.counted()
    await figures.write(run, told(8, 2 * HOUR, "met", "Order Completed came"))

    ways = {each[2]: n for each, n in (await figures.counted()).items() if each[1] == "met"}
    assert ways == {"Order Completed came": 1}


async def test_an_end_that_is_undone_never_was(figures: Figures) -> None:
    run = await figures.enters()
    ends = told(
        9,
        2 * HOUR,
        "finished",
        "waited",
        address="hesitating/1",
        outcome="not-recovered",
        stage=None,
        stands={},
    )
    assert await figures.shop.records.end_within_task(run, ends)
    assert (await figures.counted())["", "ended", "not-recovered"] == 1

    await figures.write(run, told(8, 3 * HOUR, "met", "Back came", stands={"hesitating/2": None}))

    counted = await figures.counted()
    assert not [each for each in counted if each[1] in ("ended", "left", "finished")]
    assert counted[WAITS, "went", ""] == 1
    assert await figures.stands() == {"hesitating": 1, "hesitating/2": 1}


async def test_a_run_that_is_moved_takes_its_figures_along(figures: Figures) -> None:
    run = await figures.enters()
    await figures.write(run, told(8, HOUR, "met", "Back came", stands={"hesitating/1": None}))
    [before] = await figures.shop.rows("select version from runs")
    newer = await figures.shop.publish(CART.replace("2d", "3d"))
    await figures.fold()

    await figures.shop.admissions.desks.move(run, newer)

    assert not +(await figures.counted(before["version"]))
    counted = await figures.counted(newer)
    assert counted == await figures.counted()
    assert counted[WAITS, "stay", "47"] == counted["", "entered", ""] == 1


async def test_who_may_not_enter_is_counted_with_the_reason(figures: Figures) -> None:
    order = figures.shop.order("cart", await figures.shop.known(), added(value=1))
    reason = await figures.shop.refused(order)
    assert (await figures.counted())["", "not_admitted", reason] == 1


async def test_who_ended_outside_left_where_they_stood(figures: Figures) -> None:
    run = await figures.enters()
    [row] = await figures.shop.rows("select first_run_id from runs")
    record = OpenRecord(
        entry=run.entry, workflow_id=run.workflow_id, first_run_id=row["first_run_id"],
        journey="cart", customer=run.customer,
    )  # fmt: skip
    sweep = RunSweepStore(figures.shop.pool, lambda: NOW + HOUR)
    assert await sweep.end(EndedOutside(run=record, how="terminated"))

    counted = await figures.counted()
    assert counted[WAITS, "left", "ended-outside"] == 1
    assert counted[WAITS, "went", ""] == 1
    assert await figures.stands() == {}


async def test_figures_stay_when_their_customer_is_erased_and_are_had_again_without_them(
    figures: Figures,
) -> None:
    run = await figures.enters()
    going = told(8, 3 * HOUR, "met", "Back came", stands={"hesitating/1": None})
    ends = told(9, 5 * HOUR, outcome="recovered", goal=True, stage=None, stands={})
    await figures.write(run, going, ends)
    before = await figures.counted()
    erasures = ErasureStore(figures.shop.pool, hashes=ErasedHashes(b"0" * 32))
    erasure = await erasures.begin(run.customer, by="test")
    going_on = await erasures.hold("test", erasure)
    assert going_on is not None

    await erasures.take_out(going_on)

    assert await figures.shop.rows("select from runs") == []
    assert await figures.counted() == before
    await figures.store.rebuild()
    assert await figures.counted() == before


async def test_what_comes_to_nothing_is_kept_no_more(figures: Figures) -> None:
    run = await figures.enters()
    await figures.write(run, told(1, HOUR))
    await figures.fold()
    await figures.write(run, told(2, DAY, stage="paying", stands={"paying/0": NOW + DAY}))
    await figures.fold()

    async with figures.shop.pool.connection() as connection:
        cursor = await connection.execute(
            "select address, kind from journey_figures where n = 0 and milliseconds = 0"
        )
        assert await cursor.fetchall() == []
    assert await figures.stands() == {"paying": 1, "paying/0": 1}


async def test_counting_anew_while_runs_go_on_and_others_fold_comes_to_the_same(
    figures: Figures,
) -> None:
    people = [f"customer-{n}" for n in range(30)]

    async def lives(who: str) -> None:
        run = await figures.enters(who)
        await figures.write(run, told(8, HOUR, "late", stands={"hesitating/1": None}))
        await figures.write(run, told(9, 2 * HOUR, outcome="recovered", stage=None, stands={}))

    async def counts() -> None:
        for _ in range(5):
            await figures.store.rebuild()
            await figures.store.fold()

    await asyncio.gather(*map(lives, people), counts(), figures.fold(), figures.fold())

    assert await figures.store.differences() == []
    counted = await figures.counted()
    assert counted["", "entered", ""] == counted["", "ended", "recovered"] == len(people)
    await figures.store.rebuild()
    assert await figures.counted() == counted


async def test_a_figure_that_somebody_wrote_is_found_and_counted_anew(figures: Figures) -> None:
    await figures.enters()
    await figures.fold()
    async with figures.shop.pool.connection() as connection:
        await connection.execute(
            "update journey_figures set n = n + 5 where kind = 'entered' and span = 24"
        )

    [found] = await figures.store.differences()
    assert (found.kind, found.held, found.recorded) == ("entered", 6, 1)

    await figures.store.rebuild()
    assert await figures.store.differences() == []


async def test_runs_of_before_there_were_figures_are_counted_by_the_first_fold(
    figures: Figures,
) -> None:
    await figures.enters()
    async with figures.shop.pool.connection() as connection:
        await connection.execute("delete from figure_moves")
        await connection.execute("update runs set stands = '{}'")
        await connection.execute("delete from figure_moves")

    await figures.fold()

    assert (await figures.counted())["", "entered", ""] == 1
    [run] = await figures.shop.rows("select version from runs")
    assert await figures.looks.in_stages() == [
        InStage(journey="cart", version=run["version"], stage="hesitating", n=1)
    ]
