"""What `deliver_message` needs so that no channel and no provider gets more than it may."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from journey.effects import Purpose


@dataclass(slots=True, frozen=True, kw_only=True)
class Leaves:
    """It has its turn: it leaves after so long, on the wall."""

    after: timedelta


@dataclass(slots=True, frozen=True, kw_only=True)
class Waits:
    """It has none yet: ask again after so long. `words` say what is reached."""

    after: timedelta
    words: str


@dataclass(slots=True, frozen=True, kw_only=True)
class Asker:
    """Who asks: a delivery, and which of its attempts this is."""

    key: str
    purpose: Purpose
    attempt: int = 1

    def drawn(self) -> float:
        """From 0 to 1, other for each delivery and attempt: so those that wait do not come back all at once."""
        drawn = hashlib.sha256(f"{self.key} {self.attempt}".encode()).digest()
        return int.from_bytes(drawn[:4]) / 2**32


class SendingRates(Protocol):
    """Whose turn it is, by channel or provider. Service messages have theirs before marketing."""

    async def known_to_wait(self, ways: Sequence[Sequence[str]], asker: Asker) -> Waits | None:
        """Whether this process knows, without asking, that no way (the names of its rates) has a turn now."""
        ...

    async def take(self, names: Sequence[str], asker: Asker) -> Leaves | Waits:
        """Take a turn of each rate of these names that there is."""
        ...


class NoRates:
    """Nothing is counted."""

    async def known_to_wait(self, ways: Sequence[Sequence[str]], asker: Asker) -> Waits | None:
        return None

    async def take(self, names: Sequence[str], asker: Asker) -> Leaves | Waits:
        return Leaves(after=timedelta(0))


def rate_names(channel: str, provider: str | None) -> list[str]:
    """The names under which a channel's rates may stand: its own, and its provider's."""
    return list(dict.fromkeys((channel, provider or channel)))
