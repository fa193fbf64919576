"""Workers that are killed at one point of a delivery, as `kill -9` would."""

from dataclasses import dataclass
from typing import Any

import pytest

from activities.delivery_ledger import Claimed, DeliveryIntent, Settlement, Standing
from activities.message_channel import ProviderAnswer, RenderedMessage
from channels.recording import RecordingChannel
from stores.ledger import Ledger
from tests.integration.delivery.conftest import Desk, Killed


@dataclass
class KilledAround:
    """A channel whose worker is killed before or after the provider took the message."""

    inner: RecordingChannel
    after: bool

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def send(self, message: RenderedMessage) -> ProviderAnswer:
        if self.after:
            await self.inner.send(message)
        raise Killed


@dataclass
class KilledAtSettle:
    """A ledger whose worker is killed right before it writes what became of the message."""

    inner: Ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def settle(
        self, claim: Claimed, settlement: Settlement, standing: Standing | None = None
    ) -> None:
        raise Killed


@dataclass
class KilledAtClaim:
    """A ledger whose worker is killed right after the intent was committed."""

    inner: Ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def claim(self, intent: DeliveryIntent) -> None:
        await self.inner.claim(intent)
        raise Killed


async def kill(desk: Desk, point: str, **of: Any) -> None:
    """One attempt that dies there."""
    worker = {
        "after intent": lambda: desk.worker(ledger=KilledAtClaim(desk.ledger)),
        "before send": lambda: desk.worker(channel=KilledAround(desk.channel, after=False)),  # pyright: ignore[reportArgumentType]
        "after send": lambda: desk.worker(channel=KilledAround(desk.channel, after=True)),  # pyright: ignore[reportArgumentType]
        "before settle": lambda: desk.worker(ledger=KilledAtSettle(desk.ledger)),
    }[point]()
    with pytest.raises(Killed):
        await worker.deliver_message(desk.order(**of))


POINTS = ["after intent", "before send", "after send", "before settle"]
SENT_BEFORE = {"after send", "before settle"}
