"""A router ends after it told everybody and before it wrote that down: nothing is lost, and nothing is told twice."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from contracts.journey_run import RunReference
from contracts.routing import RoutedBatch
from journey.touchpoint import Touchpoint
from stores.admissions import AdmissionStore
from stores.customers import CustomerStore
from stores.database import Pool
from stores.late_touchpoints import LateTouchpointStore
from stores.leases import UnitLeases
from stores.outbox import OutboxStore
from tests.integration.routing.conftest import NOON, PARCEL, Happens, MakeRouter, Publish
from tests.integration.routing.town import Town, TownRun, admit, finish

VAN = ("van", "7")
DEAF = PARCEL | {
    "stages": [
        {
            "stage": "deaf",
            "steps": [{"wait": {"any": [{"on": "Asked"}], "until": "1d"}}, {"finish": "done"}],
        }
    ]
}
"""The parcel's journey before somebody thought of deliveries and delays."""

Meanwhile = Callable[[], Awaitable[None]]


class DiesBeforeItWrites(OutboxStore):
    """The outbox of a router that told everybody, and ended before it wrote that down; the next one gets on."""

    def __init__(self, pool: Pool, meanwhile: Meanwhile) -> None:
        super().__init__(pool)
        self._meanwhile: Meanwhile | None = meanwhile

    async def finish(self, holder: str, unit: str, batch: RoutedBatch) -> timedelta:
        if self._meanwhile is not None:
            meanwhile, self._meanwhile = self._meanwhile, None
            await meanwhile()
            raise RuntimeError("the router ended")
        return await super().finish(holder, unit, batch)


@pytest.fixture
async def town(pool: Pool) -> Town:
    """Where Anna lives."""
    async with pool.connection() as connection:
        await connection.execute("insert into customers (customer) values ('c_anna')")
    return Town()


async def one_dies(pool: Pool, town: Town, router: MakeRouter, meanwhile: Meanwhile) -> None:
    """A router tells all that is pending and dies; something happens; the next one works it again."""
    work = router(town, first_rest=timedelta(milliseconds=1))
    work.parts.outbox = DiesBeforeItWrites(pool, meanwhile)
    await work.drain()


async def test_what_came_before_a_run_was_begun_is_not_said_to_be_its_own(
    pool: Pool, publish: Publish, router: MakeRouter, happens: Happens, town: Town
) -> None:
    await publish(PARCEL)
    before = await happens("Asked", "c_anna")
    ordered = await happens("Ordered", "c_anna", order="7")
    asked = await happens("Asked", "c_anna")

    async def it_is_admitted() -> None:
        await admit(pool, town.runs[0], {})

    await one_dies(pool, town, router, it_is_admitted)

    [run] = town.runs
    assert run.ids == [ordered, asked]
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "select a.fates from arrivals a join message_ids using (touchpoint) where message_id = %s",
            [before],
        )
        assert await cursor.fetchone() == {"fates": [{"fate": "ignored"}]}


async def test_a_delay_of_the_van_told_before_the_run_knew_its_van_is_heard(
    pool: Pool, publish: Publish, router: MakeRouter, happens: Happens, town: Town
) -> None:
    await publish(PARCEL)
    ordered = await happens("Ordered", "c_anna", order="7")
    delayed = await happens("Van Delayed", "c_anna", subject=VAN)
    asked = await happens("Asked", "c_anna")

    async def it_is_admitted() -> None:
        await admit(pool, town.runs[0], {VAN[0]: (VAN[1],)})

    await one_dies(pool, town, router, it_is_admitted)

    [run] = town.runs
    assert run.ids == [ordered, asked, delayed]
    assert not run.missed
    assert not run.repeated
    assert [fate["fate"] for fate in await happens.fates(delayed)][-1] == "signalled"


async def test_a_run_that_is_moved_hears_what_its_version_did_not_listen_to(
    pool: Pool, publish: Publish, router: MakeRouter, happens: Happens, town: Town
) -> None:
    await publish(DEAF)
    run = await run_of_anna(town, router, happens)
    entry = await admit(pool, run)
    delivered = await happens("Delivered", "c_anna")
    asked = await happens("Asked", "c_anna")
    hearing = await publish(PARCEL)

    async def it_is_moved() -> None:
        await move(pool, entry, hearing)

    await one_dies(pool, town, router, it_is_moved)

    assert run.ids[1:] == [asked, delivered]
    assert not run.missed
    assert not run.repeated


async def test_a_run_that_a_client_started_hears_what_came_before_the_router_knew_of_it(
    pool: Pool, publish: Publish, router: MakeRouter, happens: Happens, town: Town
) -> None:
    version = await publish(PARCEL)
    async with pool.connection() as connection:
        await connection.execute("insert into message_ids values ('by-hand', 0, '2020-01-01Z')")
    run = await town.started_by_another(version, "c_anna", "by-hand")
    asked = await happens("Asked", "c_anna")
    again = await happens("Ordered", "c_anna", order="7")

    async def it_is_admitted() -> None:
        await admit(pool, run)

    await one_dies(pool, town, router, it_is_admitted)

    assert run.ids == [again, asked]


