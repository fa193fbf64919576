"""A backtest from its recording to its figures, with its progress."""

import asyncio
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cli.backtest_sources import Source, read_customers
from cli.output import WRONG_USE, CommandError
from contracts.made_records import BacktestRecordsError, MadeCase
from insight.backtest import last_entry, shares
from insight.backtest_customers import BacktestStoppedError, Bounds
from insight.backtest_figures import Figures
from insight.backtest_whole import Circumstances, play_recording
from insight.backtest_world import StaffRules
from insight.recorded_touchpoints import Recorded, Unread
from insight.sorted_recording import SortedRecording
from journey.publication import Publishable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from stores.backtest_runs import OpenBacktestRuns

MOST_UNREAD = 20
"""As many lines that cannot be read are told in words."""

TELL_EVERY = 2_000
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True, frozen=True, kw_only=True)
class Wish:
    """What was asked for on the command line."""

    journey: Publishable
    source: Source
    traits: Path | None
    first_day: date | None
    last_day: date | None
    customers: int | None
    staff: StaffRules
    examples: int
    processes: int
    into: str | None
    add: bool


@dataclass(slots=True, kw_only=True)
class Done:
    """What came of it. `unread`: the first lines that could not be read, of `wrong` in all."""

    figures: Figures
    begins: datetime
    ends: datetime
    together: str | None
    wrong: int = 0
    left_out: int = 0
    unread: list[Unread] = field(default_factory=list[Unread])


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def carry_out(wish: Wish) -> Done:
    """Carry it out, showing how far it came. Raises: `CommandError`."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with tempfile.TemporaryDirectory(prefix="clew-backtest-") as folder, progress:
        recording = SortedRecording(Path(folder), wish.journey.program.definition.enter.on)
        done = _read(wish, recording, progress)
        bounds = Bounds(
            begins=done.begins,
            ends=done.ends,
            examples=wish.examples,
            highest_lot=recording.highest_lot,
        )
        try:
            done.figures = _play(wish, recording, bounds, progress)
        except (BacktestStoppedError, BacktestRecordsError) as error:
            raise CommandError(str(error)) from None
    return done


def _read(wish: Wish, recording: SortedRecording, progress: "Progress") -> Done:
    """Take the recording in, sorted."""
    done = Done(
        figures=Figures(),
        begins=NEVER,
        ends=NEVER,
        together=shares(wish.journey.program),
    )
    if wish.traits is not None:
        for known in read_customers(wish.traits):
            if isinstance(known, Unread):
                _cannot_read(done, known)
            else:
                recording.know(known)
    task = progress.add_task(f"Reading {wish.source.name}", total=None)
    wanted = _between(wish)
    for number, recorded in enumerate(wish.source.read(), start=1):
        if isinstance(recorded, Unread):
            _cannot_read(done, recorded)
        elif wanted(recorded):
            recording.take(recorded)
        else:
            done.left_out += 1
        if number % TELL_EVERY == 0:
            progress.update(task, completed=number)
    recording.close(wish.customers)
    progress.update(task, completed=recording.taken, total=recording.taken or 1)
    if recording.begins is None or recording.ends is None:
        raise CommandError(_nothing(done), WRONG_USE)
    done.begins = recording.begins
    done.ends = max(recording.ends, wish.source.ends or recording.ends)
    return done


def _cannot_read(done: Done, unread: Unread) -> None:
    done.wrong += 1
    if len(done.unread) < MOST_UNREAD:
        done.unread.append(unread)


def _nothing(done: Done) -> str:
    if done.left_out:
        return "No touchpoint is between --from and --until."
    first = f" The first: {done.unread[0]}" if done.unread else ""
    return f"There is no touchpoint to be read.{first}"


def _between(wish: Wish) -> Callable[[Recorded], bool]:
    zone = ZoneInfo(wish.journey.program.zone)
    first, last = wish.first_day, wish.last_day
    begins = datetime.combine(first, time(), zone) if first else None
    ends = datetime.combine(last + timedelta(days=1), time(), zone) if last else None

    def wanted(recorded: Recorded) -> bool:
        at = recorded.touchpoint.timestamp
        return (begins is None or at >= begins) and (ends is None or at < ends)

    return wanted


def _play(wish: Wish, recording: SortedRecording, bounds: Bounds, progress: "Progress") -> Figures:
    taker, entries = _taker(wish, recording, bounds)
    among = Circumstances(
        staff=wish.staff,
        known=wish.source.world,
        taker=taker,
        entries=entries,
        processes=wish.processes,
    )
    task = progress.add_task(f"Playing {wish.journey.journey}", total=1)
    return play_recording(wish.journey, recording, bounds, among, _Shown(progress, task))


@dataclass(slots=True, frozen=True)
class _Shown:
    """How far it came, shown on one line of the progress."""

    progress: "Progress"
    task: "TaskID"

    def goes_to(self, total: float) -> None:
        self.progress.update(self.task, total=total)

    def came_to(self, far: float) -> None:
        self.progress.update(self.task, completed=far)


def _taker(
    wish: Wish, recording: SortedRecording, bounds: Bounds
) -> "tuple[OpenBacktestRuns | None, int]":
    """Who keeps the records, and the last entry number that is taken already. Raises: `CommandError`."""
    if wish.into is None:
        return None, 0
    import psycopg
    from psycopg_pool import PoolTimeout

    from stores.backtest_room import make_room
    from stores.backtest_runs import OpenBacktestRuns

    journey = wish.journey
    try:
        numbers = asyncio.run(
            make_room(
                wish.into,
                journey,
                begins=bounds.begins,
                ends=bounds.ends,
                entries=last_entry(journey.program, recording),
                touchpoints=recording.taken,
                add=wish.add,
            )
        )
    except psycopg.errors.UndefinedTable:
        raise CommandError(
            "The database has no schema of Clew: "
            "CLEW_DATABASE_URL=… python -m deploy.prepare makes it."
        ) from None
    except (psycopg.OperationalError, psycopg.ProgrammingError, PoolTimeout) as error:
        raise CommandError(f"--into: {str(error).splitlines()[0]}") from None
    opened = OpenBacktestRuns(
        url=wish.into,
        journey=journey.journey,
        version=journey.version,
        touchpoints=numbers.touchpoints,
        shared=wish.add,
        brief=brief_of,
    )
    return opened, numbers.entries


def brief_of(case: MadeCase) -> str:
    """A case's brief in words, as staff would have read it."""
    from activities.message_text import MessageCannotRenderError
    from channels.liquid_text import LiquidText

    try:
        return LiquidText().render(case.brief, case.values, case.opened_at)
    except MessageCannotRenderError as error:
        return f"{case.brief}\n\n(This brief could not be filled in: {error})"
