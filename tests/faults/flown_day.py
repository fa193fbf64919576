"""A whole day of flights on a real installation while its members are killed, and the evidence of it."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from temporalio.client import Client
from temporalio.service import RPCError

from cli.demo.installation import Installed, installed
from cli.demo.replay import Replay, identify, track
from cli.demo.report import draw_up
from cli.demo.staff import SimulatedStaff, Unreachable
from contracts.clock import RunClock
from contracts.evidence import Outside
from examples.flight.account import Account
from examples.flight.day import Day
from examples.flight.departures import departures
from examples.flight.passengers import generate
from insight.invariants import Broken, check
from insight.told_runs import open_workflows, told_runs
from stores.definitions import DefinitionStore
from stores.evidence import EvidenceStore
from tests.faults.counted_mails import by_key, message_ids
from tests.faults.kills import Killer, plan
from tests.faults.opened_history import opening_client
from tests.listened_events import listened_events
from workers.embedded.stack import Stack

JOURNEY = "flight"
FIRST = {"journey": 1, "delivery": 1, "api": 1, "mailbox": 1}
"""The router comes last: it is told the clock, which begins when all else is up."""

BEGINS_IN = timedelta(seconds=3)
NIGHT = timedelta(hours=5)
"""The end of the day, in which little happens: it is not waited for."""

KILLS_UNTIL = 0.95
"""Share of the day after which little is left for a kill to harm."""

OVERDUE = timedelta(seconds=30)
"""Wall time by which an alarm may be overdue on a busy machine before its run counts as stuck."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    passengers: int
    kills: int
    seed: int
    factor: float
    settle_seconds: float
    day: date = date(2013, 2, 8)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was counted, and what of it must not be."""

    account: Account
    broken: Broken
    kills: Counter[str]
    touchpoints: int
    mails: int
    seconds: float
    factor: float

    def figures(self) -> dict[str, object]:
        """One line of JSON; seconds are told and judge nothing."""
        broken = self.broken
        return {
            "passengers": self.account.passengers,
            "kills": self.kills.total(),
            "killed": dict(sorted(self.kills.items())),
            "touchpoints": self.touchpoints,
            "lost": len(broken.lost),
            "twice": len(broken.twice),
            "mails": self.mails,
            "mailed_twice": len(broken.mailed_twice),
            "unmailed": len(broken.unmailed),
            "unknown": len(broken.unknown),
            "runs": self.account.finished + self.account.travelling + self.account.with_staff,
            "finished": self.account.finished,
            "travelling": self.account.travelling,
            "with_staff": self.account.with_staff,
            "stuck": len(broken.stuck),
            "left": len(broken.left),
            "balances": self.account.balance(),
            "speed": self.factor,
            "seconds": round(self.seconds, 1),
        }

    def words(self) -> str:
        figures = self.figures()
        killed = ", ".join(f"{kind} {times}" for kind, times in sorted(self.kills.items()))
        return (
            f"{figures['kills']} kills ({killed}) in {figures['seconds']} s: "
            f"{figures['touchpoints']} touchpoints, lost {figures['lost']}, applied twice "
            f"{figures['twice']}; {figures['mails']} mails, twice {figures['mailed_twice']}, "
            f"unknown {figures['unknown']}; {figures['runs']} runs of {figures['passengers']} "
            f"passengers, stuck {figures['stuck']}."
        )


async def fly(wish: Wish, state: Path) -> Outcome:
    """Play the day, kill as planned, let it settle, and count."""
    began = time.monotonic()
    flights = departures(wish.day)
    day = Day(flights, generate(flights, wish.passengers))
    stack = Stack(state, say=lambda words: print(f"  {words}", flush=True), processes=FIRST)
    async with stack, installed(stack.addresses) as here:
        epoch = datetime.now(UTC) + BEGINS_IN
        clock = RunClock(wall_epoch=epoch, run_epoch=day.begins, factor=wish.factor)
        await stack.add("router", clock=clock)
        flying = Flying(day, clock, stack, here)
        await flying.play(wish)
        await flying.settle(wish.settle_seconds)
        return await flying.judge(began)


class Flying:
    """One day under way: replay, simulated staff and the killer, side by side."""

    def __init__(self, day: Day, clock: RunClock, stack: Stack, here: Installed) -> None:
        self._day, self._clock, self._stack, self._here = day, clock, stack, here
        self._replay = Replay(clock, stack.addresses.api, stack.addresses.write_key)
        self._killer = Killer(stack)
        self._users: dict[str, str] = {}
        self._pnrs = {passenger.pnr: user for user, passenger in day.passengers.items()}
        staff = (day, here.cases, here.figures, self._replay, self._users.get)
        self._staff = SimulatedStaff(*staff, watched=False)

    async def play(self, wish: Wish) -> None:
        for passenger in self._day.passengers.values():
            self._replay.add([(self._day.begins, identify(passenger, self._day.begins))])
        self._replay.add((each.at, track(each)) for each in self._day.stream())
        until = self._day.ends - NIGHT
        lasts = (until - self._day.begins).total_seconds() / wish.factor
        planned = plan(wish.seed, wish.kills, lasts * 0.03, lasts * KILLS_UNTIL)
        beside = [asyncio.create_task(self._staff.work()), asyncio.create_task(self._know_users())]
        killing = asyncio.create_task(self._killer.work(planned, time.monotonic()))
        playing = asyncio.create_task(self._replay.play(until))
        try:
            pending = {killing, playing}
            while pending:
                done, pending = await asyncio.wait(
                    {*pending, *beside}, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    task.result()  # whoever failed ends the day
                pending -= set(beside)
        finally:
            await _end([*beside, killing, playing])

    async def _know_users(self) -> None:
        """Who a customer of the database is in the day: staff decide by their name."""
        while True:
            with suppress(*Unreachable):
                for person in (await self._here.figures.standing(JOURNEY)).people:
                    user = self._pnrs.get(person.key or "")
                    if user is not None:
                        self._users[person.customer] = user
            await asyncio.sleep(2)

    async def settle(self, seconds: float) -> None:
        """Until nothing is under way any more, or for so long: what is then left is told."""
        quiet = 0
        await self._stack.until_whole()
        client = await opening_client(self._stack, self._here.pool)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while quiet < 3:
                    await asyncio.sleep(1)
                    with suppress(*Unreachable, RPCError):
                        quiet = quiet + 1 if await self._quiet(client) else 0

    async def _quiet(self, client: Client) -> bool:
        standing = await self._here.figures.standing(JOURNEY)
        intended = any(each.state == "intended" for each in standing.deliveries)
        now, wakes_at = self._clock.now(datetime.now(UTC)), standing.wakes_at
        overdue = wakes_at is not None and self._clock.wall_duration(now - wakes_at) > timedelta(
            seconds=2
        )
        if not self._stack.whole or intended or overdue or standing.unrouted_seconds:
            return False
        under_way = sum(person.state == "open" for person in standing.people)
        return len(await open_workflows(client)) == under_way

    async def judge(self, began: float) -> Outcome:
        """Count everything, while the installation still runs."""
        here = self._here
        await self._stack.until_whole()
        store = EvidenceStore(here.pool)
        acknowledged, before = tuple(self._replay.acknowledged), here.mails.counts()
        seen = await store.seen()
        known = message_ids(seen.deliveries, before)
        client = await opening_client(self._stack, self._here.pool)
        told = await told_runs(client, seen.runs)
        under_way = await open_workflows(client)
        open_still = {run.entry for run in (await store.seen()).runs if run.open}
        counts = here.mails.counts()
        # A mail that leaves while one looks has its row later than the rows were read.
        counts = Counter({each: n for each, n in counts.items() if each in known or each in before})
        outside = Outside(
            acknowledged=acknowledged,
            mails=by_key(seen.deliveries, counts),
            events=await listened_events(DefinitionStore(here.pool), seen),
            open_workflows=frozenset(under_way),
            ended_meanwhile=frozenset(
                run.entry for run in seen.runs if run.open and run.entry not in open_still
            ),
        )
        late = OVERDUE * self._clock.factor
        seconds = time.monotonic() - began
        return Outcome(
            account=await draw_up(self._day, here.figures, len(acknowledged), seconds),
            broken=check(seen, told, outside, run_now=self._clock.now(seen.at), late=late),
            kills=self._killer.done,
            touchpoints=len(acknowledged),
            mails=counts.total(),
            seconds=seconds,
            factor=self._clock.factor,
        )


async def _end(tasks: Sequence["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
