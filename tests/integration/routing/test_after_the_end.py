"""What comes to a run between its end and its close is not lost: it may begin the next run."""

from datetime import datetime

import pytest

from contracts.journey_run import RunReference
from journey.touchpoint import Touchpoint
from stores.database import Pool
from stores.late_touchpoints import LateTouchpointStore
from tests.integration.routing.conftest import NOON, PARCEL, Happens, MakeRouter, Publish
from tests.integration.routing.town import Town, TownRun, admit, finish


@pytest.fixture
async def begun(
    pool: Pool, publish: Publish, router: MakeRouter, happens: Happens
) -> tuple[Town, TownRun]:
    """Anna has ordered, and her run was admitted."""
    async with pool.connection() as connection:
        await connection.execute("insert into customers (customer) values ('c_anna')")
    await publish(PARCEL)
    town = Town()
    await happens("Ordered", "c_anna", order="7")
    await router(town).drain()
    await admit(pool, town.runs[0])
    return town, town.runs[0]


async def hand_back(pool: Pool, run: TownRun, *late: Touchpoint) -> None:
    over = RunReference(
        entry=1, journey="parcel", customer="c_anna", workflow_id=run.workflow_id, now=NOON
    )
    await LateTouchpointStore(pool).hand_back(over, run.first_run_id, "7", late)


def told(run: TownRun, message_id: str) -> Touchpoint:
    """As the run was told it last."""
    one = [each for each in run.told if each["message_id"] == message_id][-1]
    return Touchpoint(
        message_id=message_id,
        event=one["event"],
        timestamp=datetime.fromisoformat(one["timestamp"]),
        properties=one.get("properties", {}),
        number=one["number"],
    )


async def test_who_comes_again_while_the_run_closes_enters_again(
    pool: Pool, begun: tuple[Town, TownRun], router: MakeRouter, happens: Happens
) -> None:
    town, first = begun
    await finish(pool, first)
    first.open = True  # on the server it still closes
    again = await happens("Ordered", "c_anna", order="7")
    await router(town).drain()

    for _ in range(2):  # an activity may run twice
        await hand_back(pool, first, told(first, again))
    await router(town).drain()  # and it closes still
    first.open = False
    for _ in range(2):
        await hand_back(pool, first, told(first, again))
    await router(town).drain()
    await hand_back(pool, first, told(first, again))
    await router(town).drain()

    assert [run.ids for run in town.runs[1:]] == [[again]]
    assert [fate["fate"] for fate in await happens.fates(again)] == [
        "entered",
        "handed_back",
        "entered",
        "handed_back",
        "entered",
    ]


async def test_it_may_come_back_before_the_router_knows_that_it_was_told(
    pool: Pool, begun: tuple[Town, TownRun], router: MakeRouter, happens: Happens
) -> None:
    town, first = begun
    asked = await happens("Asked", "c_anna")

    async def comes_back() -> None:
        await finish(pool, first)
        await hand_back(pool, first, told(first, asked))

    town.after_signal = comes_back
    await router(town).drain()

    assert [fate["fate"] for fate in await happens.fates(asked)] == [
        "handed_back",
        "signalled",
        "too_late",
    ]


async def test_a_run_under_way_by_then_hears_it_once_and_in_order(
    pool: Pool, begun: tuple[Town, TownRun], router: MakeRouter, happens: Happens
) -> None:
    town, first = begun
    asked = await happens("Asked", "c_anna")
    await router(town).drain()
    await finish(pool, first)
    again = await happens("Ordered", "c_anna", order="7")
    await router(town).drain()

    await hand_back(pool, first, told(first, asked))
    await router(town).drain()
    await admit(pool, town.runs[1])
    await router(town).drain()

    assert town.runs[1].ids == [again, asked]
    assert not town.runs[1].missed


async def test_what_nobody_waits_for_any_more_says_so(
    pool: Pool, begun: tuple[Town, TownRun], router: MakeRouter, happens: Happens
) -> None:
    town, first = begun
    asked = await happens("Asked", "c_anna")
    await router(town).drain()
    await finish(pool, first)

    await hand_back(pool, first, told(first, asked))
    await router(town).drain()

    assert [fate["fate"] for fate in await happens.fates(asked)] == [
        "signalled",
        "handed_back",
        "too_late",
    ]
    assert len(town.runs) == 1


async def test_what_nobody_wanted_and_a_run_that_is_over_did_says_that_it_came_too_late(
    pool: Pool, begun: tuple[Town, TownRun], router: MakeRouter, happens: Happens
) -> None:
    town, first = begun
    await finish(pool, first)
    asked = happens.one("Asked", "c_anna", "asked")
    again = happens.one("Ordered", "c_anna", "again", properties={"order": "7"})
    await happens.together(asked, again)
    await router(town).drain()
    await admit(pool, town.runs[1])
    await finish(pool, town.runs[1])

    await router(town).drain()

    assert [fate["fate"] for fate in await happens.fates("asked")] == ["ignored", "too_late"]


async def test_what_a_foreign_sender_signalled_is_stored_and_enters_once(
    pool: Pool, begun: tuple[Town, TownRun], router: MakeRouter, happens: Happens
) -> None:
    town, first = begun
    await finish(pool, first)
    foreign = Touchpoint(
        message_id="foreign-1", event="Ordered", timestamp=NOON, properties={"order": "7"}
    )

    for _ in range(2):
        await hand_back(pool, first, foreign)
        await router(town).drain()

    assert [run.ids for run in town.runs] == [first.ids, ["foreign-1"]]
    assert [fate["fate"] for fate in await happens.fates("foreign-1")] == ["entered"]
