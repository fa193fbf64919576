"""Yesterday's backup of one of the two databases beside today's other: what is sent again, and what is listed.

Both are copied while the installation is down, as a backup of files is.
"""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from contracts.evidence import Outside
from contracts.names import SIGNAL_TOUCHPOINT
from insight.invariants import Broken, check
from insight.told_runs import open_workflows, told_runs
from journey.publication import read_definition
from stores.definitions import DefinitionStore
from stores.evidence import EvidenceStore
from tests.faults.counted_mails import by_key
from tests.faults.killed_shop import PROCESSES
from tests.faults.mail_sink import MailSink
from tests.faults.opened_history import opening_client
from tests.faults.shop import MESSAGES, SETTINGS, Shop, event, known, open_shop
from tests.listened_events import listened_events
from workers.embedded.stack import Ports, Stack

Which = Literal["ours", "temporal"]
FILES: dict[Which, str] = {"ours": "postgres/data", "temporal": "temporal"}
PATIENCE_SECONDS = 600.0

JOURNEY = """
language: 1
journey: drill
title: drill
owner: tests
enter: {on: Drill Began, again: never}
stages:
  - stage: only
    steps:
      - send: {message: confirmed, purpose: service}
      - wait: {any: [{on: Went On, do: [{go: on}]}], until: 1d}
      - go: on
  - stage: "on"
    steps:
      - wait: {until: 3s}
      - send: {message: thanks, purpose: service}
      - finish: done
"""


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What the invariants listed, and what the relay took before and after.

    `lived_again`: runs that did once more what they had done today; `served`: customers who came after it.
    """

    drift: Broken
    sent_before: int
    sent_after: int
    sent_again: Sequence[str]
    lived_again: int
    served: int

    def figures(self) -> dict[str, object]:
        return {
            "mails_before": self.sent_before,
            "mails_after": self.sent_after,
            "sent_again": len(self.sent_again),
            "runs_lived_again": self.lived_again,
            "drift_listed": len(self.drift.stuck) + len(self.drift.lost),
            "new_customers_served": self.served,
        }


class Drill:
    """One installation in a folder, started and ended as often as it takes."""

    def __init__(self, state: Path, customers: int) -> None:
        self.state, self.customers = state, customers

    async def restore(self, which: Which) -> Restored:
        """Yesterday, half the customers were told; today the others are. Then one database is yesterday's."""
        half = self.customers // 2
        async with MailSink(self.state / "taken.jsonl") as sink:
            async with self._stack(sink) as stack, open_shop(stack.addresses) as shop:
                await self._publish(shop)
                await self._begin(shop, sink, 1, self.customers, mails=self.customers)
                await self._go_on(shop, sink, 1, half, mails=self.customers + half)
            kept = self._back_up(which)
            mails = 2 * self.customers
            async with self._stack(sink) as stack, open_shop(stack.addresses) as shop:
                await self._go_on(shop, sink, half + 1, self.customers, mails=mails)
                today = range(self.customers + 1, self.customers + half + 1)
                await self._begin(shop, sink, today[0], today[-1], mails=mails + half)
            self._put_back(which, kept)
            before = sink.counts().total()
            async with self._stack(sink) as stack, open_shop(stack.addresses) as shop:
                drift = await self._drift(stack, shop, sink)
                again = await self._live_again(stack, shop) if which == "temporal" else 0
                return await self._after(shop, sink, drift, before, again)

    async def _live_again(self, stack: Stack, shop: Shop) -> int:
        """Runs that ended today are yesterday's once more, and are told what they were told: by hand, since our
        records have them as finished."""
        client = await opening_client(stack, shop.pool)
        waiting = await open_workflows(client)
        for workflow_id in waiting:
            told = {
                "message_id": f"{workflow_id}/by-hand",
                "event": "Went On",
                "timestamp": datetime.now(UTC).isoformat(),
            }
            await client.get_workflow_handle(workflow_id).signal(SIGNAL_TOUCHPOINT, told)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await open_workflows(client):
                await asyncio.sleep(0.5)
        return len(waiting)

    async def _after(
        self, shop: Shop, sink: MailSink, drift: Broken, before: int, again: int
    ) -> Restored:
        """Whoever sends touchpoints sends today's once more, and under new names; and new customers come."""
        half = self.customers // 2
        for name in ("", "/again"):
            for n in range(half + 1, self.customers + half + 1):
                await shop.tell([known(n), event(n, "Went On", f"d{n}/on{name}", {})])
        await self._quiet(shop)
        people = range(self.customers + half + 1, self.customers + 2 * half + 1)
        mails = sink.counts().total() + len(people)
        await self._begin(shop, sink, people[0], people[-1], mails=mails)
        await self._quiet(shop)
        counts = sink.counts()
        reached = {each.to for each in sink.taken}
        return Restored(
            drift=drift,
            sent_before=before,
            sent_after=counts.total(),
            sent_again=[each for each, times in counts.items() if times > 1],
            lived_again=again,
            served=len(reached & {f"{n}@example.com" for n in people}),
        )

    def _stack(self, sink: MailSink) -> Stack:
        return Stack(
            self.state / "installation",
            say=lambda words: print(f"  {words}", flush=True),
            ports=Ports.free(),
            processes=dict.fromkeys(PROCESSES, 1),
            settings={**SETTINGS, "CLEW_SMTP_URL": sink.url},
        )

    async def _publish(self, shop: Shop) -> None:
        await DefinitionStore(shop.pool).publish(read_definition(JOURNEY, "drill.yaml", MESSAGES))

    async def _begin(
        self, shop: Shop, sink: MailSink, first: int, last: int, *, mails: int
    ) -> None:
        for n in range(first, last + 1):
            await shop.tell([known(n), event(n, "Drill Began", f"d{n}/began", {})])
        await self._mailed(sink, mails)

    async def _go_on(
        self, shop: Shop, sink: MailSink, first: int, last: int, *, mails: int
    ) -> None:
        for n in range(first, last + 1):
            await shop.tell([event(n, "Went On", f"d{n}/on", {})])
        await self._mailed(sink, mails)
        await self._quiet(shop)

    async def _mailed(self, sink: MailSink, mails: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while sink.counts().total() < mails:
                await asyncio.sleep(0.1)

    async def _quiet(self, shop: Shop) -> None:
        """Until nothing is on its way, in either of the two."""
        busy = (
            "select (select count(*) from outbox)"
            " + (select count(*) from deliveries where state in ('intended', 'deferred')) as busy"
        )
        quiet = 0
        async with asyncio.timeout(PATIENCE_SECONDS):
            while quiet < 8:
                async with shop.pool.connection() as connection:
                    row = await (await connection.execute(busy)).fetchone()
                quiet = quiet + 1 if row is not None and row["busy"] == 0 else 0
                await asyncio.sleep(0.5)

    def _back_up(self, which: Which) -> Path:
        kept = self.state / "backup"
        shutil.copytree(self.state / "installation" / FILES[which], kept, symlinks=True)
        _same_owners(self.state / "installation" / FILES[which], kept)
        return kept

    def _put_back(self, which: Which, kept: Path) -> None:
        place = self.state / "installation" / FILES[which]
        shutil.rmtree(place)
        kept.rename(place)

    async def _drift(self, stack: Stack, shop: Shop, sink: MailSink) -> Broken:
        """What the invariants say of two databases of different days."""
        await self._quiet(shop)
        seen = await EvidenceStore(shop.pool).seen()
        client = await opening_client(stack, shop.pool)
        outside = Outside(
            acknowledged=tuple(shop.acknowledged),
            mails=by_key(seen.deliveries, sink.counts()),
            events=await listened_events(DefinitionStore(shop.pool), seen),
            open_workflows=frozenset(await open_workflows(client)),
            ended_meanwhile=frozenset(),
        )
        told = await told_runs(client, seen.runs)
        return check(seen, told, outside, run_now=datetime.now(UTC), late=timedelta(seconds=60))


def _same_owners(source: Path, copy: Path) -> None:
    """The server refuses files of another user."""
    for each in (source, *source.rglob("*")):
        stat = each.lstat()
        shutil.chown(copy / each.relative_to(source), stat.st_uid, stat.st_gid)
