"""Routing one batch of one customer's touchpoints: in order, to every run that wants them.

Runs are independent of each other, so each run's touchpoints wait until the end of the batch and
go in as few signals as they fit in; only an entry is carried out at once.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import groupby
from math import ceil

from pydantic import JsonValue

from contracts.fault_points import reach
from contracts.ids import workflow_id
from contracts.other_journey import ASKED_BY
from contracts.routing import GIVEN, Fate, PendingBatch, PendingTouchpoint, RoutedBatch
from journey.conditions import ConditionError
from journey.program import Program
from journey.touchpoint import ENTER
from routing.signals import RunClosedError, RunSignals, RunStart, SignalRefusedError
from routing.told_run import Arrived, ToldRun

TOLD_AT_ONCE = 100
"""A signal with more touchpoints counts as several: told more than it can look at, a run falls ever further behind."""

LONGEST_WORKFLOW_ID = 1_000
"""What the server takes."""

Profile = Callable[[], Awaitable[dict[str, JsonValue]]]


class CustomerBatch:
    """One pass over what is pending for a customer.

    `runs` are those open before the batch was read; runs it starts join them. What a run that it
    does not know is to have, admission puts back into the outbox.
    """

    def __init__(
        self,
        customer: str,
        *,
        runs: Sequence[ToldRun],
        live: Sequence[Program],
        profile: Profile,
        signals: RunSignals,
    ) -> None:
        self._customer = customer
        self._runs = list(runs)
        self._live = live
        self._load_profile = profile
        self._signals = signals
        self._profile: dict[str, JsonValue] | None = None
        self._fates: dict[int, list[Fate]] = {}

    async def route(self, batch: PendingBatch) -> RoutedBatch:
        """Tell everybody. Raises: `RunsUnreachableError`; then the batch is to be worked again."""
        for _, rows in groupby(batch.touchpoints, key=lambda row: row.number):
            await self._route(Arrived(list(rows)))
        while waiting := [run for run in self._runs if run.waiting]:
            for run in waiting:
                await self._flush(run)
                reach("router.between_signals")
        for row in batch.touchpoints:
            if not (row.fated or row.had_by or row.touchpoint in self._fates):
                self._fates[row.touchpoint] = [self._unwanted(row)]
            elif self._came_too_late(row):
                self._fates.setdefault(row.touchpoint, []).append(self._unwanted(row))
        not_started = dict(self._not_started(batch))
        self._write_what_was_not(batch)
        self._write_what_may_be(batch)
        return RoutedBatch(
            rows=(*(row.row for row in batch.touchpoints), *batch.gone),
            fates=self._fates,
            starting=tuple(filter(None, (run.starting() for run in self._runs))),
            signals=max((run.signals for run in self._runs), default=0),
            not_started=not_started,
        )

    def _write_what_was_not(self, batch: PendingBatch) -> None:
        """What a run handed back before this batch was told to it by a router that died before it wrote that.

        Else what the run that follows was told now would be taken for what the other handed back, and
        told to it once more under a higher number.
        """
        for row in {row.touchpoint: row for row in batch.touchpoints}.values():
            before: list[Fate] = [
                {"fate": "signalled", "run": run, "reason": "told by a router that ended"}
                for run in row.unwritten
            ]
            if before:
                self._fates[row.touchpoint] = [*before, *self._fates.get(row.touchpoint, [])]

    def _write_what_may_be(self, batch: PendingBatch) -> None:
        """What a router that ended had begun to tell, and runs that were moved do not want now: it may have told them.

        They would else be told it once more, under another number, when they are moved back.
        """
        doubtful = {row.touchpoint: row for row in batch.touchpoints if row.doubtful}
        for row in doubtful.values():
            for run in self._runs:
                if run.moved and not run.closed and not self._is_said_of(row, run.workflow_id):
                    fate: Fate = {
                        "fate": "perhaps",
                        "run": run.workflow_id,
                        "entry": run.entry,
                        "reason": "a router that ended may have told it",
                    }
                    self._fates.setdefault(row.touchpoint, []).append(fate)

    def _not_started(self, batch: PendingBatch) -> Iterator[tuple[str, str]]:
        """What runs asked to begin and nobody began: the key of the asking, and why."""
        for row in batch.touchpoints:
            asked = row.properties.get(ASKED_BY) if row.event == ENTER else None
            # What has no fate of this batch was told before: admission puts back also what a run has by now.
            fates = self._fates.get(row.touchpoint)
            if not isinstance(asked, str) or not fates or row.had_by:
                continue
            if not any(fate["fate"] in GIVEN for fate in fates):
                reasons = [str(fate["reason"]) for fate in fates if "reason" in fate]
                yield asked, reasons[0] if reasons else self._nobody_began(row)

    def _nobody_began(self, row: PendingTouchpoint) -> str:
        named = row.properties.get("journey")
        live = any(program.journey == named for program in self._live)
        return "a run is under way already" if live else "the journey is not live"

    def _came_too_late(self, row: PendingTouchpoint) -> bool:
        """Whether it is written already what became of it, but not that this run was over when it came."""
        if row.run is None or any(run.workflow_id == row.run for run in self._runs):
            return False
        return not self._is_said_of(row, row.run)

    def _is_said_of(self, given: PendingTouchpoint, run: str) -> bool:
        """Whether a run has it already, or it was decided in this batch what it is to that run."""
        fates = self._fates.get(given.touchpoint, ())
        return run in given.had_by or any(fate.get("run") == run for fate in fates)

    def _unwanted(self, row: PendingTouchpoint) -> Fate:
        """Why nobody was told: nobody wants it, or the one run that it was put back for is over."""
        if row.run is None or any(run.workflow_id == row.run for run in self._runs):
            return {"fate": "ignored"}
        return {"fate": "too_late", "run": row.run, "reason": "the run had ended"}

    async def _route(self, arrived: Arrived) -> None:
        entering = [p for p in self._live if p.enters_on(arrived.touchpoint.as_touchpoint())]
        for run in [run for run in self._runs if run.began_with(arrived.touchpoint)]:
            # A router that died before it wrote that started the run with it.
            if not self._is_said_of(arrived.touchpoint, run.workflow_id):
                fate: Fate = {"fate": "entered", "run": run.workflow_id, "journey": run.journey}
                self._fate(arrived, fate)
            entering = [program for program in entering if program.journey != run.journey]
        for run in self._runs:
            # A starting run gets a further entering touchpoint by signal-with-start, below.
            again = run.entry is None and any(run.journey == p.journey for p in entering)
            if again and arrived.general and await self._entered(arrived, run):
                continue
            before = arrived.touchpoint.number < run.put_back.entered_under
            general = arrived.general and not run.aimed_only and not before
            if general or run.workflow_id in arrived.aimed:
                run.offer(arrived)
        for program in entering:
            if arrived.general or await self._follows(arrived, program):
                await self._enter(arrived, program)

    async def _entered(self, arrived: Arrived, run: ToldRun) -> bool:
        program = next(p for p in self._live if p.journey == run.journey)
        wanted, key = await self._wanted(arrived, program)
        return wanted and key == run.key

    async def _follows(self, arrived: Arrived, program: Program) -> bool:
        """Whether it was for a run of this journey that is over, so that it may begin the next one."""
        wanted, key = await self._wanted(arrived, program)
        named = workflow_id(program.journey, self._customer, key)
        return wanted and named in arrived.aimed and self._under_way(program.journey, key) is None

    # -- entries

    async def _enter(self, arrived: Arrived, program: Program) -> None:
        try:
            wanted, key = await self._asked(arrived, program)
        except ConditionError as error:
            self._not_entered(arrived, program, str(error))
            return
        if not wanted:
            self._not_entered(arrived, program, "the entry condition does not hold")
            return
        run = self._under_way(program.journey, key)
        while run is not None and run.entry is None and run.waiting:
            await self._flush(run)
            run = self._under_way(program.journey, key)
        named = run.workflow_id if run else workflow_id(program.journey, self._customer, key)
        if named in arrived.touchpoint.had_by:
            return
        if run is None or run.entry is None:
            await self._start(arrived, program, key, run)
        elif arrived.touchpoint.touchpoint not in run.offered:
            self._not_entered(arrived, program, "a run is under way already")

    async def _wanted(self, arrived: Arrived, program: Program) -> tuple[bool, str | None]:
        try:
            return await self._asked(arrived, program)
        except ConditionError:
            return False, None

    async def _asked(self, arrived: Arrived, program: Program) -> tuple[bool, str | None]:
        """Whether the journey wants this touchpoint as an entry, and under which key."""
        if self._profile is None:
            self._profile = await self._load_profile()
        touchpoint = arrived.touchpoint.as_touchpoint()
        if not program.entry_wanted(touchpoint, self._profile):
            return False, None
        return True, program.entry_key(touchpoint, self._profile)

    def _under_way(self, journey: str, key: str | None) -> ToldRun | None:
        same = (run for run in self._runs if run.journey == journey and run.key == key)
        return next((run for run in same if not run.closed and not run.gives_way), None)

    async def _start(
        self, arrived: Arrived, program: Program, key: str | None, run: ToldRun | None
    ) -> None:
        started_id = run.workflow_id if run else workflow_id(program.journey, self._customer, key)
        if len(started_id) > LONGEST_WORKFLOW_ID:
            self._not_entered(arrived, program, "the key is too long: keep it under 500 characters")
            return
        first = await self._signals.start(
            RunStart(
                workflow_id=started_id,
                journey=program.journey,
                version=program.version,
                customer=self._customer,
                key=key,
                title=program.title or program.journey,
                touchpoint=arrived.told,
            )
        )
        reach("router.after_start")
        # It may stand in the batch once more, put back under another number for a run that is over.
        begun_with = arrived.touchpoint.touchpoint
        if run is not None and run.first_run_id == first:
            run.signals += 1
            run.offered.add(begun_with)
            self._fate(arrived, {"fate": "signalled", "run": started_id})
            return
        if run is not None:
            run.closed = True
        self._runs.append(
            ToldRun(
                started_id,
                program.journey,
                program.version,
                key,
                program,
                first_run_id=first,
                offered={begun_with},
                signals=1,
            )
        )
        self._fate(arrived, {"fate": "entered", "run": started_id, "journey": program.journey})

    def _not_entered(self, arrived: Arrived, program: Program, reason: str) -> None:
        fate: Fate = {"fate": "not_entered", "journey": program.journey, "reason": reason}
        self._fate(arrived, fate)

    # -- signals

    async def _flush(self, run: ToldRun) -> None:
        """Tell a run what waits for it; what it can no longer have is routed anew."""
        for portion in run.take_waiting():
            for arrived in await self._tell(run, portion):
                await self._route_anew(run, arrived)

    async def _tell(self, run: ToldRun, portion: Sequence[Arrived]) -> list[Arrived]:
        """Send one signal; returns what the run cannot have because it has ended."""
        if run.closed:
            return [*portion]
        run.signals += ceil(len(portion) / TOLD_AT_ONCE)
        try:
            await self._signals.signal(run.workflow_id, [arrived.told for arrived in portion])
        except RunClosedError:
            run.closed = True
            return [*portion]
        except SignalRefusedError as refusal:
            if len(portion) > 1:
                return [left for one in portion for left in await self._tell(run, [one])]
            reason = str(refusal)
            self._fate(portion[0], {"fate": "refused", "run": run.workflow_id, "reason": reason})
        else:
            for arrived in portion:
                self._fate(arrived, {"fate": "signalled", "run": run.workflow_id})
        return []

    async def _route_anew(self, run: ToldRun, arrived: Arrived) -> None:
        """The run had ended: the touchpoint may belong to the run after it, or begin that."""
        following = self._under_way(run.journey, run.key)
        entering = (p for p in self._live if p.journey == run.journey)
        program = next(entering, None)
        if following is not None and following.wants(arrived.touchpoint):
            following.offer(arrived)
        elif program is not None and program.enters_on(arrived.touchpoint.as_touchpoint()):
            await self._enter(arrived, program)
        else:
            reason = "the run had ended"
            self._fate(arrived, {"fate": "too_late", "run": run.workflow_id, "reason": reason})

    def _fate(self, arrived: Arrived, fate: Fate) -> None:
        given = arrived.touchpoint
        if given.number != given.arrival:
            fate = fate | {"number": given.number}
        self._fates.setdefault(given.touchpoint, []).append(fate)
