"""A shop on a whole installation with nobody killing it: for whoever floods it or cuts its lines."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from journey.publication import read_definition
from stores.definitions import DefinitionStore
from tests.faults.killed_shop import PROCESSES, KilledShop, Outcome, Wish
from tests.faults.mail_sink import MailSink
from tests.faults.shop import MESSAGES, SETTINGS, Shop, open_shop
from workers.embedded.stack import Ports, Stack

UNTIL_QUIET_SECONDS = 600.0


@dataclass(slots=True)
class QuietShop:
    """The installation, its shop, and the relay that it sends to."""

    stack: Stack
    shop: Shop
    sink: MailSink
    judging: KilledShop

    async def publish(self, name: str, source: str) -> None:
        """One more journey."""
        await DefinitionStore(self.shop.pool).publish(
            read_definition(source, f"{name}.yaml", MESSAGES)
        )

    async def outcome(self, began: float) -> Outcome:
        """Everything held against everything, once nothing is under way any more."""
        await self.judging.settle()
        return await self.judging.judge(began)


@asynccontextmanager
async def quiet_shop(
    state: Path,
    *,
    copies: int = 1,
    settings: Mapping[str, str] | None = None,
    histories: int | None = None,
) -> AsyncGenerator[QuietShop]:
    """An installation with one shop, or so many copies of each process.

    `histories`: in the end those of so many runs are read; None: of all.
    """
    async with MailSink(state / "taken.jsonl") as sink:
        stack = Stack(
            state,
            say=lambda words: print(f"  {words}", flush=True),
            ports=Ports.free(),
            processes=dict.fromkeys(PROCESSES, copies),
            settings={**SETTINGS, "CLEW_SMTP_URL": sink.url, **(settings or {})},
        )
        async with stack, open_shop(stack.addresses) as shop:
            yield QuietShop(stack, shop, sink, judging(state, stack, shop, sink, histories))


def judging(
    state: Path, stack: Stack, shop: Shop, sink: MailSink, histories: int | None = None
) -> KilledShop:
    """Who counts, with nothing of its own to do."""
    marks = state / "marks"
    marks.mkdir(parents=True, exist_ok=True)
    nothing = Wish(
        orders=0,
        per_second=1,
        kills=0,
        seed=0,
        settle_seconds=UNTIL_QUIET_SECONDS,
        histories=histories,
    )
    return KilledShop(nothing, stack, shop, sink, marks)
