"""Customers of a simulated installation: where their clocks are odd, and what they want."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random

from pydantic import JsonValue

from contracts.evidence import Said
from journey.preferences import Preferences

ZONES = (
    "UTC",
    "Europe/Prague",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Antarctica/Troll",
)
BEGINS = tuple(
    datetime.fromisoformat(text)
    for text in (
        "2026-03-02T12:00+00:00",
        "2026-03-07T23:30+00:00",
        "2026-03-28T20:00+00:00",
        "2026-10-03T10:00+00:00",
        "2026-10-24T21:00+00:00",
        "2024-02-27T05:00+00:00",
        "2027-12-30T18:00+00:00",
    )
)
"""When worlds begin: a plain Monday, nights before clocks change, a leap day, the end of a year."""


@dataclass(eq=False)
class SimulatedCustomer:
    """One of them. `became`: who they turned out to be."""

    customer: str
    zone: str
    traits: dict[str, JsonValue]
    addresses: dict[str, str]
    consents: dict[str, bool]
    preferences: Preferences
    said: list[Said] = field(default_factory=list[Said])
    became: "SimulatedCustomer | None" = None

    @property
    def canonical(self) -> "SimulatedCustomer":
        """Who they are now."""
        return self.became.canonical if self.became else self

    @property
    def profile(self) -> dict[str, JsonValue]:
        """What entry conditions see."""
        return {**self.traits, "id": self.customer, "zone": self.zone}

    def says(self, channel: str, at: datetime, *, yes: bool) -> None:
        """They agree to marketing by a channel, or do not want it."""
        self.consents[channel] = yes
        self.said.append(
            Said(customer=self.customer, purpose="marketing", channel=channel, at=at, yes=yes)
        )


def born(random: Random, name: str, at: datetime) -> SimulatedCustomer:
    """Somebody new."""
    addresses = {way: f"{way}:{name}" for way in ("email", "sms", "push") if random.random() < 0.8}
    quiet = Preferences(quiet_from=time(12), quiet_to=time(14)) if random.random() < 0.2 else None
    made = SimulatedCustomer(
        customer=name,
        zone=random.choice(ZONES),
        traits={"vip": random.random() < 0.5, "due": (at + timedelta(days=40)).isoformat()},
        addresses=addresses,
        consents={},
        preferences=quiet or Preferences(),
    )
    for way in ("email", "sms", "push"):
        if random.random() < 0.4:
            made.says(way, at, yes=random.random() < 0.7)
    return made


@dataclass(frozen=True, slots=True)
class Chances:
    """How often what goes wrong; all 0 is a quiet installation."""

    router_dies: float = 0.08
    unreachable: float = 0.05
    slow_task: float = 0.3
