"""Two customers become one while both are inside journeys: no run is lost, nothing is told twice."""

import asyncio
import random
from typing import Any

import pytest

from contracts.journey_run import RunReference
from journey.touchpoint import MERGED, Touchpoint
from stores.customers import CustomerStore
from stores.database import Pool
from stores.late_touchpoints import LateTouchpointStore
from stores.staff_merges import MergeStore
from tests.integration.routing.conftest import NOON, PARCEL, Happens, MakeRouter, Publish
from tests.integration.routing.town import Town, TownRun, admit, finish

DEVICE, ANNA = ("anonymous_id", "device-1"), ("user_id", "anna")


class Two:
    """A visitor and a customer, each of whom may be inside the parcel journey."""

    def __init__(self, pool: Pool, publish: Publish, router: MakeRouter, happens: Happens) -> None:
        self.pool, self.publish, self.router, self.happens = pool, publish, router, happens
        self.town = Town()
        self.customers, self.merges = CustomerStore(pool), MergeStore(pool)
        self.visitor = self.anna = ""

    async def known(self) -> None:
        await self.publish(PARCEL)
        self.visitor, self.anna = await self.named(DEVICE), await self.named(ANNA)

    async def named(self, *names: tuple[str, str]) -> str:
        async with self.pool.connection() as connection:
            return await self.customers.resolve(connection, names)

    async def route(self) -> None:
        await self.router(self.town).drain()

    async def orders(self, customer: str, order: str) -> TownRun:
        await self.happens("Ordered", customer, order=order)
        await self.route()
        run = self.town.runs[-1]
        assert run.start.customer == customer
        await admit(self.pool, run)
        await self.route()
        return run

    async def rows(self, statement: Any, *values: Any) -> list[dict[str, Any]]:
        async with self.pool.connection() as connection:
            return await (await connection.execute(statement, values)).fetchall()

    async def stands(self, run: TownRun, stage: str, sequence: int) -> None:
        async with self.pool.connection() as connection:
            await connection.execute(
                "update runs set stage = %s, sequence = %s where first_run_id = %s",
                [stage, sequence, run.first_run_id],
            )


@pytest.fixture
async def two(pool: Pool, publish: Publish, router: MakeRouter, happens: Happens) -> Two:
    found = Two(pool, publish, router, happens)
    await found.known()
    return found


def heard(run: TownRun) -> list[str]:
    return [each["message_id"] for each in run.applied if not each["event"].startswith("$")]


async def test_a_run_alone_goes_on_and_hears_whichever_name_somebody_comes_by(two: Two) -> None:
    run = await two.orders(two.visitor, "7")
    for index in range(3):
        await two.happens("Asked", two.visitor, message_id=f"before-{index}")
    await two.happens("Asked", two.anna, message_id="annas-own")
    await two.route()

    assert await two.named(ANNA, DEVICE) == two.anna
    await two.happens("Asked", two.anna, message_id="after")
    await two.happens("Asked", two.visitor, message_id="by the old id")
    await two.route()

    assert heard(run)[1:] == ["before-0", "before-1", "before-2", "after", "by the old id"]
    assert run.missed == set()
    [row] = await two.rows("select customer, workflow_id, gives_way_to from runs")
    assert (row["customer"], row["gives_way_to"]) == (two.anna, None)
    assert row["workflow_id"] == run.workflow_id, "it goes on under the id of before"


async def test_what_nobody_was_told_before_the_merge_is_told_to_the_runs_of_both(two: Two) -> None:
    run, other = await two.orders(two.visitor, "7"), await two.orders(two.anna, "8")
    await two.happens("Asked", two.visitor, message_id="visitors")
    await two.happens("Asked", two.anna, message_id="annas")

    await two.named(ANNA, DEVICE)
    await two.route()

    for each in (run, other):
        assert sorted(heard(each)[1:]) == ["annas", "visitors"]
        assert each.repeated == []


async def test_of_two_runs_of_one_journey_the_one_further_along_stays(two: Two) -> None:
    await two.publish({**PARCEL, "stages": [*PARCEL["stages"], _stage("arrived")]})
    behind, ahead = await two.orders(two.anna, "7"), await two.orders(two.visitor, "7")
    await two.stands(behind, "under-way", 40)
    await two.stands(ahead, "arrived", 12)

    await two.named(ANNA, DEVICE)
    await two.happens("Asked", two.anna, message_id="after")
    await two.route()

    assert heard(ahead)[1:] == ["after"]
    assert [each["event"] for each in behind.applied if each["event"].startswith("$m")] == [MERGED]
    assert "after" not in heard(behind)
    [told] = [each for each in behind.applied if each["event"] == MERGED]
    assert told["properties"]["into"] == ahead.workflow_id


async def test_a_run_with_an_open_case_counts_as_further_along(two: Two) -> None:
    first, second = await two.orders(two.anna, "7"), await two.orders(two.visitor, "7")
    await two.stands(first, "under-way", 90)
    await two.stands(second, "under-way", 2)
    async with two.pool.connection() as connection:
        await connection.execute(
            """
            insert into cases ("case", entry, n, workflow_id, journey, customer, queue, brief,
                               decisions, state, opened_at)
            select 'case/1', entry, 1, workflow_id, journey, customer, 'sales', '', '{}', 'open',
                   now() from runs where first_run_id = %s
            """,
            [second.first_run_id],
        )

    await two.named(ANNA, DEVICE)
    await two.route()

    assert MERGED in {each["event"] for each in first.applied}
    assert MERGED not in {each["event"] for each in second.applied}


