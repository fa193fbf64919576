"""Mission control: all journeys at a glance, and where to look first."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlencode

from starlette.responses import Response

from console.control_door import control_page
from console.control_live import Shared
from console.inbox_door import CONTROL, InboxDoor, Visit
from contracts.journey_figures import CountedThen, InStage
from insight.friction import Change, change_of_shares
from insight.measured_graph import length_in_words
from journey.program import Program
from stores.engines import NEEDED, LivingProcess
from stores.lags import Lags
from stores.stops import Stop

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
HOURS = 24
LATE_SECONDS = 120
"""Timers and routing that are this late are shown as late."""

_ENDS = ("ended", "goal", "held_out_ended", "held_out_goal")
_SENDS = ("sent", "not_sent", "failed")


class Figures(Protocol):
    """Where figures are read; `stores.figure_looks` says what each guarantees."""

    async def in_stages(self, journey: str | None = None) -> list[InStage]: ...
    async def series(
        self, kinds: Sequence[str], since: datetime, until: datetime, *, by_day: bool = False
    ) -> list[CountedThen]: ...


class Looks(Protocol):
    """What is read beside the figures; `stores.control_looks` says what each guarantees."""

    async def stuck(self) -> dict[str, int]: ...
    async def late_cases(self, now: datetime) -> dict[str, int]: ...
    async def said(
        self, journeys: Sequence[str], kinds: Sequence[str], since: datetime, until: datetime
    ) -> dict[str, dict[str, int]]: ...


class Lateness(Protocol):
    """How far behind the installation is."""

    async def lags(self, now: datetime) -> Lags: ...


class Processes(Protocol):
    """What our processes tell of themselves."""

    async def living(self) -> list[LivingProcess]: ...


class Stopped(Protocol):
    """What is stopped."""

    async def now(self) -> list[Stop]: ...


class Programs(Protocol):
    """Journeys that customers may enter, and their programs."""

    async def live(self) -> list[Program]: ...


@dataclass(slots=True, kw_only=True)
class Glance:
    """One journey at a glance.

    `rate` and `rate_before`: of who ended this week and the one before, how many came to the goal; who is held out
    counts to neither. `change`: up or down, where it is more than chance would make.
    """

    journey: str
    title: str = ""
    owner: str = ""
    live: bool = False
    running: int = 0
    entered: list[int] = field(default_factory=lambda: [0] * HOURS)
    ended: int = 0
    rate: float | None = None
    rate_of: int = 0
    rate_before: float | None = None
    change: Change = ""
    stuck: int = 0
    late_cases: int = 0
    sent: int = 0
    not_sent: int = 0
    failed: int = 0
    stopped: bool = False

    @property
    def troubled(self) -> int:
        """What is to be looked at: journeys with more of it stand first."""
        return self.stuck + self.late_cases + self.failed

    @property
    def bars(self) -> list[tuple[int, float, int]]:
        """Of each of the last hours: its place, how high it stands of 1, how many entered."""
        most = max(self.entered, default=0) or 1
        return [(place, n / most, n) for place, n in enumerate(self.entered)]


@dataclass(slots=True, frozen=True, kw_only=True)
class OverviewPage:
    """The page. `run_now`: the time of runs; `now`: wall time."""

    door: InboxDoor
    figures: Figures
    looks: Looks
    lateness: Lateness
    stops: Stopped
    processes: Processes
    programs: Programs
    shared: Shared
    run_now: Callable[[], datetime]
    now: Callable[[], datetime]

    async def show(self, visit: Visit) -> Response:
        """All journeys that customers may enter or are in."""
        figures = await self.shared.once("overview", None, self._values)
        values = {**figures, "missing": await self._missing()}
        return control_page(self.door, visit, "control-overview.html", values)

    async def _values(self) -> dict[str, Any]:
        run_now = self.run_now()
        next_hour = run_now + timedelta(hours=1)
        glances = {
            each.journey: Glance(
                journey=each.journey, title=each.definition.title, owner=each.definition.owner, live=True
            )
            for each in await self.programs.live()
        }  # fmt: skip
        for stage in await self.figures.in_stages():
            glance = glances.setdefault(stage.journey, Glance(journey=stage.journey))
            glance.running += stage.n
        since = next_hour - DAY
        hours = await self.figures.series(("entered", "ended"), since, next_hour)
        _count_hours(glances, hours, since)
        ends = await self.figures.series(_ENDS, run_now - 2 * WEEK, next_hour + DAY, by_day=True)
        _count_goals(glances, ends, run_now - WEEK)
        _add(glances, "stuck", await self.looks.stuck())
        _add(glances, "late_cases", await self.looks.late_cases(self.now()))
        for journey, said in (
            await self.looks.said(list(glances), _SENDS, since, next_hour)
        ).items():
            glances[journey].sent = said.get("sent", 0)
            glances[journey].not_sent = said.get("not_sent", 0)
            glances[journey].failed = said.get("failed", 0)
        stops = await self.stops.now()
        for stop in stops:
            if stop.scope == "journey" and stop.name in glances:
                glances[stop.name].stopped = True
        rows = sorted(
            glances.values(), key=lambda each: (-each.troubled, -each.running, each.journey)
        )
        return {
            "rows": rows,
            "running": sum(each.running for each in rows),
            "entered": sum(sum(each.entered) for each in rows),
            "stops": stops,
            "lags": _lags(await self.lateness.lags(self.now()), run_now),
            "at_time": run_now,
        }

    async def _missing(self) -> list[str]:
        """The kinds of process of which nobody is at work, though customers wait for them."""
        at_work = {each.kind for each in await self.processes.living()}
        return [kind for kind in NEEDED if kind not in at_work]


def _count_hours(
    glances: dict[str, Glance], counted: Iterable[CountedThen], since: datetime
) -> None:
    first = since.replace(minute=0, second=0, microsecond=0)
    for each in counted:
        glance = glances.setdefault(each.journey, Glance(journey=each.journey))
        if each.kind == "ended":
            glance.ended += each.n
            continue
        place = int((each.at - first).total_seconds() // 3_600)
        if 0 <= place < HOURS:
            glance.entered[place] += each.n


def _count_goals(
    glances: dict[str, Glance], counted: Iterable[CountedThen], this_week: datetime
) -> None:
    """Days are those of UTC; the one in which the week began counts to it."""
    begins = this_week.replace(hour=0, minute=0, second=0, microsecond=0)
    sums: dict[tuple[str, bool], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for each in counted:
        sums[each.journey, each.at >= begins][each.kind] += each.n
    for journey, glance in glances.items():
        now, before = _reached(sums[journey, True]), _reached(sums[journey, False])
        glance.rate, glance.rate_of = _share(*now), now[1]
        glance.rate_before = _share(*before)
        glance.change = change_of_shares(now, before)


def _reached(sums: Mapping[str, int]) -> tuple[int, int]:
    """How many came to the goal, of how many that ended; who is held out counts to neither."""
    goals = sums.get("goal", 0) - sums.get("held_out_goal", 0)
    return goals, sums.get("ended", 0) - sums.get("held_out_ended", 0)


def _share(hits: int, of: int) -> float | None:
    return hits / of if of > 0 else None


def _add(glances: dict[str, Glance], name: str, counts: Mapping[str, int]) -> None:
    for journey, n in counts.items():
        setattr(glances.setdefault(journey, Glance(journey=journey)), name, n)


def _lags(lags: Lags, run_now: datetime) -> list[tuple[str, str, bool, str]]:
    """What each is called, how much it is, whether that is too much, and where it leads then."""
    due = urlencode({"wakes_before": run_now.isoformat()})
    whose = f"{CONTROL}/search?{due}"
    return [
        ("Touchpoints come in after", length_in_words(lags.ingest), lags.ingest > LATE_SECONDS, ""),
        ("Routing is behind by", length_in_words(lags.routing), lags.routing > LATE_SECONDS, ""),
        ("Touchpoints to route", f"{lags.pending:,}", False, ""),
        ("Timers are late by", length_in_words(lags.overdue), lags.overdue > LATE_SECONDS, whose),
    ]
