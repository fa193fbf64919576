"""The simulated staff: they look at open cases and decide each after a while of the run's clock."""

import asyncio
import heapq
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg_pool import PoolTimeout
from pydantic import JsonValue

from activities.staff_cases import UnknownCaseError
from cli.demo.replay import Replay, track
from contracts.clock import RunClock
from examples.flight.day import Day
from examples.flight.desk import CaseSeen, StaffDecision
from journey.decisions import UnknownDecisionError, WrongFieldError
from stores.case_decisions import (
    CaseAlreadyClaimedError,
    CaseAlreadyDecidedError,
    CaseClosedError,
)
from stores.case_desk import CaseDesk
from stores.demo_figures import DemoFigures

JOURNEY = "flight"
LOOK_SECONDS = 0.25
OVERLAP = timedelta(seconds=5)
"""A case is seen once its transaction is through, which may be a moment after one opened later."""

PATIENCE_SECONDS = 45.0
"""How long the featured passenger's case is left to whoever watches, where the journey lets it."""

Unreachable = (psycopg.OperationalError, PoolTimeout)
Refused = (
    CaseAlreadyClaimedError,
    CaseAlreadyDecidedError,
    CaseClosedError,
    UnknownCaseError,
    UnknownDecisionError,
    WrongFieldError,
)


@dataclass(slots=True, frozen=True, kw_only=True, order=True)
class Planned:
    """A case that will be decided at a time of the run's clock."""

    at: datetime
    case: str


class SimulatedStaff:
    """Decides cases through the same store as everybody; `replay` hears what comes of it."""

    def __init__(
        self,
        day: Day,
        cases: CaseDesk,
        figures: DemoFigures,
        replay: Replay,
        user_of: Callable[[str], str | None],
        *,
        watched: bool,
    ) -> None:
        self._day = day
        self._cases, self._figures = cases, figures
        self._looked = datetime(2000, 1, 1, tzinfo=UTC)
        self._replay = replay
        self._user_of = user_of
        self._watched = watched
        self._seen: dict[str, tuple[CaseSeen, StaffDecision]] = {}
        self._planned: list[Planned] = []

    async def work(self) -> None:
        """Look and decide, until cancelled; a database that is away is waited for."""
        while True:
            with suppress(*Unreachable):  # killed: it comes back
                await self._look()
                await self._decide_due()
            await asyncio.sleep(LOOK_SECONDS)

    async def decide_as(
        self, case: str, decision: str, fields: dict[str, JsonValue], by: str
    ) -> None:
        """Decide a case now, as somebody; what comes of it joins the day.

        Raises: what `CaseDesk.decide` raises.
        """
        await self._cases.decide(case, decision, fields, by=by)
        found = self._seen.get(case)
        if found is not None:
            now = self._clock.now(datetime.now(UTC))
            after = self._day.follow_up(found[0], decision, fields, now)
            self._replay.add((occurrence.at, track(occurrence)) for occurrence in after)

    def suggestion(self, case: str) -> StaffDecision | None:
        """What the staff would decide; its fields fill in the same decision of somebody else."""
        found = self._seen.get(case)
        return found[1] if found else None

    @property
    def _clock(self) -> RunClock:
        return self._replay.clock

    async def _look(self) -> None:
        for case in await self._figures.cases_since(JOURNEY, self._looked - OVERLAP):
            self._looked = max(self._looked, case.opened_wall)
            user = self._user_of(case.customer)
            if case.case in self._seen or user is None:
                continue
            seen = CaseSeen(
                case=case.case,
                user_id=user,
                queue=case.queue,
                opened_at=case.opened_at,
                brief=case.brief,
            )
            decision = self._day.staff(seen)
            self._seen[case.case] = (seen, decision)
            at = case.opened_at + self._after(seen, decision)
            heapq.heappush(self._planned, Planned(at=at, case=case.case))

    def _after(self, seen: CaseSeen, decision: StaffDecision) -> timedelta:
        """Somebody watches: their passenger's case waits for them, as long as the flight allows."""
        featured = self._day.featured
        if not self._watched or seen.user_id != featured.user_id:
            return decision.after
        patience = timedelta(seconds=PATIENCE_SECONDS) * self._clock.factor
        landed = featured.legs[0].landed - seen.opened_at
        return min(patience, landed) if landed > timedelta(0) else decision.after

    async def _decide_due(self) -> None:
        now = self._clock.now(datetime.now(UTC))
        while self._planned and self._planned[0].at <= now:
            due = self._planned[0]
            _, decision = self._seen[due.case]
            with suppress(*Refused):  # somebody else decided, or the journey needs it no more
                await self.decide_as(due.case, decision.decision, decision.fields, decision.by)
            heapq.heappop(self._planned)
