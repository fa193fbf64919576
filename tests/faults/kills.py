"""What is done to which member of an installation when: seeded, so that a bad day can be played again."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from workers.embedded.stack import Stack

KINDS = ("journey", "delivery", "router", "api", "temporal", "postgres")
BACK_WITHIN_SECONDS = 300.0

How = Literal["kill", "stop", "term"]
"""SIGKILL; SIGSTOP and after a while SIGCONT; SIGTERM."""

_SIGNALS: dict[How, int] = {
    "kill": signal.SIGKILL,
    "stop": signal.SIGSTOP,
    "term": signal.SIGTERM,
}


@dataclass(frozen=True)
class Kill:
    """One fault, so many seconds after the day began."""

    after_seconds: float
    kind: str
    how: How = "kill"


def plan(
    seed: int,
    kills: int,
    first: float,
    last: float,
    *,
    kinds: Sequence[str] = KINDS,
    hows: Sequence[How] = ("kill",),
) -> list[Kill]:
    """Every kind in every way as far as the kills go, the rest by chance; one in each equal part of the time."""
    chance = random.Random(seed)
    ways: list[tuple[str, How]] = [(kind, how) for how in hows for kind in kinds]
    faults = [*ways, *(chance.choice(ways) for _ in range(kills - len(ways)))][:kills]
    chance.shuffle(faults)
    part = (last - first) / kills
    return [
        Kill(first + part * (place + chance.random()), kind, how)
        for place, (kind, how) in enumerate(faults)
    ]


@dataclass
class Killer:
    """Acts by process id, as nobody asked for; the stack's supervisor is not told.

    `stalls`: for how many seconds a member is stopped. `struck`: when what was done, in seconds since 1970.
    """

    stack: Stack
    stalls: float = 30.0
    done: Counter[str] = field(default_factory=Counter[str])
    struck: list[tuple[float, Kill]] = field(default_factory=list[tuple[float, Kill]])

    async def work(self, planned: Sequence[Kill], began: float) -> None:
        stopped: list[asyncio.Task[None]] = []
        for kill in planned:
            await asyncio.sleep(max(0.0, began + kill.after_seconds - time.monotonic()))
            pid = await self._strike(kill)
            if kill.how == "stop":
                stopped.append(asyncio.create_task(self._go_on(pid)))
            self.struck.append((time.time(), kill))
            self.done[kill.kind] += 1
            print(f"  {kill.how} {kill.kind} after {time.monotonic() - began:.1f} s", flush=True)
        await asyncio.gather(*stopped)

    async def _strike(self, kill: Kill) -> int:
        """Send the signal, again where it went to one that had died and was not missed yet."""
        while True:
            pid = await self._pid(kill.kind)
            try:
                os.kill(pid, _SIGNALS[kill.how])
            except ProcessLookupError:
                await asyncio.sleep(0.05)
            else:
                return pid

    async def _go_on(self, pid: int) -> None:
        """After a while, one that was stopped goes on; it does not know."""
        await asyncio.sleep(self.stalls)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    async def _pid(self, kind: str) -> int:
        """Of a member that an earlier kill took: once it is back, and works. One that begins has nothing to lose."""
        watched = self.stack._supervisor.watched[kind]
        async with asyncio.timeout(BACK_WITHIN_SECONDS):
            while (pid := self.stack.pids[kind]) is None or watched.reviving:
                await asyncio.sleep(0.05)
        return pid
