"""Several routers at once: every run sees each number once, in order, and misses nothing."""

import asyncio
import random
from collections import Counter, defaultdict
from contextlib import suppress
from datetime import timedelta

from routing.router import Router
from stores.database import Pool
from tests.integration.routing.conftest import PARCEL, Happens, MakeRouter, Publish
from tests.integration.routing.town import Town, TownRun, admit, now_and_then

CUSTOMERS = [f"c_{number}" for number in range(150)]
VANS = [f"van-{number}" for number in range(12)]
PER_CUSTOMER = 14
PER_VAN = 25
ENTERS_AT = 2

QUICK = timedelta(milliseconds=20)


class Story:
    """What happens: customers order, ask and get their parcels; vans are late. Told by chance."""

    def __init__(self, pool: Pool, happens: Happens, town: Town, seed: int) -> None:
        self.pool, self.happens, self.town = pool, happens, town
        self.dice = random.Random(seed)
        self.van_of = {name: self.dice.choice(VANS) for name in CUSTOMERS}
        self.own: dict[str, list[str]] = defaultdict(list)

    async def unfold(self) -> None:
        """Tell all of it, while a clerk admits the runs that begin."""
        clerk = asyncio.create_task(self._clerk())
        await asyncio.gather(*map(self._customer, CUSTOMERS), *map(self._van, VANS))
        while await self._unsettled():
            assert not clerk.done(), await clerk
            await asyncio.sleep(0.05)
        clerk.cancel()
        with suppress(asyncio.CancelledError):
            await clerk

    async def _customer(self, customer: str) -> None:
        for number in range(PER_CUSTOMER):
            chosen = self.dice.choice(["Asked", "Delivered", "Yawned"])
            event = "Ordered" if number == ENTERS_AT else chosen
            name = f"{customer}-{number}"
            if event != "Yawned" and number >= ENTERS_AT:
                self.own[customer].append(name)
            await self.happens(event, customer, message_id=name, order="1")
            await asyncio.sleep(self.dice.random() * 0.2)

    async def _van(self, van: str) -> None:
        for number in range(PER_VAN):
            await self.happens("Van Delayed", message_id=f"{van}-{number}", subject=("van", van))
            await asyncio.sleep(self.dice.random() * 0.1)

    async def _clerk(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(self._admit(await self.town.begun.get()))

    async def _admit(self, run: TownRun) -> None:
        await asyncio.sleep(self.dice.random() * 0.2)
        await admit(self.pool, run, {"van": (self.van_of[run.start.customer],)})

    async def _unsettled(self) -> bool:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                "select (select count(*) from outbox) as pending,"
                " (select count(*) from runs where state = 'open') as admitted"
            )
            row = await cursor.fetchone()
        assert row is not None
        return row["pending"] > 0 or row["admitted"] < len(CUSTOMERS)

    async def expected_of_vans(self, run: TownRun) -> list[str]:
        """What was told of the run's van since the touchpoint it entered by."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                """
                select message_id from touchpoints
                 where subject_id = %s and received_at >= (
                    select received_at from message_ids where message_id = %s)
                """,
                [self.van_of[run.start.customer], run.told[0]["message_id"]],
            )
            return [row["message_id"] for row in await cursor.fetchall()]

    async def check(self) -> None:
        """Every promise of the router, for every run."""
        assert Counter(run.start.customer for run in self.town.runs) == Counter(CUSTOMERS)
        for run in self.town.runs:
            customer = run.start.customer
            assert run.missed == set()
            assert run.repeated == []
            assert [one for one in run.ids if one.startswith("c_")] == self.own[customer]
            assert set(await self.expected_of_vans(run)) <= set(run.ids)
            assert all(one in run.ids for one in self.own[customer])
            by_number = {(told["number"], told["message_id"]) for told in run.since_entry}
            assert len(by_number) == len(run.applied), "a number always means the same touchpoint"


async def test_four_routers_tell_every_run_everything_once_in_order(
    pool: Pool, publish: Publish, router: MakeRouter, happens: Happens
) -> None:
    await publish(PARCEL)
    town = Town()
    story = Story(pool, happens, town, seed=1)
    stop = asyncio.Event()
    routers = [asyncio.create_task(router(town, poll=QUICK).run(stop)) for _ in range(4)]

    await story.unfold()
    stop.set()
    await asyncio.gather(*routers)

    await story.check()
    for run in town.runs:
        assert [told["number"] for told in run.told] == run.numbers, "nothing was told twice"


async def test_routers_that_die_and_runs_that_are_away_lose_nothing_and_keep_the_order(
    pool: Pool, publish: Publish, router: MakeRouter, happens: Happens
) -> None:
    """What was told under a lease that ran out is told again, under the same number."""
    await publish(PARCEL)
    town = Town(now_and_then(0.03, seed=2))
    story = Story(pool, happens, town, seed=3)
    stop = asyncio.Event()

    def begin() -> asyncio.Task[None]:
        made: Router = router(
            town,
            poll=QUICK,
            lease=timedelta(seconds=0.6),
            first_rest=QUICK,
            longest_rest=QUICK * 5,
            farewell=timedelta(0),
        )
        return asyncio.create_task(made.run(stop))

    async def kill_one_after_another() -> None:
        dice = random.Random(4)
        while True:
            await asyncio.sleep(0.3)
            victim = dice.randrange(len(routers))
            routers[victim].cancel()
            routers[victim] = begin()

    routers = [begin() for _ in range(4)]
    killer = asyncio.create_task(kill_one_after_another())
    await story.unfold()
    killer.cancel()
    stop.set()
    await asyncio.gather(*routers, killer, return_exceptions=True)

    await story.check()
