"""What is counted of a journey's runs, as it is read by whoever shows it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True, frozen=True, kw_only=True)
class Counted:
    """How often something was recorded at an address; of stays also how long they were together."""

    address: str
    kind: str
    way: str
    n: int
    milliseconds: int = 0


@dataclass(slots=True, frozen=True, kw_only=True)
class Standing:
    """So many stand at an address now, who came there within the hour that begins at `since`."""

    address: str
    since: datetime
    n: int


@dataclass(slots=True, frozen=True, kw_only=True)
class InStage:
    """So many runs of a version are in a stage now; '' where they are in none."""

    journey: str
    version: str
    stage: str
    n: int


@dataclass(slots=True, frozen=True, kw_only=True)
class CountedThen:
    """How often something was recorded within an hour, or a day of UTC, from `at` on."""

    journey: str
    at: datetime
    kind: str
    way: str
    n: int
