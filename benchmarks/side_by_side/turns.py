"""The turns of the contenders: each from an empty folder to the end of all its processes."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.side_by_side.contender import Contender, NotHereError
from benchmarks.side_by_side.contenders import CONTENDERS
from benchmarks.side_by_side.parts import PARTS, Turn
from benchmarks.side_by_side.results import Results, load_average
from benchmarks.side_by_side.scenario import Scenario
from benchmarks.side_by_side.sitting import Sitting
from benchmarks.side_by_side.sizes import Names, Sizes

START = "start"
WORDS = 300


class Turns:
    """Lets each contender have its turns, and keeps what was found after each."""

    def __init__(
        self,
        results: Results,
        sizes: Sizes,
        sitting: Sitting,
        into: Path,
        *,
        keep: bool,
        contenders: Mapping[str, Callable[[Scenario], Contender]] = CONTENDERS,
    ) -> None:
        self._contenders = contenders
        self._results = results
        self._sizes = sizes
        self._sitting = sitting
        self._into = into
        self._keep = keep

    async def all(self, turns: list[tuple[int, str, list[str]]]) -> None:
        """Each turn (round, contender, parts), the page written after each part."""
        for n, (number, name, parts) in enumerate(turns):
            if self._sitting.turn([turn[1:] for turn in turns[n:]]):
                _say(f"round {number}: {name}")
                await self._one(name, parts, f"{name}-{number}-")
            else:
                for part in parts:
                    self._results.left_out(name, part)
            self._results.write(self._into)

    async def _one(self, name: str, parts: list[str], prefix: str) -> None:
        contender = self._contenders[name](self._sizes.scenario)
        folder = Path(tempfile.mkdtemp(prefix=f"clew-bench-{name}-"))
        whole = False
        try:
            await contender.start(folder)
            self._results.about(name, contender)
            turn = Turn(contender, contender.meter(), Names(prefix), self._sizes)
            whole = all([await self._part(turn, part) for part in parts])
        except NotHereError as missing:
            self._failed(name, START, f"not run here: {missing}")
        except Exception as error:
            self._failed(name, START, f"{type(error).__name__}: {error}")
        finally:
            await contender.stop()
            if self._keep or not whole:
                _say(f"   logs in {folder}")
            else:
                shutil.rmtree(folder, ignore_errors=True)

    async def _part(self, turn: Turn, part: str) -> bool:
        """One part; where it fails there is a hole in the table, and the page says why."""
        name = turn.contender.name
        if why := turn.contender.without.get(part):
            self._results.without(name, part, why)
            return True
        if not self._sitting.has_time_for(name, part):
            self._results.left_out(name, part)
            return True
        began, load = time.monotonic(), load_average()
        try:
            async with asyncio.timeout(self._sitting.patience(part)):
                figures = await PARTS[part].measure(turn)
        except Exception as error:
            said = str(error) or f"broken off after {time.monotonic() - began:.0f} s"
            self._failed(name, part, f"{type(error).__name__}: {said}")
            return False
        took = time.monotonic() - began
        self._sitting.took(name, part, took)
        self._results.add(name, part, figures, load)
        self._results.write(self._into)
        _say(f"   {name}: {part} took {took:.0f} s (load {load})")
        return True

    def _failed(self, name: str, part: str, why: str) -> None:
        _say(f"   {name}: {part} came to nothing: {why[:WORDS]}")
        self._results.failed(name, part, why[:WORDS])


def _say(what: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {what}", flush=True)
