"""The inbox on a real database that is away, or goes away, when the script says so."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from activities.message_channel import (
    ProviderBusyError,
    ProviderRefusedError,
    RenderedMessage,
    UnknownOutcomeError,
)
from channels.inbox import InboxChannel
from channels.recording import (
    Busy,
    RefuseForGood,
    ScriptedAnswer,
    StallAfterAccept,
    StallBeforeAccept,
)
from channels.unsubscribe_link import UnsubscribeLinks
from stores.database import Pool, open_pool
from stores.inbox_messages import InboxStore


@dataclass
class InboxByScript:
    """Passes everything to the store, except where the script has another answer."""

    pool: Pool
    store: InboxStore
    scripts: dict[str, list[ScriptedAnswer]] = field(default_factory=lambda: defaultdict(list))
    taken: dict[str, str] = field(default_factory=dict)

    def channel(self, links: UnsubscribeLinks) -> InboxChannel:
        return InboxChannel(self, links)

    def script(self, address: str, answers: Sequence[ScriptedAnswer]) -> None:
        self.scripts[address] = list(answers)

    @property
    def subjects(self) -> list[str]:
        """What the store really holds is looked at in `put`: a repeated id is one message."""
        return list(self.taken.values())

    async def put(self, message: RenderedMessage, unsubscribe: str | None) -> str:
        script = self.scripts[message.address]
        match script.pop(0) if script else None:
            case RefuseForGood():
                raise ProviderRefusedError("there is no such customer", reason="unreachable")
            case Busy(words=words):
                raise ProviderBusyError(words)
            case StallAfterAccept():
                await self._take(message, unsubscribe)
                raise UnknownOutcomeError("the database went away")
            case StallBeforeAccept():
                raise UnknownOutcomeError("the database went away")
            case _:
                return await self._take(message, unsubscribe)

    async def _take(self, message: RenderedMessage, unsubscribe: str | None) -> str:
        one = await self.store.put(message, unsubscribe)
        self.taken[one] = message.subject
        return one

    async def id_of(self, key: str) -> str | None:
        return await self.store.id_of(key)


@asynccontextmanager
async def inbox(database: str) -> AsyncGenerator[InboxByScript]:
    """An empty inbox of two customers."""
    pool = await open_pool(database, most=8)
    async with pool.connection() as connection:
        await connection.execute("truncate inbox_messages, customers restart identity cascade")
        await connection.execute("insert into customers (customer) values ('c_anna'), ('c_ben')")
    yield InboxByScript(pool, InboxStore(pool, lambda: datetime.now(UTC)))
    await pool.close()
