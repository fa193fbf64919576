"""Which member of the installation is killed when: seeded, so that a bad day can be played again."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from workers.embedded.stack import Stack

KINDS = ("journey", "delivery", "router", "api", "temporal", "postgres")
BACK_WITHIN_SECONDS = 120.0


@dataclass(frozen=True)
class Kill:
    """One kill, so many seconds after the day began."""

    after_seconds: float
    kind: str


def plan(seed: int, kills: int, first: float, last: float) -> list[Kill]:
    """Every kind at least once, the rest by chance; one somewhere in each equal part of the time."""
    chance = random.Random(seed)
    kinds = [*KINDS, *(chance.choice(KINDS) for _ in range(kills - len(KINDS)))][:kills]
    chance.shuffle(kinds)
    part = (last - first) / kills
    return [
        Kill(first + part * (place + chance.random()), kind) for place, kind in enumerate(kinds)
    ]


@dataclass
class Killer:
    """Kills by process id, as nobody asked for; the stack's supervisor is not told."""

    stack: Stack
    done: Counter[str] = field(default_factory=Counter[str])

    async def work(self, planned: Sequence[Kill], began: float) -> None:
        for kill in planned:
            await asyncio.sleep(max(0.0, began + kill.after_seconds - time.monotonic()))
            os.kill(await self._pid(kill.kind), signal.SIGKILL)
            self.done[kill.kind] += 1
            print(f"  killed {kill.kind} after {time.monotonic() - began:.1f} s", flush=True)

    async def _pid(self, kind: str) -> int:
        """Of a member that an earlier kill took: once it is back."""
        async with asyncio.timeout(BACK_WITHIN_SECONDS):
            while (pid := self.stack.pids[kind]) is None:
                await asyncio.sleep(0.05)
        return pid
