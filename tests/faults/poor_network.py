"""A shop whose lines to PostgreSQL, Temporal and the relay are spoilt, one after another, and what is then counted."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2 as httpx

from stores.database import dump_json
from tests.faults.killed_shop import PROCESSES, KilledShop, Outcome
from tests.faults.mail_sink import MailSink
from tests.faults.quiet_shop import judging
from tests.faults.shop import SETTINGS, Shop, event, known, open_shop
from tests.faults.socket_door import socket_door
from tests.faults.toxiproxy import Toxic, Toxiproxy, toxics, toxiproxy
from workers.embedded.postgres_server import PostgresServer
from workers.embedded.stack import Addresses, Ports, Stack

LINES = ("database", "temporal", "relay")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Each of `kinds` on each of `lines` for `seconds`, under orders at `per_second`.

    `slow`: seconds by which a slow line delays. `rests`: seconds in which all work between one and the next.
    `together`: each kind on all lines at once.
    """

    per_second: float
    seconds: float
    slow: float
    seed: int
    rounds: int = 1
    rests: float = 1.0
    lines: Sequence[str] = LINES
    kinds: Sequence[str] = tuple(toxics())
    together: bool = False

    def plan(self) -> list[tuple[str, tuple[str, ...]]]:
        """What is done to which lines, in an order by chance."""
        lines = [tuple(self.lines)] if self.together else [(line,) for line in self.lines]
        planned = [(kind, on) for kind in self.kinds for on in lines] * self.rounds
        random.Random(self.seed).shuffle(planned)
        return planned


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What was counted. Seconds are told and judge nothing."""

    outcome: Outcome
    done: Counter[str]
    answers: Counter[int]
    dishonest: Sequence[str]
    accepted_again: Sequence[float]

    def figures(self) -> dict[str, object]:
        told = {
            name: value
            for name, value in self.outcome.figures().items()
            if not name.startswith(("kill", "next_send"))
        }
        asked = self.answers.total()
        return {
            "spoilt": self.done.total(),
            "ways": dict(self.done),
            "answers": {str(status): times for status, times in sorted(self.answers.items())},
            "refused_share": round(1 - self.answers[200] / asked, 3) if asked else 0,
            "refused_without_retry_after": len(self.dishonest),
            "accepts_again_max_seconds": round(max(self.accepted_again, default=0.0), 1),
            **told,
        }

    @property
    def holds(self) -> bool:
        """Nothing lost, nothing twice, and each refusal an honest one."""
        return self.outcome.holds and not self.dishonest


@dataclass
class PoorNetwork:
    """One shop with its lines, while they are spoilt."""

    wish: Wish
    lines: Toxiproxy
    shop: Shop
    judging: KilledShop
    answers: Counter[int] = field(default_factory=Counter[int])
    dishonest: list[str] = field(default_factory=list[str])
    accepted_again: list[float] = field(default_factory=list[float])
    done: Counter[str] = field(default_factory=Counter[str])

    async def play(self) -> None:
        """Orders for as long as lines are spoilt, and a little longer."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._order(stop))
            await self._spoil()
            stop.set()

    async def _spoil(self) -> None:
        kinds: Mapping[str, Toxic] = toxics(self.wish.slow)
        for kind, lines in self.wish.plan():
            print(f"  {kind} on {', '.join(lines)}", flush=True)
            for line in lines:
                await self.lines.spoil(line, kinds[kind])
                self.done[f"{line} {kind}"] += 1
            await asyncio.sleep(self.wish.seconds)
            for line in lines:
                await self.lines.heal(line)
            await self._accepts(time.monotonic())

    async def _accepts(self, healed: float) -> None:
        """Until ingest accepts again, without anybody's doing."""
        here = len(self.accepted_again)
        await self._tell([known(10_000_000 + here)])
        self.accepted_again.append(time.monotonic() - healed)
        await asyncio.sleep(self.wish.rests)

    async def _order(self, stop: asyncio.Event) -> None:
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for n in range(1, 1_000_000):
                if stop.is_set():
                    return
                order = {"order": f"o{n}"}
                told = [known(n), event(n, "Order Placed", f"o{n}/placed", order)]
                group.create_task(self._tell(told))
                await asyncio.sleep(max(0.0, began + n / self.wish.per_second - time.monotonic()))

    async def _tell(self, messages: Sequence[dict[str, Any]]) -> None:
        """Until it is acknowledged; each answer is judged."""
        addresses = self.shop.addresses
        while True:
            with suppress(httpx.TransportError):
                answer = await self.shop.http.post(
                    f"{addresses.api}/v1/batch",
                    content=dump_json({"batch": list(messages)}),
                    auth=(addresses.write_key, ""),
                    headers={"Content-Type": "application/json"},
                )
                self.answers[answer.status_code] += 1
                if answer.status_code == 200:
                    self.shop.acknowledged += [each["messageId"] for each in messages]
                    return
                if answer.status_code not in (429, 503) or "Retry-After" not in answer.headers:
                    self.dishonest.append(f"{answer.status_code}: {answer.text[:300]}")
            await asyncio.sleep(0.25)


async def cut(wish: Wish, state: Path) -> Cut:
    """Spoil what is wished, let it settle, and count."""
    began = time.monotonic()
    async with poor_network(wish, state) as here:
        await here.play()
        await here.judging.settle()
        return Cut(
            outcome=await here.judging.judge(began),
            done=here.done,
            answers=here.answers,
            dishonest=here.dishonest,
            accepted_again=here.accepted_again,
        )


@asynccontextmanager
async def poor_network(wish: Wish, state: Path) -> AsyncGenerator[PoorNetwork]:
    """An installation whose own processes reach everything by lines that can be spoilt."""
    async with MailSink(state / "taken.jsonl") as sink, toxiproxy(state) as lines:
        stack = Stack(
            state,
            say=lambda words: print(f"  {words}", flush=True),
            ports=Ports.free(),
            processes={},
            settings=SETTINGS,
        )
        async with stack, socket_door(_socket(state)) as door:
            settings = await _settings(lines, stack.addresses, door, sink)
            await asyncio.gather(*(stack.add(kind, settings=settings) for kind in PROCESSES))
            async with open_shop(stack.addresses) as shop:
                yield PoorNetwork(wish, lines, shop, judging(state, stack, shop, sink))


async def _settings(
    lines: Toxiproxy, addresses: Addresses, door: int, sink: MailSink
) -> dict[str, str]:
    """Where the processes find everything: behind the lines."""
    database = await lines.line("database", f"127.0.0.1:{door}")
    temporal = await lines.line("temporal", addresses.temporal_address)
    relay = await lines.line("relay", f"127.0.0.1:{sink.port}")
    # The server is ours and has no certificate: whether there is one is not asked over a line that is cut.
    ask = "sslmode=disable&gssencmode=disable"
    return {
        "CLEW_DATABASE_URL": f"postgresql://postgres@127.0.0.1:{database}/{quote('clew')}?{ask}",
        "TEMPORAL_ADDRESS": f"127.0.0.1:{temporal}",
        "CLEW_SMTP_URL": f"smtp://127.0.0.1:{relay}",
        "CLEW_SMTP_TIMEOUT_SECONDS": "5",
    }


def _socket(state: Path) -> Path:
    return PostgresServer(state / "postgres").socket_folder / ".s.PGSQL.5432"
