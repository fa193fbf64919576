"""A contender's own processes: started with a file by which they say that they work, measured and ended by pid."""

import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import psutil

from workers.embedded.child_process import ChildProcess, spawn
from workers.embedded.own_process import CLONE, code_of

START_SECONDS = 300  # also on a machine that does much else
STOP_SECONDS = 20


class Program:
    """One process of a contender. It works once the file named by CLEW_READY_FILE is there."""

    def __init__(
        self, command: Sequence[str], folder: Path, name: str, settings: Mapping[str, str]
    ) -> None:
        self._command = command
        self._log = folder / f"{name}.log"
        self._ready = folder / f"{name}.ready"
        self._settings = {**settings, **code_of(CLONE), "CLEW_READY_FILE": str(self._ready)}
        self._child: ChildProcess | None = None

    @classmethod
    def module(
        cls, words: Sequence[str], folder: Path, name: str, settings: Mapping[str, str]
    ) -> "Program":
        """`python -m WORDS`, as this process runs."""
        return cls([sys.executable, "-P", "-m", *words], folder, name, settings)

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._child.pid if self._child is not None and self._child.running else None

    async def start(self) -> None:
        """Start it and wait until it works. Raises: `EmbeddedServerError` with its last words."""
        self._ready.unlink(missing_ok=True)
        self._child = await spawn(
            self._command,
            log=self._log,
            when_parent_dies=signal.SIGKILL,
            environment={**os.environ, **self._settings},
        )
        await self._child.until_ready(self._ready, START_SECONDS)

    async def stop(self) -> None:
        """End it in order."""
        if self._child is not None:
            await self._child.stop(signal.SIGTERM, STOP_SECONDS)

    async def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        if self._child is not None:
            await self._child.kill()

    async def again(self) -> None:
        """Kill it, and start it again at once."""
        await self.kill()
        await self.start()


def cpu_seconds(pids: Iterable[int]) -> float:
    """Processor seconds that these and their living children have used."""
    used = 0.0
    for process in _family(pids):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        used += times.user + times.system
    return used


def resident_megabytes(pids: Iterable[int]) -> float:
    """Memory of these processes, without what they share with nobody's help: resident set, MB."""
    return sum(psutil.Process(pid).memory_info().rss for pid in pids) / 1e6


def _family(pids: Iterable[int]) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for pid in pids:
        try:
            process = psutil.Process(pid)
            found += [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
    return found
