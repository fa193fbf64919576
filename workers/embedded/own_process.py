"""One of our own processes as a child of the stack: started, watched by its sign of life, ended."""

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from workers.embedded.child_process import ChildProcess, spawn

START_SECONDS = 90
STOP_SECONDS = 25
LOG_BYTES = 20_000_000


LATER = ("journey", "delivery")
"""Kinds that work through what came in: what comes in is answered first, and is safe then."""

CLONE = Path(__file__).resolve().parents[2]


def code_of(clone: Path) -> dict[str, str]:
    """The environment that makes a child run the code of this checkout, whichever one is installed."""
    others = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    return {"PYTHONPATH": os.pathsep.join([str(clone), *others])}


class OwnProcess:
    """`python -m workers KIND`, with settings of its own in the environment.

    `clone`: the checkout whose code it runs, where that is not the one of its parent.
    """

    def __init__(
        self,
        kind: str,
        logs: Path,
        name: str,
        settings: Mapping[str, str],
        *,
        clone: Path = CLONE,
    ) -> None:
        self.log = logs / f"{name}.log"
        self._kind = kind
        self._ready = logs / f"{name}.ready"
        self._settings = {**settings, **code_of(clone), "CLEW_READY_FILE": str(self._ready)}
        self._child: ChildProcess | None = None

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._child.pid if self._child is not None and self._child.running else None

    @property
    def silent_seconds(self) -> float:
        """For how long it has shown no sign of life since it began to work."""
        try:
            return max(0.0, time.time() - self._ready.stat().st_mtime)
        except OSError:
            return 0.0

    async def start(self) -> None:
        """Start it and wait until it works.

        Raises:
            EmbeddedServerError: it ended, or did not come up; the message holds its last words.
        """
        if self.pid is not None:
            return
        self._ready.unlink(missing_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        self._child = await spawn(
            [sys.executable, "-P", "-m", "workers", self._kind],
            log=self.log,
            when_parent_dies=signal.SIGTERM,
            environment={**os.environ, **self._settings},
            gives_way=self._kind in LATER,
        )
        await self._child.until_ready(self._ready, START_SECONDS)

    async def stop(self) -> None:
        """End it in order: what is under way is finished first."""
        if self._child is not None:
            await self._child.stop(signal.SIGTERM, STOP_SECONDS)

    async def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        if self._child is not None:
            await self._child.kill()
