"""The day on the pure machine, while Temporal is still being built or the servers start."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic
from types import TracebackType
from typing import Self

from cli.demo.follow import Follow, Story, ToldCase, ToldMessage
from cli.demo.scene import DayBoard, counters, local, people, reasons
from console.flight_picture import Scene, ShownMail, Stage
from examples.flight.day import Day
from examples.flight.rehearsed_day import rehearsal_of
from insight.rehearsed import Rehearsed, RehearsedCase, RehearsedDelivery, RehearsedRun
from stores.demo_figures import DeliveryCount, PersonStands, PromiseCount, Standing

BUILDING = "On the pure machine while Temporal is being built: the same journey, nothing is kept."
STARTING = "On the pure machine while the servers start: the same journey, nothing is kept."
PLAYS_SECONDS = 75.0
"""How long the whole day takes here."""

EACH_SECONDS = 0.5
LATEST_MAILS = 14


class MachineDay:
    """`async with MachineDay(…)`: plays a day in memory until it is over or let go.

    `words` say why, and may change meanwhile.
    """

    def __init__(self, day: Day, stage: Stage, tell: Callable[[Scene], None]) -> None:
        self.words = BUILDING
        self._day = day
        self._stage = stage
        self._tell = tell
        self._board = DayBoard(day)
        self._follow = Follow(day.featured)
        self._rehearsal = rehearsal_of(day)
        self._playing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._stage.play(self._board.poster("machine"))
        self._playing = asyncio.create_task(self._play(), name="pure machine")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._playing is not None:
            self._playing.cancel()
            await asyncio.gather(self._playing, return_exceptions=True)

    async def _play(self) -> None:
        lasts = self._day.ends - self._day.begins
        factor = lasts.total_seconds() / PLAYS_SECONDS
        begun = monotonic()
        now = self._day.begins
        while now < self._day.ends:
            passed = timedelta(seconds=(monotonic() - begun) * factor)
            now = min(self._day.ends, self._day.begins + passed)
            self._rehearsal.go_on(now)
            scene = self.scene(now, factor)
            self._stage.show(scene)
            self._tell(scene)
            await asyncio.sleep(EACH_SECONDS)

    def scene(self, now: datetime, factor: float) -> Scene:
        """How the rehearsed day stands."""
        result = self._rehearsal.result
        flights = self._board.flights(now)
        standing = standing_of(result)
        return Scene(
            phase="rehearsing",
            words=self.words,
            clock=local(now),
            minutes=self._board.minutes(now),
            factor=factor,
            flights=flights,
            people=people(self._day, standing),
            counters=counters(flights, standing),
            reasons=reasons(standing.deliveries),
            mails=_mails(result, self._day),
            followed=self._follow.tell(self._story(result), run_url="", mails_url=""),
        )

    def _story(self, result: Rehearsed) -> Story | None:
        featured = self._day.featured
        run = next((run for run in result.all_runs() if run.customer == featured.user_id), None)
        if run is None:
            return None
        return Story(
            stage=_stage_of(run),
            waits_for=(),
            outcome=run.outcome,
            trace=run.trace,
            promises=list(run.promises.values()),
            messages=[
                _told(each)
                for each in result.deliveries.values()
                if each.customer == featured.user_id
            ],
            cases=[
                _told_case(case)
                for case in result.cases.values()
                if case.customer == featured.user_id
            ],
        )


def standing_of(result: Rehearsed) -> Standing:
    """A rehearsal's figures, as the database would give them."""
    open_cases = {case.workflow_id for case in result.cases.values() if case.state == "open"}
    persons = tuple(
        PersonStands(
            key=run.key,
            state="finished" if run.outcome else "open",
            stage=_stage_of(run),
            outcome=run.outcome,
            customer=run.customer,
            entry=run.entry,
            workflow_id=run.workflow_id,
            with_staff=run.workflow_id in open_cases,
            stuck=run.needs_attention is not None,
        )
        for run in result.all_runs()
    )
    deliveries = Counter((each.state, each.reason) for each in result.deliveries.values())
    promises = Counter((promise.state, promise.reason) for _, promise in result.promises())
    return Standing(
        people=persons,
        deliveries=tuple(
            DeliveryCount(
                state="intended" if state == "asked" else state, reason=reason, deliveries=count
            )
            for (state, reason), count in deliveries.items()
        ),
        promises=tuple(
            PromiseCount(state=state, reason=reason, promises=count)
            for (state, reason), count in promises.items()
        ),
        cases=dict(Counter(case.state for case in result.cases.values())),
        unrouted_seconds=0.0,
        wakes_at=None,
    )


def _stage_of(run: RehearsedRun) -> str | None:
    return run.state.stage


def _mails(result: Rehearsed, day: Day) -> tuple[ShownMail, ...]:
    sent = [each for each in result.deliveries.values() if each.state == "accepted"]
    sent.sort(key=lambda each: each.settled_at or each.asked_at)
    return tuple(
        ShownMail(
            at=local(each.settled_at or each.asked_at),
            to=day.passengers[each.customer].email,
            subject=each.message.message.replace("-", " "),
        )
        for each in sent[: -LATEST_MAILS - 1 : -1]
    )


def _told(delivery: RehearsedDelivery) -> ToldMessage:
    held = delivery.state == "refused"
    name = delivery.message.message.replace("-", " ")
    return ToldMessage(
        at=delivery.settled_at or delivery.asked_at,
        state="held" if held else "sent" if delivery.state == "accepted" else "under way",
        words=f"{name} ({delivery.words})" if held and delivery.words else name,
    )


def _told_case(case: RehearsedCase) -> ToldCase:
    return ToldCase(
        case=case.case,
        queue=case.queue,
        brief="The brief is written when the day flies on Temporal.",
        state=case.state,
        decision=case.decision,
        by=case.by,
        decisions={},
    )
