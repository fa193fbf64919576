"""What the demo's page shows: the day as it was planned, and how it stands at one moment."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Literal

FlightStatus = Literal["planned", "delayed", "departed", "landed", "cancelled"]
Phase = Literal["starting", "rehearsing", "flying", "dead", "returning", "over"]


@dataclass(slots=True, frozen=True, kw_only=True)
class BoardFlight:
    """A flight as the timetable has it; `departs` in minutes after local midnight of the day."""

    flight: str
    number: str
    origin: str
    to: str
    departs: int


@dataclass(slots=True, frozen=True, kw_only=True)
class SignIn:
    """Where a visitor looks at mission control and the inbox of the day, and as whom."""

    address: str
    member: str
    password: str


@dataclass(slots=True, frozen=True, kw_only=True)
class DemoDay:
    """What does not change while a day is played. `engine` is `temporal` or `machine`.

    `control`: None while there is no installation yet.
    """

    title: str
    engine: Literal["temporal", "machine"]
    note: str
    passengers: int
    flights: tuple[BoardFlight, ...]
    begins: int
    ends: int
    control: SignIn | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class ShownMail:
    """One message that went out."""

    at: str
    to: str
    subject: str
    href: str = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class Moment:
    """One line of the followed passenger's story. `kind` picks its mark: see flight.css."""

    at: str
    kind: str
    words: str
    href: str = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class ShownPromise:
    """A promise and the deadlines it had before, oldest first."""

    words: str
    state: str
    by: str
    was: tuple[str, ...] = ()
    reason: str = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class ShownDecision:
    """One button: what is decided, and with which values."""

    name: str
    title: str
    fields: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True, frozen=True, kw_only=True)
class ShownCase:
    """A case of the followed passenger; `decisions` are offered while it is open."""

    case: str
    queue: str
    brief: str
    state: str
    decided: str = ""
    decisions: tuple[ShownDecision, ...] = ()


@dataclass(slots=True, frozen=True, kw_only=True)
class FollowedPassenger:
    """One passenger, told as a story; `flight` is the one they sit in, or mean to."""

    name: str
    itinerary: str
    flight: str = ""
    stage: str = ""
    waits_for: str = ""
    run_url: str = ""
    mails_url: str = ""
    promises: tuple[ShownPromise, ...] = ()
    moments: tuple[Moment, ...] = ()
    cases: tuple[ShownCase, ...] = ()


@dataclass(slots=True, frozen=True, kw_only=True)
class Outage:
    """What was killed, what is back, and what it cost: None until it was counted.

    `seconds`: until every process worked again; `caught_up`: until nothing was behind the clock.
    """

    number: int
    at: str
    killed: tuple[str, ...]
    back: tuple[str, ...] = ()
    seconds: float | None = None
    caught_up: float | None = None
    lost: int | None = None
    twice: int | None = None
    unknown: int | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class ReportLine:
    """One line of the closing account."""

    words: str
    figure: str
    more: str = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class ShownReport:
    """The closing account: whether it balances, and what the day came to."""

    balances: bool
    sentence: str
    lines: tuple[ReportLine, ...]
    why_not: str
    naive: str
    commands: tuple[tuple[str, str], ...]


@dataclass(slots=True, frozen=True, kw_only=True)
class Scene:
    """How everything stands at one moment.

    `flights`: status and minutes of delay of each flight of the day, in its order. `people`: one
    letter a passenger (see flight-people.js). `reasons`: messages by what became of them.
    """

    phase: Phase
    words: str
    clock: str = ""
    minutes: float = 0.0
    factor: float = 0.0
    late_p50: float = 0.0
    late_p99: float = 0.0
    flights: tuple[tuple[FlightStatus, int], ...] = ()
    people: str = ""
    counters: tuple[tuple[str, int, str], ...] = ()
    reasons: dict[str, int] = field(default_factory=dict[str, int])
    mails: tuple[ShownMail, ...] = ()
    followed: FollowedPassenger | None = None
    outage: Outage | None = None
    report: ShownReport | None = None


class Stage:
    """Where the newest day and scene stand for every page that looks on.

    A page that is slow misses scenes, never the newest one.
    """

    def __init__(self) -> None:
        self.day: DemoDay | None = None
        self.scene = Scene(phase="starting", words="Starting …")
        self._number = 0
        self._closed = False
        self._changed = asyncio.Event()

    def play(self, day: DemoDay) -> None:
        """Show another day: each page is told it afresh."""
        self.day = day
        self._tell()

    def show(self, scene: Scene) -> None:
        """Show this scene now."""
        self.scene = scene
        self._tell()

    def close(self) -> None:
        """Let every page that looks on go."""
        self._closed = True
        self._changed.set()

    async def scenes(self) -> AsyncIterator[tuple[DemoDay | None, Scene]]:
        """The scene as it stands, then each newer one, until the stage is closed."""
        seen = -1
        while True:
            if seen != self._number:
                seen = self._number
                yield self.day, self.scene
            elif self._closed:
                return
            else:
                await self._changed.wait()

    def _tell(self) -> None:
        self._number += 1
        self._changed.set()
        self._changed = asyncio.Event()
