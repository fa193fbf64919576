"""What can happen to a run: the only things that make the machine move."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import JsonValue

from journey.effects import Values
from journey.touchpoint import Touchpoint


@dataclass(slots=True, frozen=True, kw_only=True)
class Entered:
    """The run was admitted. `entering` brought the customer in; `others` came along with it, in order."""

    entry: int
    customer: str
    key: str | None = None
    zone: str | None = None
    held_out: bool = False
    traits: Values = field(default_factory=dict[str, JsonValue])
    entering: Touchpoint | None = None
    others: tuple[Touchpoint, ...] = ()


@dataclass(slots=True, frozen=True, kw_only=True)
class Arrived:
    """Touchpoints came, in order. A change of traits comes as the touchpoint `$identify`.

    `behind`: those that came with them and are let in by a later happening; an exit among them wins now.
    """

    touchpoints: tuple[Touchpoint, ...]
    behind: tuple[Touchpoint, ...] = ()


@dataclass(slots=True, frozen=True, kw_only=True)
class AlarmFired:
    """The alarm that was set for `at` fired."""

    at: datetime


@dataclass(slots=True, frozen=True, kw_only=True)
class DeliveryAnswer:
    """What became of a delivery: accepted, refused for a reason, deferred until an instant, or unknown."""

    state: Literal["accepted", "refused", "deferred", "unknown"]
    reason: str = ""
    words: str = ""
    channel: str | None = None
    until: datetime | None = None

    @property
    def is_put_off(self) -> bool:
        """Whether it is to be asked for again, at `until`."""
        return self.state == "deferred" and self.until is not None


@dataclass(slots=True, frozen=True, kw_only=True)
class CaseAnswer:
    """A case was opened or changed; `case` is its id. `clocked`: it keeps its deadlines itself."""

    case: str
    clocked: bool = False


@dataclass(slots=True, frozen=True, kw_only=True)
class TraitsAnswer:
    """Traits as they stand now."""

    traits: Values


@dataclass(slots=True, frozen=True, kw_only=True)
class OfferAnswer:
    """The code of the coupon that was given; None where none was, for a reason."""

    code: str | None
    reason: str = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class CallAnswer:
    """What a call gave back, as far as it is kept."""

    result: Values = field(default_factory=dict[str, JsonValue])


@dataclass(slots=True, frozen=True, kw_only=True)
class Done:
    """It was done; there is nothing to say about it."""


Answer = DeliveryAnswer | CaseAnswer | TraitsAnswer | OfferAnswer | CallAnswer | Done


@dataclass(slots=True, frozen=True, kw_only=True)
class EffectFinished:
    """Effect `n` was carried out."""

    n: int
    answer: Answer


@dataclass(slots=True, frozen=True, kw_only=True)
class EffectFailed:
    """Effect `n` failed for good: no retry will help until something is mended."""

    n: int
    error: str
    message: str


@dataclass(slots=True, frozen=True, kw_only=True)
class Moved:
    """The run goes on at a step of another version (the program that `advance` is now called with)."""

    address: str | None
    reason: str


@dataclass(slots=True, frozen=True, kw_only=True)
class ToldToLeave:
    """The run is to end now."""

    reason: str


@dataclass(slots=True, frozen=True, kw_only=True)
class Resumed:
    """What made the run stop was mended: what failed is tried again."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Nudged:
    """Who waits at the step goes on now, as if the time for it were over."""

    address: str
    reason: str


Happening = (
    Entered
    | Arrived
    | AlarmFired
    | EffectFinished
    | EffectFailed
    | Moved
    | ToldToLeave
    | Resumed
    | Nudged
)
