"""A date in a customer's traits brings them in: once for each date, on the day that it is by then."""

import asyncio
from datetime import UTC, datetime, timedelta

from tests.integration.routing.looking import Watch

RENEWAL = '{date: customer.renews_on, offset: -30d, at: "09:00", again: always}'
BIRTHDAY = '{date: customer.born, every: year, at: "09:00", again: always}'


async def test_a_date_brings_its_customer_in_once_however_many_look(watch: Watch) -> None:
    await watch.publish("renewal", RENEWAL)
    kim = await watch.becomes("kim", renews_on="2031-05-31", zone="Europe/Prague")
    await watch.look_at(datetime(2031, 5, 1, 6, 59, tzinfo=UTC))
    assert await watch.entered("renewal") == []

    watch.now = datetime(2031, 5, 1, 7, 0, tzinfo=UTC)
    await asyncio.gather(
        *(watch.look() for _ in range(3)), *(watch.becomes("kim", pages=n) for n in range(4))
    )

    assert await watch.entered("renewal") == [(kim, "2031-05-31")]


async def test_who_renews_for_another_year_is_asked_again_before_that_one_ends(
    watch: Watch,
) -> None:
    await watch.publish("renewal", RENEWAL)
    await watch.becomes("kim", renews_on="2031-05-31")
    await watch.look_at(datetime(2031, 5, 2, tzinfo=UTC))

    await watch.becomes("kim", renews_on="2032-05-31")
    await watch.look_at(datetime(2031, 5, 31, tzinfo=UTC))
    assert await watch.occasions("renewal") == ["2031-05-31"]

    await watch.look_at(datetime(2032, 5, 1, 9, 0, tzinfo=UTC))
    assert await watch.occasions("renewal") == ["2031-05-31", "2032-05-31"]


async def test_a_date_that_was_put_off_before_it_came_is_not_kept(watch: Watch) -> None:
    await watch.publish("renewal", RENEWAL)
    await watch.becomes("kim", renews_on="2031-05-31")
    await watch.look_at(datetime(2031, 4, 30, tzinfo=UTC))
    await watch.becomes("kim", renews_on="2031-06-30")

    await watch.look_at(datetime(2031, 5, 31, 8, 59, tzinfo=UTC))
    assert await watch.occasions("renewal") == []

    await watch.look_at(datetime(2031, 5, 31, 9, 0, tzinfo=UTC))
    assert await watch.occasions("renewal") == ["2031-06-30"]


async def test_a_date_that_came_while_nobody_looked_is_not_lost(watch: Watch) -> None:
    await watch.publish("renewal", RENEWAL)
    await watch.becomes("kim", renews_on="2031-05-31")

    await watch.look_at(datetime(2031, 5, 20, tzinfo=UTC))

    assert await watch.occasions("renewal") == ["2031-05-31"]


async def test_nobody_is_congratulated_in_summer_on_a_birthday_in_spring(watch: Watch) -> None:
    """They told us of it late: their profile was looked at before, without the date."""
    await watch.publish("birthday", BIRTHDAY)
    await watch.becomes("kim", tier="gold")
    watch.now = datetime(2031, 7, 1, tzinfo=UTC)

    await watch.becomes("kim", born="1990-04-02")
    await watch.look()
    assert await watch.occasions("birthday") == []

    await watch.look_at(datetime(2032, 4, 2, 9, 0, tzinfo=UTC))
    assert await watch.occasions("birthday") == ["2032-04-02"]


async def test_who_was_born_on_29_february_has_their_day_each_year_once(watch: Watch) -> None:
    """On 28 February where there is no 29th."""
    await watch.publish("birthday", BIRTHDAY)
    await watch.becomes("lea", born="1996-02-29", zone="Pacific/Auckland")
    day = datetime(2031, 2, 26, 20, 30, tzinfo=UTC)
    seen: list[tuple[str, int]] = []
    for year in (2031, 2032, 2033):
        for ahead in range(5):
            await watch.look_at(day.replace(year=year) + timedelta(days=ahead))
            seen += [(each, ahead) for each in (await watch.occasions("birthday"))[len(seen) :]]

    # 09:00 in Auckland is 20:00 UTC of the day before: the 27th is ahead by one, the 28th by two.
    assert seen == [("2031-02-28", 1), ("2032-02-29", 2), ("2033-02-28", 1)]


async def test_what_came_while_a_journey_was_not_live_is_not_made_up_for(watch: Watch) -> None:
    await watch.publish("birthday", BIRTHDAY)
    await watch.becomes("kim", born="1990-04-02")
    await watch.becomes("lea", born="1990-06-01")
    await watch.retire("birthday")
    await watch.look_at(datetime(2031, 5, 1, tzinfo=UTC))

    await watch.publish("birthday", BIRTHDAY)
    await watch.look()
    assert await watch.occasions("birthday") == []

    await watch.look_at(datetime(2031, 6, 1, 9, 0, tzinfo=UTC))
    await watch.look_at(datetime(2032, 4, 2, 9, 0, tzinfo=UTC))
    assert await watch.occasions("birthday") == ["2031-06-01", "2032-04-02"]


async def test_another_offset_moves_those_who_have_not_come_yet(watch: Watch) -> None:
    await watch.publish("renewal", RENEWAL)
    await watch.becomes("kim", renews_on="2031-05-31")
    await watch.publish("renewal", RENEWAL.replace("-30d", "-7d"))
    await watch.look()

    await watch.look_at(datetime(2031, 5, 24, 8, 59, tzinfo=UTC))
    assert await watch.occasions("renewal") == []

    await watch.look_at(datetime(2031, 5, 24, 9, 0, tzinfo=UTC))
    assert await watch.occasions("renewal") == ["2031-05-31"]
