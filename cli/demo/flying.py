"""The day while it flies on the real installation: replay, staff, eyes and scenes, side by side."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from time import monotonic

from cli.demo.acts import Acts, Playing
from cli.demo.follow import Follow
from cli.demo.installation import Installed
from cli.demo.lateness import Lateness
from cli.demo.pace import Pace
from cli.demo.replay import Replay, identify, track
from cli.demo.scene import DayBoard, counters, local, people, reasons
from cli.demo.staff import SimulatedStaff, Unreachable
from cli.demo.terminal import Terminal
from cli.demo.verdict import Verdict, judge
from cli.demo.watch import JOURNEY, Watcher, wall_now
from console.flight_picture import Phase, Scene, ShownReport, Stage
from contracts.clock import RunClock
from examples.flight.day import Day
from workers.embedded.stack import Stack

EACH_SECONDS = 0.4
LOOK_SHARE = 4.0
"""Looking takes at most one part in five of the time, however many passengers there are."""

RECOUNT_SECONDS = 2.0
STILL_SECONDS = 20.0
LONGEST_GRACE_SECONDS = 600.0
QUIET_LOOKS = 3
CAUGHT_UP_SECONDS = 1.0


class Flying:
    """Plays one day. `lateness` has one sample for each look."""

    def __init__(
        self,
        day: Day,
        clock: RunClock,
        pace: Pace,
        stack: Stack,
        here: Installed,
        stage: Stage,
        acts: Acts,
        terminal: Terminal,
        *,
        watched: bool,
    ) -> None:
        self.lateness = Lateness()
        self.late = {name: Lateness() for name in ("sending", "routing", "alarms")}
        self.replay = Replay(clock, stack.addresses.api, stack.addresses.write_key)
        self.watcher = Watcher(
            day, clock, stack.addresses, here.figures, here.runs, here.cases, here.mails
        )
        self.board = DayBoard(day)
        self._staff = SimulatedStaff(
            day, here.cases, here.figures, self.replay, self.watcher.user_of, watched=watched
        )
        self._day, self._clock, self._pace, self._stack = day, clock, pace, stack
        self._here, self._stage, self._acts, self._terminal = here, stage, acts, terminal
        self._follow = Follow(day.featured)

    async def play(self) -> None:
        """Play until the day is over and what it left has settled."""
        self._stage.play(self.board.poster("temporal", self._here.control))
        for passenger in self._day.passengers.values():
            self.replay.add([(self._day.begins, identify(passenger, self._day.begins))])
        self.replay.add((each.at, track(each)) for each in self._day.stream())
        self._acts.playing = Playing(
            stack=self._stack,
            staff=self._staff,
            judge=self.judge,
            caught_up=lambda: self._behind() < CAUGHT_UP_SECONDS,
            run_now=self._now,
        )
        beside = asyncio.gather(self._look(), self._show(), self._staff.work())
        playing = asyncio.ensure_future(self._to_the_end())
        try:
            await asyncio.wait({beside, playing}, return_when=asyncio.FIRST_COMPLETED)
            await (playing if playing.done() else beside)
        finally:
            for task in (beside, playing):
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task

    def close(self, shown: ShownReport) -> None:
        """The last scene: how it all ended."""
        words = (
            "The day is over. What ran here has been stopped; the report says how to look again."
        )
        self._stage.show(replace(self.scene("over", words), report=shown))

    @property
    def factor(self) -> float:
        """How many times faster than the wall the day is played."""
        return self._pace.factor

    @property
    def kills(self) -> int:
        """How often everything was killed."""
        return self._acts.outage.number if self._acts.outage else 0

    async def judge(self) -> Verdict:
        """What was lost, what came twice, what nobody can tell: counted now."""
        return await judge(self._here.figures, JOURNEY, self.replay.acknowledged, self._here.mails)

    def scene(self, phase: Phase, words: str) -> Scene:
        """How everything stands."""
        now = self._now()
        flights, watcher = self.board.flights(now), self.watcher
        return Scene(
            phase=phase,
            words=words,
            clock=local(now),
            minutes=self.board.minutes(now),
            factor=self._pace.factor,
            late_p50=self.lateness.recent(0.5),
            late_p99=self.lateness.recent(0.99),
            flights=flights,
            people=people(self._day, watcher.standing),
            counters=counters(flights, watcher.standing),
            reasons=reasons(watcher.standing.deliveries),
            mails=watcher.latest_mails(),
            followed=self._follow.tell(
                watcher.story, run_url=watcher.run_url, mails_url=watcher.mails_url
            ),
            outage=self._acts.outage,
        )

    # -- beside one another

    async def _to_the_end(self) -> None:
        await self.replay.play(self._day.ends)
        await self._acts.settled()
        self._acts.playing = None
        await self._settled()

    async def _look(self) -> None:
        counted = monotonic()
        while True:
            begun = monotonic()
            with suppress(*Unreachable):
                await self.watcher.look()
                if begun - counted > RECOUNT_SECONDS:
                    await self._acts.recount()
                    counted = begun
            behind = self._late()
            for name, seconds in behind.items():
                self.late[name].add(seconds)
            self.lateness.add(max(behind.values()))
            await asyncio.sleep(max(EACH_SECONDS, LOOK_SHARE * (monotonic() - begun)))

    async def _show(self) -> None:
        while True:
            scene = self.scene(*self._phase())
            self._stage.show(scene)
            self._terminal.show(scene)
            await asyncio.sleep(EACH_SECONDS)

    async def _settled(self) -> None:
        """Wait for what the day's last touchpoints still bring about, while anything moves."""
        before, since, quiet = self.watcher.standing, monotonic(), 0
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_GRACE_SECONDS):
                while quiet < QUIET_LOOKS and monotonic() - since < STILL_SECONDS:
                    await asyncio.sleep(EACH_SECONDS)
                    now = self.watcher.standing
                    if (now.people, now.deliveries) != (before.people, before.deliveries):
                        before, since = now, monotonic()
                    quiet = quiet + 1 if self._nothing_under_way() else 0

    def _nothing_under_way(self) -> bool:
        deliveries = self.watcher.standing.deliveries
        under_way = any(each.state == "intended" for each in deliveries)
        return not under_way and self._behind() < CAUGHT_UP_SECONDS

    def _behind(self) -> float:
        return max(self._late().values())

    def _late(self) -> dict[str, float]:
        """By how much it is behind the clock: not sent, not routed, an alarm not rung."""
        return {
            "sending": self.replay.behind(wall_now()),
            "routing": self.watcher.standing.unrouted_seconds,
            "alarms": self.watcher.late_alarm(self._now()),
        }

    def _phase(self) -> tuple[Phase, str]:
        if self._acts.dead:
            if not self._stack.whole:
                return "dead", "Everything is dead. The supervisor starts it again."
            return "returning", "Everything is back and catches up with the day."
        to_come = (self._clock.wall_epoch - wall_now()).total_seconds()
        if to_come > 0:
            return "flying", f"The day begins in {to_come:.0f} s."
        left = self.replay.waiting
        if not left:
            return "flying", "The day is over; what is under way settles."
        return "flying", f"Flying on Temporal: {left:,} touchpoints still to come."

    def _now(self) -> datetime:
        return max(self._day.begins, self._clock.now(wall_now()))
