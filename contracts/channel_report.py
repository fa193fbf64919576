"""What a delivery process tells of its channels, and the tests of channels that it carries out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

TestState = Literal["waits", "leaving", "sent", "refused", "busy", "unknown"]
"""To do; under way; the provider has it; it will never take it; it cannot now; it may have it."""

TestEnd = Literal["sent", "refused", "busy", "unknown"]


@dataclass(slots=True, frozen=True, kw_only=True)
class ToldSetting:
    """A variable of the environment. `value`: of what may be shown; '' of a secret, and of what is not set."""

    variable: str
    is_set: bool
    value: str = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class ToldChannel:
    """A channel as a process has it."""

    channel: str
    is_on: bool
    settings: tuple[ToldSetting, ...] = ()


@dataclass(slots=True, frozen=True, kw_only=True)
class ChannelNews:
    """When the provider of a channel took a message last, when one failed, and why, without addresses."""

    channel: str
    sent_at: datetime | None = None
    failed_at: datetime | None = None
    failed_why: str = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class HeldTest:
    """A test that is to leave now. `form` names it for ever; `barred`: why it must not leave, '' where it may."""

    test: int
    form: str
    channel: str
    address: str
    barred: str = ""
