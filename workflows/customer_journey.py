"""A customer's run through a journey: it waits, and carries out what the machine asks."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from contracts import names
from contracts.clock import RunClock
from contracts.journey_run import (
    Admission,
    Admitted,
    AdmitRun,
    CarriedRun,
    DefinitionFound,
    FindDefinition,
    JourneyResult,
    MoveRun,
    NotAdmitted,
    RunReference,
)
from contracts.search_attributes import CUSTOMER, JOURNEY, VERSION
from journey.effects import NOT_SENT, Deliver, Effect, RunRecord, TraceEntry
from journey.happenings import (
    AlarmFired,
    Arrived,
    DeliveryAnswer,
    EffectFailed,
    EffectFinished,
    Entered,
    Happening,
    Moved,
    Resumed,
    ToldToLeave,
)
from journey.machine import KNOWN_ENGINES, advance, needs_attention, next_alarm, waits_for
from journey.program import Program
from journey.programs import PROGRAMS
from journey.state import State
from journey.touchpoint import RefusedTouchpointError
from workflows.activity_options import FOUND, LOOKED_UP, WRITTEN
from workflows.effects import Riding, carry_out, write_down
from workflows.inbox import Inbox, MoveOrder, one_object
from workflows.start_request import StartRequest, read_start

EVENTS_PER_RUN = 1_000
"""An idle run is replayed for each touchpoint: short histories are speed."""

SIGNALS_PER_RUN = 1_500
"""At 10,000 signals the server refuses every further one for good, whatever the history holds."""

RECORD_MAY_LAG = timedelta(minutes=1)
"""How far the wake-up time in the record may be from the run's own before it is written anew."""

FIRST_TOUCHPOINT_WITHIN = timedelta(minutes=1)
"""How long a run that was started without a signal waits for the touchpoint that it enters by."""


