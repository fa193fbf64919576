"""The channel of tests and rehearsals: it remembers what it was given and answers by script."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from activities.message_channel import (
    ProviderAnswer,
    ProviderBusyError,
    ProviderRefusedError,
    RenderedMessage,
    UnknownOutcomeError,
)


@dataclass(slots=True, frozen=True)
class Accept:
    """Take it."""


@dataclass(slots=True, frozen=True)
class RefuseForGood:
    """Never take it for this address."""

    words: str = "550 no such mailbox"


@dataclass(slots=True, frozen=True)
class Busy:
    """Not now."""

    retry_after: timedelta | None = None
    words: str = "451 try again later"


@dataclass(slots=True, frozen=True)
class StallAfterAccept:
    """Take it, and never say so."""


@dataclass(slots=True, frozen=True)
class StallBeforeAccept:
    """Go away while it is being handed over, without having taken it."""


ScriptedAnswer = Accept | RefuseForGood | Busy | StallAfterAccept | StallBeforeAccept


class RecordingChannel:
    """Passes the same suite as the real channels. Addresses without a script are accepted.

    With `key_window` it is a provider that knows a repeated key and takes it once; with
    `looks_up` one that can be asked what became of a key.
    """

    def __init__(
        self,
        name: str = "email",
        *,
        provider: str | None = None,
        key_window: timedelta | None = None,
        looks_up: bool = False,
    ) -> None:
        self.name, self.key_window, self.looks_up = name, key_window, looks_up
        self.provider = provider or name
        self.taken: list[RenderedMessage] = []
        self._scripts: dict[str, list[ScriptedAnswer]] = defaultdict(list)
        self._first_taken: dict[str, datetime] = {}

    def script(self, address: str, answers: Sequence[ScriptedAnswer]) -> None:
        """How the next messages to this address are answered; later ones are accepted."""
        self._scripts[address] = list(answers)

    async def send(self, message: RenderedMessage) -> ProviderAnswer:
        script = self._scripts[message.address]
        match script.pop(0) if script else Accept():
            case Accept():
                return self._take(message)
            case RefuseForGood(words=words):
                raise ProviderRefusedError(words)
            case Busy(retry_after=retry_after, words=words):
                raise ProviderBusyError(words, retry_after=retry_after)
            case StallAfterAccept():
                self._take(message)
                raise UnknownOutcomeError("no answer came")
            case StallBeforeAccept():
                raise UnknownOutcomeError("no answer came")

    async def look_up(self, key: str) -> ProviderAnswer | None:
        if not self.looks_up:
            raise NotImplementedError("this provider cannot be asked")
        return ProviderAnswer(provider_id=_id(key)) if key in self._first_taken else None

    def _take(self, message: RenderedMessage) -> ProviderAnswer:
        first = self._first_taken.setdefault(message.key, message.at)
        known = self.key_window is not None and message.at < first + self.key_window
        if not (known and any(taken.key == message.key for taken in self.taken)):
            self.taken.append(message)
        return ProviderAnswer(provider_id=_id(message.key))


def _id(key: str) -> str:
    return "recorded-" + hashlib.sha256(key.encode()).hexdigest()[:16]
