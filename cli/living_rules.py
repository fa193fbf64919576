"""What must hold, held against an installation that lives: in portions, and twice where something does not."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from contracts.evidence import Outside, Seen, SeenRun, ToldRun
from insight.invariants import KINDS, Broken, check

if TYPE_CHECKING:
    from temporalio.client import Client

    from journey.house_policy import HousePolicy
    from stores.database import Pool

PORTION = 200
"""So many customers are looked at together."""

OVERDUE = timedelta(minutes=5)
RULES_OF = timedelta(days=7)
"""What left longer ago was judged by rules that may have been others, and in a zone that may have been another."""

REMEDIES = {
    "lost": "keep the run and its history, and tell the makers; the touchpoint may be sent again under a new id",
    "twice": "keep the run and its history, and tell the makers",
    "stuck": "clew show RUN; clew resume RUN once what it says is mended; clew sweep where the server has it not",
    "left": "ask the provider for this key: nobody here can tell whether it left",
    "improper": "clew stop everything; compare the policy with what the customer said: clew export CUSTOMER",
}

Fault = tuple[str, str]


@dataclass(slots=True, kw_only=True)
class Looked:
    """What was looked at, and what did not hold both times."""

    customers: int = 0
    runs: int = 0
    touchpoints: int = 0
    deliveries: int = 0
    histories: int = 0
    on_their_way: int = 0
    faults: list[Fault] = field(default_factory=list[Fault])


@dataclass(slots=True, kw_only=True)
class LivingRules:
    """Looks at an installation. `client` None: histories are not read, and the rules that need them are not asked."""

    pool: "Pool"
    client: "Client | None" = None
    histories: int = 50
    pause: timedelta = timedelta(seconds=5)

    async def look(self, *, newest: int | None) -> Looked:
        """The customers of the newest so many runs; None: all."""
        looked, doubtful = Looked(), list[tuple[list[str], list[Fault]]]()
        async for customers in self._portions(newest):
            if faults := await self._faults(customers, looked):
                doubtful.append((customers, faults))
        if doubtful:
            # What was under way while one looked is done by now; what is broken is as it was.
            await asyncio.sleep(self.pause.total_seconds())
        for customers, before in doubtful:
            now = await self._faults(customers, Looked(), again=True)
            looked.faults += [fault for fault in now if fault in before]
        return looked

    async def _portions(self, newest: int | None) -> AsyncIterator[list[str]]:
        from stores.evidence import EvidenceStore

        store, last = EvidenceStore(self.pool), ""
        if newest is not None:
            found = await store.newest(newest)
            for start in range(0, len(found), PORTION):
                yield found[start : start + PORTION]
            return
        while found := await store.after(last, PORTION):
            last = found[-1]
            yield found

    async def _faults(
        self, customers: Sequence[str], looked: Looked, *, again: bool = False
    ) -> list[Fault]:
        from stores.evidence import EvidenceStore

        seen, busy = await EvidenceStore(self.pool).of_customers(customers)
        open_runs = [run for run in seen.runs if run.open]
        most = PORTION if again else max(0, self.histories - looked.histories)
        asked = open_runs[-most:] if self.client is not None and most else []
        told = await self._told(asked)
        looked.customers += len(customers) - busy
        looked.on_their_way += busy
        looked.runs += len(seen.runs)
        looked.touchpoints += len(seen.touchpoints)
        looked.deliveries += len(seen.deliveries)
        looked.histories += len(told)
        broken = check(
            seen,
            told,
            await self._outside(seen),
            run_now=seen.at,
            late=OVERDUE,
            asked=frozenset(run.entry for run in asked),
        )
        return _faults(broken)

    async def _told(self, asked: Sequence[SeenRun]) -> list[ToldRun]:
        from insight.told_runs import told_runs

        if self.client is None or not asked:
            return []
        return await told_runs(self.client, asked)

    async def _outside(self, seen: Seen) -> Outside:
        from stores.evidence import EvidenceStore
        from stores.house_policy import HousePolicyStore

        policy: HousePolicy = await HousePolicyStore(self.pool).current()
        said, since = await EvidenceStore(self.pool).said(
            sorted({each.customer for each in seen.deliveries})
        )
        return Outside(
            mails=None,
            events=await self._events(seen),
            open_workflows=None,
            policy=policy,
            said=said,
            rules_since=max(since or datetime.min.replace(tzinfo=UTC), seen.at - RULES_OF),
        )

    async def _events(self, seen: Seen) -> dict[str, frozenset[str]]:
        from journey.programs import PROGRAMS
        from stores.definitions import DefinitionStore

        definitions = DefinitionStore(self.pool)
        events: dict[str, frozenset[str]] = {}
        for version in {run.version for run in seen.runs if run.version}:
            canonical = await definitions.load(version)
            if canonical is not None:
                events[version] = PROGRAMS.add(canonical).listens
        return events


def _faults(broken: Broken) -> list[Fault]:
    return [(kind, words) for kind in KINDS for words in getattr(broken, kind)]
