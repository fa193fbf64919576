"""Touchpoints about a thing reach every run that listens to it, and no other."""

from datetime import UTC, datetime

import pytest

from stores.database import Pool
from stores.rerouting import route_subjects_again
from tests.integration.routing.conftest import PARCEL, Happens, MakeRouter, Publish
from tests.integration.routing.town import Town, TownRun, admit

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
VAN = ("van", "7/öst")


async def under_way(
    pool: Pool, router: MakeRouter, happens: Happens, town: Town, customer: str, *vans: str
) -> TownRun:
    await happens("Ordered", customer, order="1")
    await router(town).drain()
    run = town.runs[-1]
    await admit(pool, run, {"van": vans})
    await router(town).drain()
    return run


async def test_a_late_van_is_told_to_everyone_whose_parcel_is_in_it(
    pool: Pool, publish: Publish, router: MakeRouter, happens: Happens
) -> None:
    await publish(PARCEL)
    town = Town()
    anna = await under_way(pool, router, happens, town, "c_anna", VAN[1])
    ben = await under_way(pool, router, happens, town, "c_ben", VAN[1])
    cleo = await under_way(pool, router, happens, town, "c_cleo", "van 8")

    late = await happens("Van Delayed", subject=VAN, minutes=40)
    await router(town).drain()

    assert anna.ids[-1] == ben.ids[-1] == late
    assert late not in cleo.ids
    assert (await happens.fates(late, "c_anna"))[0]["fate"] == "signalled"


async def test_a_subject_that_nobody_listens_to_leaves_nothing_pending(
    pool: Pool, publish: Publish, router: MakeRouter, happens: Happens
) -> None:
    await publish(PARCEL)
    town = Town()
    await happens("Van Delayed", subject=VAN)

    await router(town).drain()

    assert town.runs == []


async def test_a_customers_own_touchpoint_about_another_van_is_not_this_runs(
    pool: Pool, publish: Publish, router: MakeRouter, happens: Happens
) -> None:
    await publish(PARCEL)
    town = Town()
    anna = await under_way(pool, router, happens, town, "c_anna", "van 7")

    this = await happens("Asked", "c_anna", subject=("van", "van 7"))
    other = await happens("Asked", "c_anna", subject=("van", "van 8"))
    aside = await happens("Asked", "c_anna", subject=("invoice", "7"))
    await router(town).drain()

    assert anna.ids[1:] == [this, aside]
    assert await happens.fates(other) == [{"fate": "ignored"}]


@pytest.mark.parametrize("rerouted_first", [True, False])
async def test_a_run_that_comes_to_listen_later_gets_what_was_told_before_once(
    pool: Pool,
    publish: Publish,
    router: MakeRouter,
    happens: Happens,
    *,
    rerouted_first: bool,
) -> None:
    """Two runs of one customer: the second learns of the van when the first was told already."""
    await publish(PARCEL)
    town = Town()
    first = await under_way(pool, router, happens, town, "c_anna", VAN[1])
    await happens("Ordered", "c_anna", order="2")
    await router(town).drain()
    second = town.runs[-1]
    await admit(pool, second)
    late = await happens("Van Delayed", subject=VAN)
    if not rerouted_first:
        await router(town).drain()
    after = await happens("Asked", "c_anna")
    if not rerouted_first:
        await router(town).drain()

    await listen(pool, second, VAN)
    await router(town).drain()
    await listen(pool, second, VAN)
    await router(town).drain()

    for run in (first, second):
        assert sorted(run.ids[-2:]) == sorted([late, after])
        assert not run.missed
        assert not run.repeated


async def listen(pool: Pool, run: TownRun, subject: tuple[str, str]) -> None:
    """What the record of a run does when the run begins to listen."""
    async with pool.connection() as connection:
        await connection.execute(
            "insert into listening select %s, %s, entry, customer, workflow_id from runs"
            " where first_run_id = %s on conflict do nothing",
            [*subject, run.first_run_id],
        )
        await route_subjects_again(
            connection,
            customer=run.start.customer,
            run=run.workflow_id,
            subjects={subject[0]: (subject[1],)},
            since=LONG_AGO,
        )
