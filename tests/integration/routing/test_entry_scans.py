"""Everybody is looked at, page by page: nobody twice and nobody missed, whatever ends the scanner."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.routing.looking import PAGE, Killed, Watch

CROWD = 2 * PAGE + 7
NOT_ASKED = 5
READERS = "{audience: 'customer.reads == true', existing: true}"
WEEKLY = (
    "{schedule: 'FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0;BYSECOND=0',"
    " audience: 'customer.reads == true && customer.number > 5', again: always}"
)
MONDAY = datetime(2031, 1, 20, 9, 0, tzinfo=UTC)
LISTENERS = CROWD - NOT_ASKED


async def crowd_with_schedule(watch: Watch) -> None:
    """The schedule is known, and its next occurrence has come."""
    await watch.crowd(CROWD, reads=True)
    await watch.publish("weekly", WEEKLY)
    await watch.look()
    watch.now = MONDAY


async def each_entered_once(watch: Watch, journey: str, count: int) -> None:
    entered = Counter(customer for customer, _ in await watch.entered(journey))
    assert (len(entered), set(entered.values())) == (count, {1})


async def test_a_scan_goes_on_where_it_was_when_the_scanner_was_killed(watch: Watch) -> None:
    await watch.crowd(CROWD, reads=True)
    await watch.publish("readers", READERS)

    assert await watch.scanner().round(), "one page, and there is more"
    with pytest.raises(Killed):
        await watch.scanner(watch.killed_after(PAGE)).round()
    assert len(await watch.entered("readers")) == PAGE, "half a page is none"
    await watch.look()

    await each_entered_once(watch, "readers", CROWD)


async def test_an_occurrence_goes_on_where_it_was_when_the_scanner_was_killed(
    watch: Watch,
) -> None:
    await crowd_with_schedule(watch)

    assert await watch.scanner().round(), "one page, and there is more"
    with pytest.raises(Killed):
        await watch.scanner(watch.killed_after(PAGE)).round()
    assert len(await watch.entered("weekly")) == PAGE - NOT_ASKED
    await watch.look()

    await each_entered_once(watch, "weekly", LISTENERS)
    assert set(await watch.occasions("weekly")) == {MONDAY.isoformat()}


async def test_each_occurrence_brings_each_of_the_audience_in_once(watch: Watch) -> None:
    await crowd_with_schedule(watch)
    for week in range(2):
        await watch.look_at(MONDAY + timedelta(days=7 * week, hours=1))
        await watch.look_at(MONDAY + timedelta(days=7 * week + 3))

    seen = Counter(await watch.occasions("weekly"))
    following = MONDAY + timedelta(days=7)
    assert seen == {MONDAY.isoformat(): LISTENERS, following.isoformat(): LISTENERS}


async def test_two_scanners_and_the_routers_look_at_once(watch: Watch) -> None:
    await watch.crowd(CROWD, reads=True)
    await crowd_of_changing(watch)
    await watch.publish("readers", READERS)
    await watch.publish("weekly", WEEKLY)
    await watch.look_at(MONDAY - timedelta(hours=1))
    await watch.rows("update entry_scans set version = null, after = null returning 1")
    watch.now = MONDAY

    await asyncio.gather(
        *(watch.look() for _ in range(3)),
        *(watch.becomes(f"changing-{number}", reads=True) for number in range(10)),
    )
    await watch.look()

    await each_entered_once(watch, "readers", CROWD + 10)
    await each_entered_once(watch, "weekly", LISTENERS)


async def crowd_of_changing(watch: Watch) -> None:
    for number in range(10):
        await watch.known(f"changing-{number}", reads=False)


async def test_a_version_that_comes_in_the_middle_of_a_scan_is_looked_at_for_everybody(
    watch: Watch,
) -> None:
    await watch.crowd(CROWD, reads=False)
    former = await watch.program(await watch.publish("readers", READERS))
    assert await watch.looks().scan(former)

    wider = "{audience: 'customer.reads == true || customer.number > 0', existing: true}"
    await watch.publish("readers", wider)
    assert not await watch.looks().scan(former), "a scanner that does not know of it yet"
    await watch.look()

    await each_entered_once(watch, "readers", CROWD)


async def test_a_version_that_comes_in_the_middle_of_an_occurrence_takes_nobody_out_of_it(
    watch: Watch,
) -> None:
    await crowd_with_schedule(watch)
    assert await watch.scanner().round()

    await watch.publish("weekly", WEEKLY, title="The same with another title")
    await watch.look()

    await each_entered_once(watch, "weekly", LISTENERS)
    await watch.look_at(MONDAY + timedelta(days=7))
    assert len(await watch.entered("weekly")) == 2 * LISTENERS


async def test_an_occurrence_that_came_while_the_journey_was_not_live_brings_nobody_in(
    watch: Watch,
) -> None:
    await watch.crowd(NOT_ASKED + 5, reads=True)
    await watch.publish("weekly", WEEKLY)
    await watch.look()
    await watch.retire("weekly")
    await watch.look_at(MONDAY + timedelta(days=2))

    await watch.publish("weekly", WEEKLY)
    await watch.look()
    assert await watch.entered("weekly") == []

    await watch.look_at(MONDAY + timedelta(days=7))
    assert len(await watch.entered("weekly")) == 5


async def test_a_look_that_had_to_wait_sees_what_the_customer_is_by_then(watch: Watch) -> None:
    version = await watch.publish("readers", READERS)
    mia = await watch.becomes("mia", reads=True)
    assert await watch.entered("readers") == [(mia, "1")]

    async with watch.pool.connection() as another:
        await another.execute("select 1 from entry_looks where customer = %s for update", [mia])
        program = await watch.program(version)
        looking = asyncio.create_task(watch.looks().look(mia, program))
        await watch.somebody_waits()
        await watch.known("mia", reads=False)
    await looking

    assert await watch.entered("readers", "$left_audience") == [(mia, "1")]