@workflow.defn(dynamic=True, sandboxed=False)
class CustomerJourney:
    """One customer in one journey, from entry to outcome, however long that takes.

    Dynamic, so that no start, signal or update can fail a task by its shape: all are read from raw
    values. The wire names are in contracts/names.py. Not sandboxed, which halves its cost: it is
    held by the lint bans on clock, chance and environment, and by replay of recorded histories.
    """

    def __init__(self) -> None:
        self._inbox = Inbox()
        self._answers: list[EffectFinished | EffectFailed] = []
        self._fired: datetime | None = None
        self._alarm: tuple[datetime, asyncio.Task[None]] | None = None
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._decisions: deque[TraceEntry] = deque(maxlen=50)
        self._pending: RunRecord | None = None
        self._looked_at = 0
        self._queued = 0
        self._run: RunReference | None = None
        self._program: Program | None = None
        self._state = State()
        self._hoped: RunRecord | None = None
        self._engine = 0
        self._clock: RunClock | None = None

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> JourneyResult:
        """Live through the journey. Cancellation from outside is being told to leave."""
        story = asyncio.create_task(self._story(args))
        while True:
            try:
                return await asyncio.shield(story)
            except asyncio.CancelledError:
                if story.cancelled():
                    raise
                self._inbox.orders.append(ToldToLeave(reason="cancelled from outside"))

    async def _story(self, args: Sequence[RawValue]) -> JourneyResult:
        refusal = await (self._carry_on(args) if workflow.info().continued_run_id else self._enter(args))
        if refusal is not None:
            await workflow.wait_condition(workflow.all_handlers_finished)
            return refusal
        while True:
            await self._settle()
            if self._state.finished:
                break
            if self._should_continue_as_new():
                await workflow.wait_condition(workflow.all_handlers_finished)
                if not self._something_came():
                    workflow.continue_as_new(args=[self._carried()])
            await workflow.wait_condition(self._something_came)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if self._alarm:
            self._alarm[1].cancel()
        run = self._reference()
        return JourneyResult(
            outcome=self._state.outcome or "", goal=self._state.goal, journey=run.journey, entry=run.entry
        )

    # -- entering

    async def _enter(self, args: Sequence[RawValue]) -> JourneyResult | None:
        info = workflow.info()
        if info.workflow_type != names.WORKFLOW_TYPE:
            return self._refused("unknown_workflow_type", f"{info.workflow_type} is not {names.WORKFLOW_TYPE}")
        try:
            start = read_start(one_object(args))
        except RefusedTouchpointError as error:
            return self._refused("unreadable_start", str(error))
        self._clock = start.clock
        if not self._inbox.touchpoints:
            workflow.set_current_details(f"Waiting for the touchpoint that enters **{start.journey}**")
            try:
                await workflow.wait_condition(
                    lambda: bool(self._inbox.touchpoints),
                    timeout=FIRST_TOUCHPOINT_WITHIN,
                    timeout_summary="the touchpoint that it enters by",
                )
            except TimeoutError:
                pass  # admission says what that means
        answer = await self._admit(start)
        if isinstance(answer, NotAdmitted):
            return self._refused(answer.reason, answer.detail, start.journey)
        await self._begin(start, answer)
        return None

    async def _admit(self, start: StartRequest) -> Admitted | NotAdmitted:
        info = workflow.info()
        order = AdmitRun(
            workflow_id=info.workflow_id,
            first_run_id=info.first_execution_run_id,
            journey=start.journey,
            customer=start.customer,
            key=start.key,
            version=start.version,
            began_at=info.workflow_start_time,
            now=self._now(),
            arrived=tuple(self._inbox.touchpoints[:20]),
        )
        workflow.set_current_details(f"Asking whether this customer may enter **{start.journey}**")
        try:
            admission = await workflow.execute_local_activity(
                names.ADMIT, order, result_type=Admission, **LOOKED_UP
            )
        except ActivityError:
            admission = await workflow.execute_activity(
                names.ADMIT, order, result_type=Admission, summary="May this customer enter?", **WRITTEN
            )
        return admission.answer

    async def _begin(self, start: StartRequest, admitted: Admitted) -> None:
        info = workflow.info()
        await self._hold_program(admitted.version)
        self._engine = admitted.engine
        self._check_engine()
        self._run = RunReference(
            entry=admitted.entry, journey=start.journey, customer=admitted.customer, clock=self._clock
        )
        known = info.typed_search_attributes
        if known.get(JOURNEY) is None or known.get(VERSION) != admitted.version:
            workflow.upsert_search_attributes(
                [
                    JOURNEY.value_set(start.journey),
                    VERSION.value_set(admitted.version),
                    CUSTOMER.value_set(admitted.customer),
                ]
            )
        came = self._take_touchpoints()
        entering = came[admitted.entering] if admitted.entering is not None else None
        self._advance(
            Entered(
                entry=admitted.entry,
                customer=admitted.customer,
                key=start.key,
                zone=admitted.zone,
                held_out=admitted.held_out,
                traits=admitted.traits,
                entering=entering,
                others=tuple(touchpoint for touchpoint in came if touchpoint is not entering),
            )
        )

    async def _carry_on(self, args: Sequence[RawValue]) -> JourneyResult | None:
        carried: CarriedRun = workflow.payload_converter().from_payload(args[0].payload, CarriedRun)
        await self._hold_program(carried.version)
        self._engine, self._clock, self._state = carried.engine, carried.clock, carried.state
        self._check_engine()
        self._run = RunReference(
            entry=carried.entry, journey=carried.journey, customer=carried.customer, clock=carried.clock
        )
        self._inbox.touchpoints[:0] = carried.inbox
        self._inbox.refused.extendleft(reversed(carried.refused))
        for asked in list(self._state.outstanding.values()):
            if not asked.held:
                self._start(asked.effect, Riding())
        return None

    def _check_engine(self) -> None:
        if self._engine not in KNOWN_ENGINES:
            # Fails the task, never the run: a worker that knows this engine takes it up.
            raise RuntimeError(f"this worker does not know engine {self._engine}; deploy one that does")

    async def _hold_program(self, version: str) -> None:
        """Hold the program by a strong reference; where its definition is missing, say so and wait until it is there."""
        missing = PROGRAMS.get(version) is None
        # The marker makes a replay, which may find what was missing then, take the same path.
        if (missing or workflow.unsafe.is_replaying()) and workflow.patched("definition-was-missing"):
            workflow.set_current_details(f"**Stopped**: definition `{version}` cannot be found. Publish it again.")
            await workflow.execute_activity(
                names.FIND_DEFINITION,
                FindDefinition(version=version),
                result_type=DefinitionFound,
                summary=f"Find definition {version[:12]}",
                **FOUND,
            )
        self._program = PROGRAMS.get(version)
        if self._program is None:
            raise RuntimeError(f"definition {version} cannot be found: publish it again; the run goes on by itself")

    def _refused(self, reason: str, detail: str, journey: str = "") -> JourneyResult:
        workflow.set_current_details(f"Not admitted: {reason}. {detail}")
        return JourneyResult(outcome="not_admitted", reason=f"{reason}: {detail}" if detail else reason, journey=journey)

    # -- living

    def _something_came(self) -> bool:
        return bool(self._inbox.touchpoints or self._inbox.orders or self._answers or self._fired)

    async def _settle(self) -> None:
        """Look at all that came; an exit among it wins over everything else."""
        while self._something_came() or self._pending is not None:
            if self._inbox.touchpoints:
                self._advance(Arrived(touchpoints=tuple(self._take_touchpoints())))
            for order in self._take_orders():
                await self._obey(order)
            answers, self._answers = self._answers, []
            for answer in answers:
                self._advance(answer)
            if self._fired is not None:
                fired, self._fired = self._fired, None
                self._advance(AlarmFired(at=fired))
            self._set_alarm()
            self._show()
            if self._pending is not None:
                record, self._pending = self._pending, None
                await write_down(self._reference(), record)

    def _take_touchpoints(self) -> list:
        touchpoints, self._inbox.touchpoints = self._inbox.touchpoints, []
        self._looked_at += len(touchpoints)
        return touchpoints

    def _take_orders(self) -> list:
        orders, self._inbox.orders = self._inbox.orders, []
        return orders

    async def _obey(self, order: ToldToLeave | Resumed | MoveOrder) -> None:
        if not isinstance(order, MoveOrder):
            self._advance(order)
            return
        run = self._reference()
        move = MoveRun(run=run, version=order.version)
        try:
            await workflow.execute_activity(
                names.MOVE_RUN, move, result_type=DefinitionFound, summary=f"Move to {order.version[:12]}", **WRITTEN
            )
        except ActivityError as error:
            self._inbox.refuse(f"move to {order.version[:12]}: {error.cause or error}")
            return
        await self._hold_program(order.version)
        workflow.upsert_search_attributes([VERSION.value_set(order.version)])
        self._advance(Moved(address=order.step, reason="told to move"))

    def _advance(self, happening: Happening) -> None:
        assert self._program is not None  # noqa: S101 -- held before anything can happen
        advanced = advance(self._program, self._state, happening, self._now())
        self._state = advanced.state
        for words in advanced.refused:
            self._inbox.refuse(words)
        self._decisions.extend(advanced.record.trace)
        if _accepted(happening) and self._came_as_hoped(advanced.record):
            return
        self._hoped = None
        record = _joined(self._pending, advanced.record)
        self._pending = record if record.trace or record.promises or record.listens is not None else self._pending
        for effect in advanced.effects:
            if effect.n in self._state.outstanding:
                record, self._pending = self._pending, None
                self._start(effect, Riding(record=record, accepted=self._hoped_for(effect)))
        for n in [n for n in self._tasks if n not in self._state.outstanding]:
            self._tasks.pop(n).cancel()

    def _hoped_for(self, effect: Effect) -> RunRecord | None:
        """How the run will stand once this message was accepted, where that is all that will happen.

        It rides along and is written by the delivery itself: the run need not write it in an event of its own.
        """
        self._hoped = None
        if not isinstance(effect, Deliver) or len(self._state.outstanding) != 1 or self._program is None:
            return None
        happening = EffectFinished(n=effect.n, answer=DeliveryAnswer(state="accepted"))
        hoped = advance(self._program, self._state, happening, self._now())
        record = hoped.record
        if hoped.effects or record.outcome or record.promises or record.listens is not None:
            return None
        self._hoped = record
        undated = tuple(replace(entry, at=NOT_SENT) for entry in record.trace)
        return replace(record, at=NOT_SENT, trace=undated)

    def _came_as_hoped(self, record: RunRecord) -> bool:
        hoped, self._hoped = self._hoped, None
        if hoped is None or hoped.sequence != record.sequence or hoped.stage != record.stage:
            return False
        if [entry.address for entry in hoped.trace] != [entry.address for entry in record.trace]:
            return False
        if (hoped.wakes_at is None) != (record.wakes_at is None):
            return False
        if hoped.wakes_at is not None and record.wakes_at is not None:
            return abs(record.wakes_at - hoped.wakes_at) < RECORD_MAY_LAG
        return True

    def _start(self, effect: Effect, riding: Riding) -> None:
        self._tasks[effect.n] = asyncio.create_task(self._carry_out(effect, riding))

    async def _carry_out(self, effect: Effect, riding: Riding) -> None:
        answer = await carry_out(effect, self._reference(), riding, held_out=self._state.held_out)
        if answer is not None and self._tasks.pop(effect.n, None) is not None:
            self._answers.append(answer)

    def _set_alarm(self) -> None:
        """Keep one timer: one that fires before the next alarm is left to fire."""
        at = next_alarm(self._state)
        if at is None or (self._alarm is not None and self._alarm[0] <= at):
            return
        if self._alarm is not None:
            self._alarm[1].cancel()
        self._alarm = (at, asyncio.create_task(self._ring(at)))

    async def _ring(self, at: datetime) -> None:
        span = at - self._now()
        if self._clock is not None:
            span = self._clock.wall_duration(span)
        try:
            await workflow.sleep(max(span, timedelta(milliseconds=1)), summary=f"{at:%Y-%m-%d %H:%M} UTC")
        except asyncio.CancelledError:
            return
        self._alarm, self._fired = None, at

    def _now(self) -> datetime:
        now = workflow.now()
        if self._clock is not None:
            now = self._clock.now(now)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def _reference(self) -> RunReference:
        assert self._run is not None  # noqa: S101 -- set before anything can happen
        return replace(self._run, now=self._now())

    # -- continuing as new

    def _should_continue_as_new(self) -> bool:
        if self._inbox.received >= SIGNALS_PER_RUN:
            return True
        info = workflow.info()
        long = info.is_continue_as_new_suggested() or info.get_current_history_length() >= EVENTS_PER_RUN
        return long and not self._tasks

    def _carried(self) -> CarriedRun:
        run = self._reference()
        return CarriedRun(
            journey=run.journey,
            customer=run.customer,
            key=self._state.key,
            version=self._program.version if self._program else "",
            engine=self._engine,
            entry=run.entry,
            state=self._state,
            clock=self._clock,
            inbox=tuple(self._inbox.touchpoints),
            refused=tuple(self._inbox.refused),
        )

    # -- being told and asked

    @workflow.signal(dynamic=True)
    def on_signal(self, name: str, args: Sequence[RawValue]) -> None:
        """Any signal at all; what cannot be read is among the run's refused touchpoints."""
        self._inbox.take_signal(name, args, self._now())

    @workflow.update(dynamic=True)
    async def on_update(self, name: str, args: Sequence[RawValue]) -> dict[str, Any]:
        """`touchpoint_now`, `leave` and `move`: as the signals, and answered when the run has done it."""
        told = one_object(args)
        before = self._state.sequence
        if name == names.UPDATE_TOUCHPOINT_NOW:
            self._inbox.received += 1
            self._inbox.touchpoints.append(self._inbox.read(told, self._now()))
            place = self._looked_at + len(self._inbox.touchpoints)
            await workflow.wait_condition(lambda: self._looked_at >= place and self._run is not None)
        elif name == names.UPDATE_LEAVE:
            self._inbox.orders.append(ToldToLeave(reason=str(told.get("reason") or "told to leave")[:200]))
            await workflow.wait_condition(lambda: not self._inbox.orders)
        else:
            step = told.get("step")
            order = MoveOrder(version=str(told.get("version")), step=str(step) if step is not None else None)
            self._inbox.orders.append(order)
            await workflow.wait_condition(lambda: not self._inbox.orders)
        decided = [entry.why for entry in self._decisions if entry.sequence > before]
        return {**self.status(), "decided": decided}

    @on_update.validator
    def _check_update(self, name: str, args: Sequence[RawValue]) -> None:
        """Refused updates leave no trace in the history."""
        known = (names.UPDATE_TOUCHPOINT_NOW, names.UPDATE_LEAVE, names.UPDATE_MOVE)
        try:
            if name not in known:
                raise RefusedTouchpointError(f"no such update; the updates are {', '.join(known)}")
            told = one_object(args)
            if name == names.UPDATE_TOUCHPOINT_NOW:
                self._inbox.read(told, self._now())
            if name == names.UPDATE_MOVE and not isinstance(told.get("version"), str):
                raise RefusedTouchpointError("version: expected the version to move to, as text")
        except RefusedTouchpointError as error:
            raise ApplicationError(str(error), type="RefusedTouchpointError", non_retryable=True) from None

    @workflow.query(name=names.QUERY_STATUS)
    def status(self) -> dict[str, Any]:
        """Where the run stands, what it waits for and when it wakes."""
        state, run = self._state, self._run
        alarm = next_alarm(state)
        return {
            "journey": run.journey if run else None,
            "version": self._program.version if self._program else None,
            "customer": state.customer or None,
            "key": state.key,
            "entry": state.entry,
            "engine": self._engine,
            "stage": state.stage,
            "waits_for": list(waits_for(self._program, state, self._now())) if self._program else [],
            "wakes_at": alarm.isoformat() if alarm else None,
            "outcome": state.outcome,
            "goal": state.goal,
            "needs_attention": needs_attention(state),
            "applied": state.arrivals,
            "refused": list(self._inbox.refused),
        }

    @workflow.query(name=names.QUERY_EXPLAIN)
    def explain(self) -> dict[str, Any]:
        """The latest decisions, each with its reason, oldest first; all of them are in the record."""
        return {
            "decisions": [
                {"sequence": d.sequence, "at": d.at.isoformat(), "step": d.address, "kind": d.kind, "why": d.why}
                for d in self._decisions
            ],
            "refused": list(self._inbox.refused),
        }

    def _show(self) -> None:
        """What a person sees in the Temporal Web UI without decoding anything; costs no event."""
        if self._program is None:
            return
        state = self._state
        lines = [f"**{self._program.title}**", f"Stage: **{state.stage}**" if state.stage else ""]
        attention = needs_attention(state)
        if attention:
            lines.append(f"**Stopped**: {attention}. Mend the cause, then send the signal `{names.SIGNAL_RESUME}`.")
        lines += [f"- waits for {words}" for words in waits_for(self._program, state, self._now())]
        lines += [f"- {entry.at:%Y-%m-%d %H:%M} {entry.why}" for entry in list(self._decisions)[-8:]]
        workflow.set_current_details("\n".join(line for line in lines if line))


def _accepted(happening: Happening) -> bool:
    if not isinstance(happening, EffectFinished) or not isinstance(happening.answer, DeliveryAnswer):
        return False
    return happening.answer.state == "accepted"


def _joined(earlier: RunRecord | None, later: RunRecord) -> RunRecord:
    if earlier is None:
        return later
    settled = {promise.n: promise for promise in (*earlier.promises, *later.promises)}
    return replace(
        later,
        trace=(*earlier.trace, *later.trace),
        promises=tuple(settled.values()),
        listens=later.listens if later.listens is not None else earlier.listens,
    )