async def test_what_the_one_that_ends_had_not_looked_at_comes_to_the_one_that_stays_once(
    two: Two,
) -> None:
    stays, ends = await two.orders(two.anna, "7"), await two.orders(two.visitor, "7")
    await two.happens("Asked", two.visitor, message_id="in the mailbox")
    await two.route()
    await two.named(ANNA, DEVICE)
    await two.route()
    assert MERGED in {each["event"] for each in ends.applied}
    await finish(two.pool, ends)
    [unread] = [each for each in ends.applied if each["message_id"] == "in the mailbox"]
    over = RunReference(
        entry=2, journey="parcel", customer=two.visitor, workflow_id=ends.workflow_id, now=NOON
    )
    late = Touchpoint(
        message_id="in the mailbox", event="Asked", timestamp=NOON, number=unread["number"]
    )

    for _ in range(2):  # an activity may run twice
        await LateTouchpointStore(two.pool).hand_back(over, ends.first_run_id, "7", [late])
        await two.route()

    assert heard(stays)[1:] == ["in the mailbox"]
    assert stays.repeated == []
    assert len(two.town.runs) == 2, "nobody enters by it once more"


async def test_a_batch_under_way_is_told_to_its_own_runs_before_the_runs_follow(two: Two) -> None:
    """The router is in the middle of the visitor's touchpoints when the two become one."""
    run, other = await two.orders(two.visitor, "7"), await two.orders(two.anna, "8")
    for index in range(3):
        await two.happens("Asked", two.visitor, message_id=f"numbered-{index}")

    async def merge() -> None:
        two.town.after_signal = None
        await two.named(ANNA, DEVICE)
        await two.happens("Asked", two.anna, message_id="after")

    two.town.after_signal = merge
    await two.route()

    assert heard(run)[1:] == ["numbered-0", "numbered-1", "numbered-2", "after"]
    assert run.missed == set()
    assert heard(other)[1:] == ["after"]


async def test_runs_go_back_when_the_two_are_parted(two: Two) -> None:
    run = await two.orders(two.visitor, "7")
    await two.named(ANNA, DEVICE)
    await two.happens("Asked", two.anna, message_id="as one")
    await two.route()
    [merge] = await two.merges.of("anna")

    await two.merges.unmerge(merge.merge, by="eva", why="they are two")
    await two.happens("Asked", two.anna, message_id="annas own")
    await two.happens("Asked", two.visitor, message_id="visitors own")
    await two.route()

    assert heard(run)[1:] == ["as one", "visitors own"]
    assert run.missed == set()


async def test_a_run_that_was_to_give_way_is_spared_when_they_are_parted_in_time(two: Two) -> None:
    first, second = await two.orders(two.anna, "7"), await two.orders(two.visitor, "7")
    await two.named(ANNA, DEVICE)
    [merge] = await two.merges.of("anna")
    await two.merges.unmerge(merge.merge, by="eva", why="they are two")
    await two.happens("Asked", two.anna, message_id="annas")
    await two.happens("Asked", two.visitor, message_id="visitors")
    await two.route()

    assert (heard(first)[1:], heard(second)[1:]) == (["annas"], ["visitors"])
    assert MERGED not in {each["event"] for run in (first, second) for each in run.applied}


async def test_what_waits_to_be_told_goes_back_with_whom_it_came_to(two: Two) -> None:
    run = await two.orders(two.visitor, "7")
    await two.happens("Asked", two.visitor, message_id="visitors")
    await two.named(ANNA, DEVICE)
    [merge] = await two.merges.of("anna")

    await two.merges.unmerge(merge.merge, by="eva", why="they are two")
    await two.route()

    assert heard(run)[1:] == ["visitors"]


async def test_whoever_becomes_one_in_the_middle_of_a_day_misses_nothing(
    two: Two, router: MakeRouter
) -> None:
    """Two routers route while ten pairs of customers become one, in random order."""
    dice = random.Random(11)
    pairs = [
        ((("anonymous_id", f"d{n}"), ("user_id", f"u{n}")), await two.named(("anonymous_id", f"d{n}")),
         await two.named(("user_id", f"u{n}")))
        for n in range(6)
    ]  # fmt: skip
    runs: dict[str, list[TownRun]] = {}
    for n, (_, visitor, user) in enumerate(pairs):
        runs[visitor] = [await two.orders(visitor, f"a{n}")]
        runs[user] = [await two.orders(user, f"b{n}")]
    for _, visitor, user in pairs:
        await two.happens("Asked", visitor, message_id=f"early {visitor}")
        await two.happens("Asked", user, message_id=f"early {user}")
    routing = [asyncio.create_task(router(two.town, batch=3).drain()) for _ in range(2)]
    dice.shuffle(pairs)
    for names, visitor, user in pairs:
        await two.named(*names)
        await two.happens("Asked", visitor, message_id=f"late {visitor}")
        await two.happens("Asked", user, message_id=f"late {user}")
    await asyncio.gather(*routing)
    await two.route()

    for _, visitor, user in pairs:
        late = {f"late {visitor}", f"late {user}"}
        for who in (visitor, user):
            [run] = runs[who]
            assert run.repeated == []
            assert run.missed == set()
            assert {f"early {who}", *late} <= set(heard(run))


def _stage(name: str) -> dict[str, Any]:
    return {
        "stage": name,
        "steps": [{"wait": {"any": [{"on": "Asked"}], "until": "30d"}}, {"finish": "done"}],
    }
