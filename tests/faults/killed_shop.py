"""A shop while its installation is killed, and what is then counted: by the invariants, and by the relay's ledger."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from temporalio.client import Client
from temporalio.service import RPCError

from benchmarks.production.stack import ProductionStack
from contracts.evidence import Outside, SeenRun
from insight.invariants import check
from insight.told_runs import open_workflows, told_runs
from stores.definitions import DefinitionStore
from stores.evidence import EvidenceStore
from stores.journey_figures import JourneyFiguresStore
from tests.faults.counted_mails import by_key, message_ids
from tests.faults.kills import How, Kill, Killer, plan
from tests.faults.mail_sink import MailSink, Way
from tests.faults.opened_history import opening_client
from tests.faults.shop import SETTINGS, Away, Shop, open_shop
from tests.faults.shop_outcome import Outcome, silences
from tests.listened_events import listened_events
from workers.embedded.stack import Stack
from workers.embedded.supervisor import FIRST_REST_SECONDS

PROCESSES = ("journey", "delivery", "router", "api")
LATE = timedelta(seconds=60)
FIRST_MAILS: tuple[Sequence[Way], ...] = (["stall"], ["busy"], [], ["drop"])


@dataclass(frozen=True, kw_only=True)
class Wish:
    """`orders` at `per_second`, and `parcels` beside them one after another in `lanes`.

    `kinds` are killed in the `hows`, `kills` times in all. `points`: fault points, as
    CLEW_FAULT_POINTS has them, of which the marks are in the folder `marks` of the state.
    `servers`: so many of Temporal's production servers, else its development server.
    `histories`: of so many runs, drawn by the seed, the history is read; None: of all.
    """

    orders: int
    per_second: float
    kills: int
    seed: int
    kinds: Sequence[str] = PROCESSES
    hows: Sequence[How] = ("kill",)
    parcels: int = 0
    lanes: int = 4
    points: Sequence[str] = ()
    times: int = 1
    copies: int = 1
    stalls: float = 30.0
    settle_seconds: float = 120.0
    points_within: float = 1_500.0
    smtp_timeout: float = 10.0
    servers: int = 0
    histories: int | None = None


async def run(wish: Wish, state: Path) -> Outcome:
    """Open the shop, do to it what is wished, let it settle, and count."""
    began = time.monotonic()
    marks = state / "marks"
    marks.mkdir(parents=True)
    async with MailSink(state / "taken.jsonl") as sink:
        settings = {**SETTINGS, "CLEW_SMTP_URL": sink.url}
        settings["CLEW_SMTP_TIMEOUT_SECONDS"] = str(wish.smtp_timeout)
        if wish.points:
            settings["CLEW_FAULT_POINTS"] = ",".join(wish.points)
            settings["CLEW_FAULT_MARKS"] = str(marks)
        stack = _stack(wish, state, settings)
        async with stack, open_shop(stack.addresses) as shop:
            killed = KilledShop(wish, stack, shop, sink, marks)
            await killed.play()
            await killed.settle()
            return await killed.judge(began)


def _stack(wish: Wish, state: Path, settings: Mapping[str, str]) -> Stack:
    processes: dict[str, int] = dict.fromkeys(PROCESSES, wish.copies)
    if wish.servers:
        return ProductionStack(
            state, servers=wish.servers, say=_say, processes=processes, settings=settings
        )
    return Stack(state, say=_say, processes=processes, settings=settings)


def _say(words: str) -> None:
    print(f"  {words}", flush=True)


@dataclass
class KilledShop:
    """One shop under way: orders, parcels and the killer, side by side."""

    wish: Wish
    stack: Stack
    shop: Shop
    sink: MailSink
    marks: Path
    _struck: list[tuple[float, Kill]] = field(default_factory=list[tuple[float, Kill]])
    _parcels: int = 0

    async def play(self) -> None:
        """Until all was ordered, and all was killed that is to be."""
        wish = self.wish
        lasts = wish.orders / wish.per_second
        killer = Killer(self.stack, wish.stalls, struck=self._struck)
        faults = (
            plan(wish.seed, wish.kills, lasts * 0.05, lasts, kinds=wish.kinds, hows=wish.hows)
            if wish.kills
            else []
        )
        resting = asyncio.create_task(self._keep_rests_short())
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.shop.orders(1, wish.orders, wish.per_second))
                group.create_task(killer.work(faults, time.monotonic()))
                for lane in range(wish.lanes if wish.parcels else 0):
                    group.create_task(self._lane(lane))
        finally:
            resting.cancel()

    async def _lane(self, lane: int) -> None:
        """Parcels one after another, until there were enough and every point was killed as often as wished."""
        first, begins = 1_000_000 * (lane + 1), time.monotonic()
        for n in range(first, first + 100_000):
            enough = self._parcels >= self.wish.parcels
            if enough and (
                self._all_marked() or time.monotonic() - begins > self.wish.points_within
            ):
                return
            self._parcels += 1
            # The first mail to each of them meets what a relay may do; so every way out is gone.
            self.sink.script(f"{n}@example.com", FIRST_MAILS[n % 4])
            await self.shop.parcel(n)

    def _all_marked(self) -> bool:
        return sum(self.counted_marks().values()) >= len(self.wish.points) * self.wish.times

    def counted_marks(self) -> Counter[str]:
        """How often each fault point was struck."""
        return Counter(each.name.rpartition(".")[0] for each in self.marks.iterdir())

    async def _keep_rests_short(self) -> None:
        """Who is killed again and again by us is no broken program that is better left alone."""
        while True:
            for watched in self.stack._supervisor.watched.values():
                watched.rest = FIRST_REST_SECONDS
            await asyncio.sleep(0.2)

    async def settle(self) -> None:
        """Until nothing is under way any more, or for so long: what is then left is told."""
        await self.stack.until_whole()
        client = await opening_client(self.stack, self.shop.pool)
        quiet = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(self.wish.settle_seconds):
                while quiet < 2:
                    await asyncio.sleep(0.5)
                    with suppress(*Away, RPCError):
                        quiet = quiet + 1 if await self._quiet(client) else 0

    async def _quiet(self, client: Client) -> bool:
        async with self.shop.pool.connection() as connection:
            cursor = await connection.execute(
                "select exists (select from outbox) or exists (select from runs where state = 'open')"
                " or exists (select from deliveries where state in ('intended', 'deferred')) as busy"
            )
            row = await cursor.fetchone()
        return (
            self.stack.whole
            and row is not None
            and not row["busy"]
            and not await open_workflows(client)
        )

    async def judge(self, began: float) -> Outcome:
        """Count everything, while the installation still runs."""
        pool = self.shop.pool
        seen = await EvidenceStore(pool).seen()
        client = await opening_client(self.stack, self.shop.pool)
        asked = self._asked(seen.runs)
        told = await told_runs(client, asked)
        counts = self.sink.counts()
        keys = message_ids(seen.deliveries, counts)
        copies = Counter({keys.get(each, each): times for each, times in counts.items()})
        outside = Outside(
            acknowledged=tuple(self.shop.acknowledged),
            mails=by_key(seen.deliveries, counts),
            events=await listened_events(DefinitionStore(pool), seen),
            open_workflows=frozenset(await open_workflows(client)),
            ended_meanwhile=frozenset(),
        )
        async with pool.connection() as connection:
            cursor = await connection.execute(
                "select key from deliveries where purpose = 'marketing'"
            )
            marketing = frozenset(row["key"] for row in await cursor.fetchall())
        return Outcome(
            broken=check(
                seen,
                told,
                outside,
                run_now=datetime.now(UTC),
                late=LATE,
                asked=frozenset(run.entry for run in asked),
            ),
            struck=self._struck,
            runs=len(seen.runs),
            histories=len(asked),
            parcels=self._parcels,
            touchpoints=len(self.shop.acknowledged),
            mails=counts.total(),
            copies=copies,
            marketing=marketing,
            silences=self._silences(),
            marks=self.counted_marks(),
            miscounted=len(await JourneyFiguresStore(pool).differences()),
            slowest_answer=max(self.shop.seconds_of_answers, default=0.0),
            seconds=time.monotonic() - began,
            seed=self.wish.seed,
            temporal=_temporal(self.wish),
        )

    def _asked(self, runs: Sequence[SeenRun]) -> Sequence[SeenRun]:
        most = self.wish.histories
        return (
            runs if most is None or most >= len(runs) else Random(self.wish.seed).sample(runs, most)
        )

    def _silences(self) -> dict[str, list[float]]:
        """By kind of what was killed."""
        sent = [each.at for each in self.sink.taken]
        killed = [(at, kill.kind) for at, kill in self._struck if kill.how == "kill"]
        return {
            kind: silences([at for at, other in killed if other == kind], sent)
            for kind in {kind for _, kind in killed}
        }


def _temporal(wish: Wish) -> str:
    if not wish.servers:
        return "the development server"
    return f"{wish.servers} production server{'s' if wish.servers > 1 else ''} on PostgreSQL"
