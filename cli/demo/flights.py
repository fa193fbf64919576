"""The demo from start to end: a real day of departures, flown on a real installation."""

import asyncio
import shutil
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from cli.demo.acts import Acts
from cli.demo.flying import Flying
from cli.demo.installation import Installed, installed
from cli.demo.left import is_demo, leave
from cli.demo.pace import Pace, costs_of, machine_carries, pace_for
from cli.demo.rehearsal import STARTING, MachineDay
from cli.demo.report import closing_line, draw_up, report
from cli.demo.site import demo_site
from cli.demo.terminal import Terminal
from cli.demo.watch import wall_now
from cli.output import CommandError
from console.flight_picture import ShownReport, Stage
from contracts.clock import RunClock
from examples.flight.day import Day
from examples.flight.departures import (
    NEW_YORK,
    FlightDataMissingError,
    NoSuchDayError,
    departures,
)
from examples.flight.passengers import generate
from workers.embedded.finding_temporal import TemporalNotFoundError, find_temporal
from workers.embedded.stack import EmbeddedServerError, Stack
from workers.embedded.stack_files import running_stack

FIRST = {"journey": 1, "delivery": 1, "mailbox": 1}
"""The router and the API come last: they are told the clock, which begins when all else is up."""

REHEARSED_AT_MOST = 300
BOTH_TAKE = timedelta(seconds=4)


@dataclass(slots=True, frozen=True, kw_only=True)
class Wish:
    """What was asked for on the command line."""

    day: date
    passengers: int
    speed: float | None
    state: Path
    page: bool
    port: int


@dataclass(slots=True, frozen=True, kw_only=True)
class Ended:
    """How it ended: the closing JSON line, the report, and whether the account balances."""

    line: dict[str, Any]
    report: ShownReport
    balances: bool


async def fly(wish: Wish, terminal: Terminal) -> Ended:
    """Fly the day. Raises: `CommandError` where the installation cannot be had."""
    began = monotonic()
    stage = Stage()
    acts = Acts(stage)
    async with AsyncExitStack() as parts:
        if wish.page:
            address = await parts.enter_async_context(demo_site(stage, acts, wish.port))
            terminal.say(f"Watch it here: {address}\n")
        rehearsed = await asyncio.to_thread(make_day, wish, REHEARSED_AT_MOST)
        try:
            async with MachineDay(rehearsed, stage, terminal.show) as machine:
                day = await asyncio.to_thread(make_day, wish)
                pace = await asyncio.to_thread(_pace, day, wish)
                terminal.say(f"{_told(day)}\n{pace.words}\n")
                await asyncio.to_thread(find_temporal, terminal.say)
                machine.words = STARTING
                _empty(wish.state)
                stack = Stack(wish.state, say=terminal.say, processes=FIRST)
                await parts.enter_async_context(stack)
                here = await parts.enter_async_context(installed(stack.addresses))
            clock = RunClock(
                wall_epoch=wall_now() + BOTH_TAKE, run_epoch=day.begins, factor=pace.factor
            )
            await asyncio.gather(stack.add("router", clock=clock), stack.add("api", clock=clock))
        except (EmbeddedServerError, TemporalNotFoundError) as error:
            raise CommandError(str(error)) from None
        flying = Flying(day, clock, pace, stack, here, stage, acts, terminal, watched=wish.page)
        try:
            await flying.play()
        finally:
            leave(wish.state, clock.now(wall_now()))
        return await _land(flying, day, here, wish, monotonic() - began)


async def _land(flying: Flying, day: Day, here: Installed, wish: Wish, seconds: float) -> Ended:
    drawn = await draw_up(day, here.figures, len(flying.replay.acknowledged), seconds)
    verdict = await flying.judge()
    shown = report(drawn, verdict, flying.lateness, wish.state, flying.watcher.workflow_id)
    flying.close(shown)
    line = closing_line(drawn, verdict, flying.lateness, flying.late, flying.factor, flying.kills)
    return Ended(line=line, report=shown, balances=drawn.balance() and verdict.lost == 0)


def make_day(wish: Wish, at_most: int | None = None) -> Day:
    """The day with its passengers: the same ones every time. Raises: `CommandError`."""
    try:
        flights = departures(wish.day)
    except (NoSuchDayError, FlightDataMissingError) as error:
        raise CommandError(str(error)) from None
    return Day(flights, generate(flights, min(wish.passengers, at_most or wish.passengers)))


def _pace(day: Day, wish: Wish) -> Pace:
    return pace_for(costs_of(day), day.ends - day.begins, machine_carries(), wish.speed)


def _told(day: Day) -> str:
    flights = day.departures
    cancelled = sum(flight.cancelled for flight in flights)
    return (
        f"{flights[0].departs.astimezone(NEW_YORK):%A %d %B %Y}: {len(flights)} real departures "
        f"from New York, {cancelled} of them cancelled, with {len(day.passengers)} generated "
        "passengers and their bags."
    )


def _empty(folder: Path) -> None:
    """Begin with an empty folder: the demo's own from last time is thrown away, no other."""
    if running_stack(folder) is not None:
        raise CommandError(f"Clew runs in {folder}. Stop it first, or choose another --state.")
    if folder.exists() and any(folder.iterdir()):
        if not is_demo(folder):
            raise CommandError(
                f"{folder} holds something that is not from a demo. Choose another --state."
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    leave(folder)
