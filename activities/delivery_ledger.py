"""What `deliver_message` needs of the ledger that keeps one message from being sent twice."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from pydantic import JsonValue

from activities.sent_words import SentWords
from contracts.journey_run import RunReference
from contracts.message_delivery import MessageDelivered
from journey.effects import Deliver, RunRecord


@dataclass(slots=True, frozen=True, kw_only=True)
class DeliveryIntent:
    """Ask whether a message may leave now, and claim it if so.

    `now` is run time. `channels` are those this worker can send by.
    `record`: how the run stands and why, to be written down whatever is decided.
    """

    key: str
    run: RunReference
    deliver: Deliver
    now: datetime
    channels: frozenset[str]
    revision: str | None = None
    held_out: bool = False
    record: RunRecord | None = None

    @property
    def last_act(self) -> bool:
        """The run ended with this very delivery, so its end does not forbid it."""
        return self.record is not None and self.record.outcome is not None


@dataclass(slots=True, frozen=True, kw_only=True)
class Doubt:
    """An earlier attempt began and did not say how it ended.

    `since`: when the intent was first written (wall). `times`: how many attempts ended so.
    `pointless`: the reason why the message would not be sent any more, if it would not.
    """

    since: datetime
    times: int
    pointless: str | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class Claimed:
    """This attempt alone may send. `customer` holds fresh traits and `zone`, for the template.

    `whose`: the id of the customer now, who may have been merged since their run began.
    `corrects_id`: the provider's id of what it corrects, where that went by the same channel.
    `address_keys` and `in_conversation`: as of `RenderedMessage`.
    `locale`: the language that they want to be written to in, where that is known.
    """

    key: str
    attempt: int
    channel: str
    address: str
    whose: str | None = None
    customer: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    corrects: str | None = None
    doubt: Doubt | None = None
    corrects_id: str | None = None
    address_keys: dict[str, str] = field(default_factory=dict[str, str])
    in_conversation: bool = False
    locale: str | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class UnderWay:
    """Another attempt holds the claim until then (wall time)."""

    until: datetime


@dataclass(slots=True, frozen=True, kw_only=True)
class Settlement:
    """How an attempt ended. `accepted` has the provider's id; `words` tell a person more.

    `sent`: what the customer reads, of an attempt that left.
    """

    state: Literal["accepted", "refused", "unknown"]
    provider_id: str | None = None
    reason: str = ""
    words: str = ""
    sent: SentWords | None = None

    def __post_init__(self) -> None:
        if (self.state == "accepted") != (self.provider_id is not None):
            raise ValueError("accepted needs the provider's id, and nothing else has one")


Standing = tuple[RunReference, RunRecord]
"""How a run stands, to be written down."""


class DeliveryLedger(Protocol):
    """One row a delivery key, for ever."""

    async def claim(self, intent: DeliveryIntent) -> Claimed | UnderWay | MessageDelivered:
        """Write the record, decide under the customer's lock, and write the intent, in one transaction.

        Or say what is already known; the record is written then, too.
        """
        ...

    async def resend(self, claim: Claimed) -> None:
        """Say that this attempt may be a second copy, before it leaves."""
        ...

    async def settle(
        self, claim: Claimed, settlement: Settlement, standing: Standing | None = None
    ) -> None:
        """Write how the attempt ended, and how its run stands with that: both or neither."""
        ...

    async def turn_away(self, claim: Claimed, words: str) -> None:
        """The provider refused it for good and nothing left: claim it again, by another channel."""
        ...

    async def suppress(self, claim: Claimed, reason: str) -> None:
        """Nothing is to be sent to this address any more."""
        ...

    async def release(self, claim: Claimed, words: str) -> None:
        """Nothing left: the next attempt begins afresh."""
        ...

    async def gone(self, claim: Claimed, words: str) -> None:
        """Nothing left, and its address is no more: the next attempt decides afresh without it."""
        ...

    async def doubt(self, claim: Claimed, words: str, sent: SentWords) -> None:
        """It may have left, with these words: the next attempt may ask at once what became of it."""
        ...