async def test_what_was_told_and_never_written_and_came_back_is_told_once_to_the_next_run(
    pool: Pool, publish: Publish, router: MakeRouter, happens: Happens, town: Town
) -> None:
    await publish(PARCEL)
    first = await run_of_anna(town, router, happens)
    await admit(pool, first)
    await finish(pool, first)
    first.open = True  # on the server it still closes
    again = await happens("Ordered", "c_anna", order="7")

    async def it_comes_back() -> None:
        first.open = False
        await hand_back(pool, first, again)

    await one_dies(pool, town, router, it_comes_back)
    await admit(pool, town.runs[1])
    await router(town).drain()

    assert [fate["fate"] for fate in await happens.fates(again)] == [
        "handed_back",
        "signalled",
        "entered",
    ]
    assert town.runs[1].ids == [again]
    assert len({each["number"] for each in town.runs[1].told}) == 1


async def test_a_run_knows_what_it_entered_by_although_its_router_ended_before_it_wrote_that(
    pool: Pool, publish: Publish, router: MakeRouter, happens: Happens, town: Town
) -> None:
    await publish(PARCEL)
    ordered = await happens("Ordered", "c_anna", order="7")

    async def it_is_admitted() -> None:
        await admit(pool, town.runs[0])

    await one_dies(pool, town, router, it_is_admitted)

    assert [fate["fate"] for fate in await happens.fates(ordered)] == ["entered"]
    assert [each["number"] for each in town.runs[0].told] == [1]


async def test_what_comes_back_is_told_the_next_run_above_what_a_dead_router_told_it(
    pool: Pool, publish: Publish, router: MakeRouter, happens: Happens, town: Town
) -> None:
    await publish(PARCEL)
    first = await run_of_anna(town, router, happens)
    await admit(pool, first)
    asked = await happens("Asked", "c_anna")
    await router(town).drain()
    await finish(pool, first)
    again = await happens("Ordered", "c_anna", order="7")

    async def it_comes_back() -> None:
        await admit(pool, town.runs[1])
        await hand_back(pool, first, asked)

    await one_dies(pool, town, router, it_comes_back)

    assert town.runs[1].ids == [again, asked]
    assert not town.runs[1].missed


async def test_what_was_aimed_at_a_run_before_it_comes_above_what_a_dead_router_told_the_next(
    pool: Pool, publish: Publish, router: MakeRouter, happens: Happens, town: Town
) -> None:
    await publish(PARCEL)
    first = await run_of_anna(town, router, happens)
    again = await happens("Ordered", "c_anna", order="7")
    delayed = await happens("Van Delayed", "c_anna", subject=VAN)
    await router(town).drain()
    await admit(pool, first, {VAN[0]: (VAN[1],)})
    await finish(pool, first)
    await hand_back(pool, first, again)
    asked = await happens("Asked", "c_anna")

    async def the_next_is_admitted() -> None:
        await admit(pool, town.runs[1], {VAN[0]: (VAN[1],)})

    await one_dies(pool, town, router, the_next_is_admitted)

    assert town.runs[1].ids[0] == again
    assert set(town.runs[1].ids[1:]) == {delayed, asked}
    assert not town.runs[1].missed
    assert not town.runs[1].repeated


async def test_a_run_that_is_moved_there_and_back_is_told_nothing_twice(
    pool: Pool, publish: Publish, router: MakeRouter, happens: Happens, town: Town
) -> None:
    deaf = await publish(DEAF)
    hearing = await publish(PARCEL)
    run = await run_of_anna(town, router, happens)
    entry = await admit(pool, run)
    delivered = await happens("Delivered", "c_anna")

    await one_dies(pool, town, router, lambda: move(pool, entry, deaf))
    await move(pool, entry, hearing)
    await router(town).drain()

    assert run.ids[1:] == [delivered]
    assert [fate["fate"] for fate in await happens.fates(delivered)] == ["ignored", "perhaps"]


async def test_what_a_batch_could_not_have_was_told_to_nobody(
    pool: Pool, publish: Publish, router: MakeRouter, happens: Happens, town: Town
) -> None:
    await publish(DEAF)
    entry = await admit(pool, await run_of_anna(town, router, happens))
    for _ in range(3):
        await happens("Delivered", "c_anna")
    await router(town).drain()
    await move(pool, entry, await publish(PARCEL))
    [unit] = await UnitLeases(pool).take("one", 1, timedelta(minutes=1))

    first = await OutboxStore(pool).number("one", unit, 2)
    second = await OutboxStore(pool).number("one", unit, 2)

    assert not first.begun
    has = await OutboxStore(pool).pending(unit, 2, second.begun)
    assert [row.doubtful for row in has.touchpoints] == [True, True]
    assert len(second.begun) == 2, "the third was in no batch"


async def run_of_anna(town: Town, router: MakeRouter, happens: Happens) -> TownRun:
    """Anna orders, and a router that lives begins her run."""
    await happens("Ordered", "c_anna", order="7")
    await router(town).drain()
    [run] = town.runs
    return run


async def move(pool: Pool, entry: int, version: str) -> None:
    """Anna's run goes on under another version."""
    moving = RunReference(entry=entry, journey="parcel", customer="c_anna", now=NOON)
    await AdmissionStore(pool, CustomerStore(pool)).move(moving, version)


async def hand_back(pool: Pool, run: TownRun, message_id: str) -> None:
    """A run that is over gives back what it was told last."""
    one = [each for each in run.told if each["message_id"] == message_id][-1]
    over = RunReference(
        entry=1, journey="parcel", customer="c_anna", workflow_id=run.workflow_id, now=NOON
    )
    late = Touchpoint(
        message_id=message_id,
        event=one["event"],
        timestamp=datetime.fromisoformat(one["timestamp"]),
        properties=one.get("properties", {}),
        number=one["number"],
    )
    await LateTouchpointStore(pool).hand_back(over, run.first_run_id, "7", [late])
