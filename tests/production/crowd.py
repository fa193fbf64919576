"""Customers who enter at a steady rate and are written to twice, and the evidence of what they got."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from channels.mail import message_id
from channels.mail_store import MailStore
from contracts.evidence import Outside
from insight.invariants import Broken, check
from insight.told_runs import open_workflows, told_runs
from stores.definitions import DefinitionStore
from stores.evidence import EvidenceStore
from tests.integration.conftest import Stack
from tests.listened_events import listened_events

LATE = timedelta(seconds=15)

PATIENCE = 240
"""Seconds after which somebody who was not told counts as lost: how long it takes is told, and no promise."""

ASKED_AGAIN = 3
"""So often runs that do not answer are asked, each time for as long as an answer is waited for."""

DOMAIN = "clew.example"
"""Of the address that a stack's mails come from."""

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


class Sent(NamedTuple):
    """A message that left. `id`: its delivery key, or the Message-ID made from it."""

    address: str
    subject: str
    id: str


@dataclass
class Crowd:
    """Customers of a journey of their own, `rate` a second: `many` of them, or until `enough` is set."""

    stack: Stack
    name: str
    rate: float
    many: int = 1_000_000
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    mailbox: MailStore | None = None
    """Where real processes send to; the recorder of the stack where there is none."""
    said: list[str] = field(default_factory=list[str])
    sent: list[float] = field(default_factory=list[float])
    """When messages left, on the monotonic clock."""

    @property
    def journey(self) -> str:
        return f"crowd-{self.name}"

    async def publish(self) -> None:
        name = self.name
        words = JOURNEY % (name, name, name)
        await self.stack.write(self.journey, words, f"first-{name}", f"second-{name}")

    async def enter(self) -> None:
        """One after another; returns when every run has ended."""
        watching = asyncio.create_task(self._watch())
        try:
            while len(self.said) < self.many and not self.enough.is_set():
                customer = f"{self.name}-{len(self.said)}"
                await self.stack.know(customer, email=f"{customer}@example.com")
                self.said.append(await self.stack.tell(f"Began {self.name}", customer=customer))
                await asyncio.sleep(1 / self.rate)
            await self.stack.until(self._all_told, seconds=PATIENCE)
        finally:
            watching.cancel()

    @property
    def mails(self) -> list[Sent]:
        """What its customers got."""
        sent = (
            [Sent(mail.to, mail.subject, mail.message_id) for mail in self.mailbox.received()]
            if self.mailbox
            else [Sent(mail.address, mail.subject, mail.key) for mail in self.stack.mails]
        )
        return [mail for mail in sent if mail.subject.endswith(f"-{self.name}")]

    @property
    def twice(self) -> list[Sent]:
        """What somebody got more than once."""
        times = Counter((mail.address, mail.subject) for mail in self.mails)
        return [mail for mail in self.mails if times[mail.address, mail.subject] > 1]

    def next_send_after(self, moment: float) -> float:
        """Seconds from a moment until a message left again."""
        return min(each for each in self.sent if each > moment) - moment

    def longest_silence(self, after: float) -> float:
        """The longest that no message left, from a moment on."""
        times = [after, *(each for each in self.sent if each > after)]
        return max(later - earlier for earlier, later in pairwise(times))

    async def judge(self) -> Broken:
        """Everything held against everything, once it is quiet and every run can be asked.

        For some seconds after a server came back the others still look for its runs at its old place.
        """
        broken, asked = await self._judged(), 1
        while asked < ASKED_AGAIN and any(
            each.endswith("does not answer") for each in broken.stuck
        ):
            broken, asked = await self._judged(), asked + 1
        return broken

    async def _judged(self) -> Broken:
        stack = self.stack
        seen = await EvidenceStore(stack.pool).seen()
        keys = {message_id(each.key, DOMAIN): each.key for each in seen.deliveries}
        return check(
            seen,
            await told_runs(stack.opening or stack.client, seen.runs),
            Outside(
                acknowledged=tuple(self.said),
                mails=Counter(keys.get(mail.id, mail.id) for mail in self.mails),
                events=await listened_events(DefinitionStore(stack.pool), seen),
                open_workflows=frozenset(await open_workflows(stack.client)),
            ),
            run_now=datetime.now(UTC),
            late=LATE,
        )

    async def _all_told(self) -> bool:
        many = len(self.said)
        return len(await self.stack.runs(self.journey, state="finished", most=many + 1)) == many

    async def _watch(self) -> None:
        while True:
            self.sent += [time.monotonic()] * (len(self.mails) - len(self.sent))
            await asyncio.sleep(0.02)
