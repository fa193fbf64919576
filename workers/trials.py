"""Tries one thing at a time for each member, in a process that is killed when its time is over."""

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from insight.tried import TRIED, MonthOrder, MonthTried, NotTried, StoriesOrder, StoriesTried

SECONDS = 60
AT_ONCE = 2
"""So many members try at the same time; each takes a core and up to 1 GB."""

_CLONE = Path(__file__).resolve().parents[1]
_LARGEST_ANSWER = 16_000_000


class Trials:
    """Where the pages of mission control have something tried. `seconds`: as long as one may take."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._trying: set[str] = set()

    async def try_(
        self, member: str, order: MonthOrder | StoriesOrder
    ) -> MonthTried | StoriesTried | NotTried:
        """Have it tried; nothing else waits meanwhile."""
        if member in self._trying:
            return NotTried(
                why=f"You are trying something already; it ends within {self._seconds:g} s."
            )
        if len(self._trying) >= AT_ONCE:
            return NotTried(
                why=f"{AT_ONCE} others are trying something; try again in {self._seconds:g} s."
            )
        self._trying.add(member)
        try:
            return await self._tried(order)
        finally:
            self._trying.discard(member)

    async def _tried(
        self, order: MonthOrder | StoriesOrder
    ) -> MonthTried | StoriesTried | NotTried:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "workers.trying",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=_surroundings(),
        )
        try:
            async with asyncio.timeout(self._seconds):
                answer, _ = await process.communicate(order.model_dump_json().encode())
        except TimeoutError:
            return NotTried(
                why=f"It was not done in {self._seconds:g} s, and was ended: "
                "clew backtest and clew test take as long as it takes."
            )
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return _read(answer, process.returncode)


def _read(answer: bytes, code: int | None) -> MonthTried | StoriesTried | NotTried:
    if code == 0 and len(answer) <= _LARGEST_ANSWER:
        with suppress(ValidationError):
            return TRIED.validate_json(answer)
    return NotTried(
        why="It broke off: it wanted more than it may have, or something is wrong with Clew. "
        "clew backtest and clew test say more."
    )


def _surroundings() -> dict[str, str]:
    """Ours, and where our own modules are."""
    paths = filter(None, (str(_CLONE), os.environ.get("PYTHONPATH", "")))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
