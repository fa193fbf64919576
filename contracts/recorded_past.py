"""What an installation remembers of a span of its own past, for whoever plays it again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue

from journey.preferences import Preferences
from journey.sending_caps import Sent
from journey.touchpoint import Touchpoint


@dataclass(slots=True, frozen=True, kw_only=True)
class PastSpan:
    """Which past: what happened from `begins` until `ends` (run time), by whom, and beside which journey.

    `everybody`: also customers of whom nothing came. `channels`: by which addresses are sought.
    `received_since` (wall time): what came before cannot have happened in it.
    """

    begins: datetime
    ends: datetime
    received_since: datetime
    journey: str
    channels: tuple[str, ...]
    everybody: bool = False


@dataclass(slots=True, frozen=True, kw_only=True)
class PastSize:
    """How much it is. `size`: bytes of its touchpoints, about."""

    customers: int
    touchpoints: int
    size: int


@dataclass(slots=True, frozen=True, kw_only=True)
class PastTouchpoint:
    """A touchpoint of a customer, or about a subject only."""

    customer: str | None
    touchpoint: Touchpoint


@dataclass(slots=True, frozen=True, kw_only=True)
class PastCustomer:
    """A customer as they are now.

    `consents`: by purpose, what they said last by channel. `suppressed`: by channel, why nothing may go to their
    address, and whether that is so of marketing only. `sent`: what other journeys sent them, as far back as caps count.
    """

    customer: str
    traits: Mapping[str, JsonValue]
    zone: str | None
    addresses: Mapping[str, str]
    consents: Mapping[str, Mapping[str, bool]] = field(
        default_factory=dict[str, Mapping[str, bool]]
    )
    suppressed: Mapping[str, tuple[str, bool]] = field(default_factory=dict[str, tuple[str, bool]])
    preferences: Preferences = field(default_factory=Preferences)
    sent: tuple[Sent, ...] = ()
