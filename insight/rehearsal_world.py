"""What a rehearsal needs of the world around the runs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import JsonValue

from insight.rehearsed import RehearsedCase
from journey.effects import Effect
from journey.house_policy import NO_POLICY, HousePolicy
from journey.preferences import Preferences
from journey.sending_caps import Sent
from journey.touchpoint import Touchpoint


@dataclass(slots=True, frozen=True, kw_only=True)
class Incoming:
    """A touchpoint on its way in at `at`; `customer` is None where it is about a subject only."""

    at: datetime
    touchpoint: Touchpoint
    customer: str | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class Wishes:
    """What a customer wants of us, and what they get from others.

    `consents`: by purpose, what they said last by channel. `suppressed`: by channel, why nothing may go to their
    address, and whether that is so of marketing only. `sent`: what other journeys sent them.
    """

    consents: Mapping[str, Mapping[str, bool]] = field(
        default_factory=dict[str, Mapping[str, bool]]
    )
    suppressed: Mapping[str, tuple[str, bool]] = field(default_factory=dict[str, tuple[str, bool]])
    preferences: Preferences = field(default_factory=Preferences)
    sent: tuple[Sent, ...] = ()


@dataclass(slots=True, frozen=True, kw_only=True)
class Customer:
    """What is known of a customer: addresses by channel, traits, zone, and what they want."""

    addresses: Mapping[str, str]
    traits: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    zone: str | None = None
    wishes: Wishes = field(default_factory=Wishes)


@dataclass(slots=True, frozen=True, kw_only=True)
class Decided:
    """What staff decide, and how long after they were given the case."""

    after: timedelta
    decision: str
    fields: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    by: str = "simulated staff"


@dataclass(slots=True, frozen=True, kw_only=True)
class Outside:
    """What stands outside the customers and staff of a rehearsal.

    `calls`: what a call gives back, by the name of an activity or the host of an address; a call to
    anybody else fails for good. `sold_out`: offers of which there is none. `policy`: that of the house.
    """

    calls: Mapping[str, Mapping[str, JsonValue]] = field(
        default_factory=dict[str, Mapping[str, JsonValue]]
    )
    sold_out: frozenset[str] = frozenset()
    policy: HousePolicy = NO_POLICY


class World(Protocol):
    """What answers the runs: customers, channels and staff. Answers only; it holds no clock."""

    def customer(self, customer: str) -> Customer:
        """What is known of a customer."""
        ...

    def takes(self, key: str, effect: Effect) -> timedelta:
        """How long carrying out this effect takes."""
        ...

    def staff(self, case: RehearsedCase) -> Decided | None:
        """How staff decide a case; None leaves it open."""
        ...

    def follow_up(self, case: RehearsedCase, at: datetime) -> Iterable[Incoming]:
        """What customers do because of a decision."""
        ...
