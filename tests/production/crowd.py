"""Customers who enter at a steady rate and are written to twice, and the evidence of what they got."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from activities.message_channel import RenderedMessage
from contracts.evidence import Outside
from insight.invariants import Broken, check
from insight.told_runs import open_workflows, told_runs
from stores.definitions import DefinitionStore
from stores.evidence import EvidenceStore
from tests.integration.conftest import Stack
from tests.listened_events import listened_events

LATE = timedelta(seconds=15)

JOURNEY = """
enter: {on: Began %s, again: never}
stages:
  - stage: only
    steps:
      - wait: {until: 2s}
      - send: {message: first-%s, via: [email], purpose: service}
      - wait: {until: 2s}
      - send: {message: second-%s, via: [email], purpose: service}
      - finish: told
"""


@dataclass
class Crowd:
    """`many` customers of a journey of their own, `rate` a second."""

    stack: Stack
    name: str
    many: int
    rate: float
    said: list[str] = field(default_factory=list[str])
    sent: list[float] = field(default_factory=list[float])
    """When messages left, on the monotonic clock."""

    async def publish(self) -> None:
        name = self.name
        await self.stack.write(
            f"crowd-{name}", JOURNEY % (name, name, name), f"first-{name}", f"second-{name}"
        )
        for n in range(self.many):
            await self.stack.know(f"{name}-{n}", email=f"{name}-{n}@example.com")

    async def enter(self) -> None:
        """All of them, one after another."""
        watching = asyncio.create_task(self._watch())
        try:
            for n in range(self.many):
                message = await self.stack.tell(f"Began {self.name}", customer=f"{self.name}-{n}")
                self.said.append(message)
                await asyncio.sleep(1 / self.rate)
            await self.stack.until(self._all_told, seconds=90)
        finally:
            watching.cancel()

    @property
    def mails(self) -> list[RenderedMessage]:
        """What its customers got."""
        return [mail for mail in self.stack.mails if mail.subject.endswith(f"-{self.name}")]

    def next_send_after(self, moment: float) -> float:
        """Seconds from a moment until a message left again."""
        return min(each for each in self.sent if each > moment) - moment

    def longest_silence(self, after: float) -> float:
        """The longest that no message left, from a moment on."""
        times = [after, *(each for each in self.sent if each > after)]
        return max(later - earlier for earlier, later in pairwise(times))

    async def judge(self) -> Broken:
        """Everything held against everything, once it is quiet."""
        stack = self.stack
        seen = await EvidenceStore(stack.pool).seen()
        return check(
            seen,
            await told_runs(stack.client, seen.runs),
            Outside(
                acknowledged=tuple(self.said),
                mails=Counter(mail.key for mail in stack.mails),
                events=await listened_events(DefinitionStore(stack.pool), seen),
                open_workflows=frozenset(await open_workflows(stack.client)),
            ),
            run_now=datetime.now(UTC),
            late=LATE,
        )

    async def _all_told(self) -> bool:
        ended = await self.stack.runs(f"crowd-{self.name}", state="finished", most=self.many + 1)
        return len(ended) == self.many

    async def _watch(self) -> None:
        while True:
            self.sent += [time.monotonic()] * (len(self.mails) - len(self.sent))
            await asyncio.sleep(0.02)
