"""A customer's run through a journey: it waits, and carries out what the machine asks."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from contracts import names
from contracts.clock import RunClock
from contracts.converter import REFUSED, Answer
from contracts.ids import named_by
from contracts.journey_run import (
    Admitted,
    CarriedRun,
    DefinitionFound,
    JourneyResult,
    MoveRun,
    NotAdmitted,
    RunReference,
)
from contracts.search_attributes import VERSION
from journey.effects import Effect, TraceEntry
from journey.first_record import first_record
from journey.happenings import (
    AlarmFired,
    Arrived,
    Happening,
    Moved,
    ToldToLeave,
)
from journey.machine import LEAN_ENGINE, advance
from journey.program import Program
from journey.standing import next_alarm
from journey.state import State
from journey.touchpoint import RefusedTouchpointError, Touchpoint
from workflows.activity_options import WRITTEN
from workflows.alarm import Alarm
from workflows.effects import Riding, carries_record, hand_back, write_down
from workflows.entering import (
    ask_admission,
    check_engine,
    check_nudge,
    hold_program,
    make_findable,
    not_admitted,
)
from workflows.inbox import UPDATES, EngineOrder, Inbox, MoveOrder, Order, one_object, read_order
from workflows.pending_record import PendingRecord
from workflows.standing import decisions_told, standing, story
from workflows.start_request import StartRequest, read_start
from workflows.under_way import UnderWay

EVENTS_PER_RUN = 1_000
"""An idle run is replayed for each touchpoint: short histories are speed."""

TOUCHPOINTS_AT_ONCE = 200
"""A task has two seconds of processor time before it is taken for stuck; a touchpoint takes about 0.3 ms."""

TOUCHPOINTS_PER_RUN = 4_000
"""Hundreds come in one signal, and all of them are looked at again in a replay, for which a task has ten seconds."""

SIGNALS_PER_RUN = 1_500
"""At 10,000 signals the server refuses every further one for good, whatever the history holds."""


@workflow.defn(dynamic=True, sandboxed=False)
class CustomerJourney:
    """One customer in one journey, from entry to outcome, however long that takes.

    Dynamic, so that no start, signal or update can fail a task by its shape: all are read from raw
    values. The wire names are in contracts/names.py. Not sandboxed, which halves its cost: it is
    held by the lint bans on clock, chance and environment, and by replay of recorded histories.
    """

    def __init__(self) -> None:
        self._inbox = Inbox()
        self._alarm = Alarm()
        self._pending = PendingRecord()
        self._under_way = UnderWay()
        self._decisions: deque[TraceEntry] = deque(maxlen=50)
        self._looked_at = self._taken = self._obeyed = 0
        self._run: RunReference | None = None
        self._program: Program | None = None
        self._state = State()
        self._engine = 0
        self._next_engine = 0
        self._late: list[Touchpoint] = []
        self._over = False
        self._clock: RunClock | None = None

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> JourneyResult:
        """Live through the journey. Cancellation from outside is being told to leave."""
        whole = asyncio.create_task(self._live(args))
        while True:
            try:
                return await asyncio.shield(whole)
            except asyncio.CancelledError:
                if whole.cancelled():
                    raise
                self._inbox.orders.append(ToldToLeave(reason="cancelled from outside"))

    async def _live(self, args: Sequence[RawValue]) -> JourneyResult:
        carried_on = workflow.info().continued_run_id is not None
        refusal = await (self._carry_on(args) if carried_on else self._enter(args))
        if refusal is None:
            await self._settle()
            while not self._state.finished:
                await self._continue_as_new_where_due()
                await workflow.wait_condition(self._something_came)
                await self._settle()
        self._alarm.stop()
        self._over = True
        await self._close()
        return refusal or self._result()

    async def _close(self) -> None:
        """Answer whoever asked, and hand back what came after the end: it may begin the next run.

        A task that closes the run is refused where a signal came meanwhile, and lived again with it.
        """
        while self._late or self._inbox.touchpoints or not workflow.all_handlers_finished():
            await workflow.wait_condition(workflow.all_handlers_finished)
            if self._program is not None:
                await self._settle()
            late = [*self._late, *self._inbox.touchpoints]
            self._late, self._inbox.touchpoints = [], []
            if late and self._run is not None:
                await hand_back(self._reference(), late, self._state.key)

    def _result(self) -> JourneyResult:
        state, run = self._state, self._reference()
        return JourneyResult(
            outcome=state.outcome or "", goal=state.goal, journey=run.journey, entry=run.entry
        )

    # -- entering

    async def _enter(self, args: Sequence[RawValue]) -> JourneyResult | None:
        kind = workflow.info().workflow_type
        if kind != names.WORKFLOW_TYPE:
            return not_admitted("unknown_workflow_type", f"{kind} is not {names.WORKFLOW_TYPE}")
        try:
            start = read_start(one_object(args))
        except RefusedTouchpointError as error:
            return not_admitted("unreadable_start", str(error))
        self._clock = start.clock
        asked_at = self._now()
        answer = await ask_admission(start, self._inbox, asked_at)
        if isinstance(answer, NotAdmitted):
            self._run = RunReference(
                entry=0, journey=start.journey, customer=start.customer, clock=self._clock
            )
            self._state.key = start.key
            return not_admitted(answer.reason, answer.detail, start.journey)
        await self._begin(start, answer, asked_at)
        return None

    async def _begin(self, start: StartRequest, admitted: Admitted, asked_at: datetime) -> None:
        program = self._program = await hold_program(admitted.version)
        self._engine = admitted.engine
        check_engine(self._engine)
        self._run = RunReference(
            entry=admitted.entry,
            journey=start.journey,
            customer=admitted.customer,
            clock=self._clock,
        )
        make_findable(start.journey, admitted.version, admitted.customer)
        entering = None
        if admitted.entering is not None:
            entering = self._inbox.touchpoints.pop(admitted.entering)
            self._looked_at += 1
        entered = admitted.happening(start.key, entering)
        if self._engine < LEAN_ENGINE:
            self._advance(entered)
            return
        self._pending.expect(first_record(program, entered, asked_at))
        self._advance(entered)
        self._wait_from_here()

    # -- living

    def _something_came(self) -> bool:
        inbox = self._inbox
        return bool(
            inbox.touchpoints or inbox.orders or self._under_way.answers or self._alarm.fired
        )

    async def _settle(self) -> None:
        """Look at all that came; an exit among it wins over everything else."""
        while self._something_came() or not self._pending.is_empty:
            if self._inbox.touchpoints:
                await self._arrive()
            orders, self._inbox.orders = self._inbox.orders, []
            self._taken += len(orders)
            for order in orders:
                await self._obey(order)
                self._obeyed += 1
            for answer in self._under_way.take():
                self._advance(answer)
            fired = self._alarm.take()
            if fired is not None:
                self._advance(AlarmFired(at=fired))
            self._wait_from_here()
            record = self._pending.take()
            if record is not None:
                await write_down(self._sent_reference(), record, self._engine)

    def _wait_from_here(self) -> None:
        self._alarm.set(next_alarm(self._state), self._now, self._clock)
        self._show()

    async def _arrive(self) -> None:
        """Let in what came, so many at once; the rest in tasks of their own, each well within its time."""
        came = tuple(self._inbox.touchpoints)
        now, behind = came[:TOUCHPOINTS_AT_ONCE], came[TOUCHPOINTS_AT_ONCE:]
        self._advance(Arrived(touchpoints=now, behind=behind))
        if self._state.outcome is not None:
            now, behind = came, ()
        self._inbox.touchpoints = list(behind)
        self._looked_at += len(now)
        if behind:
            await workflow.sleep(timedelta(milliseconds=1), summary=f"{len(behind)} more to let in")
        if self._late and self._state.outcome is None:
            # It asks for an entry that this run is in the way of: who asked is told so by the router.
            late, self._late = self._late, []
            await hand_back(self._reference(), late, self._state.key)

    async def _obey(self, order: Order) -> None:
        if isinstance(order, EngineOrder):
            self._next_engine = order.engine
            return
        if not isinstance(order, MoveOrder):
            self._advance(order)
            return
        move = MoveRun(run=self._reference(), version=order.version)
        words = f"Move to {order.version[:12]}"
        try:
            await workflow.execute_activity(
                names.MOVE_RUN, move, result_type=DefinitionFound, summary=words, **WRITTEN
            )
        except ActivityError as error:
            self._inbox.refuse(f"move to {order.version[:12]}: {error.cause or error}")
            return
        program = await hold_program(order.version)
        workflow.upsert_search_attributes([VERSION.value_set(order.version)])
        if self._state.outcome is None:
            # What is done at the end goes on under the version that ended: another has no such steps.
            self._program = program
        self._advance(Moved(address=order.step, reason="told to move"))

    def _advance(self, happening: Happening) -> None:
        program, now = self._held_program(), self._now()
        advanced = advance(program, self._state, happening, now)
        self._state = advanced.state
        for words in advanced.refused:
            self._inbox.refuse(words)
        self._late.extend(advanced.late)
        self._decisions.extend(advanced.record.trace)
        self._pending.add(happening, advanced.record)
        for effect in advanced.effects:
            if effect.n in self._state.outstanding:
                record = self._pending.take() if carries_record(effect) else None
                accepted = self._pending.hope(effect, program, self._state, now)
                self._start(effect, Riding(record=record, accepted=accepted))
        for record in self._under_way.call_off(self._state.outstanding):
            self._pending.put_back(record)

    def _start(self, effect: Effect, riding: Riding) -> None:
        held_out = self._state.held_out
        # Somebody else's activity is told who it is for; ours read it in the workflow id.
        run = self._sent_reference() if carries_record(effect) else self._reference()
        self._under_way.start(effect, run, riding, held_out=held_out)

    def _now(self) -> datetime:
        now = workflow.now()
        if self._clock is not None:
            now = self._clock.now(now)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def _reference(self) -> RunReference:
        assert self._run is not None
        return replace(self._run, now=self._now())

    def _sent_reference(self) -> RunReference:
        """The same without what the workflow id says."""
        run = self._reference()
        named = named_by(workflow.info().workflow_id)
        if self._engine < LEAN_ENGINE or named != (run.journey, run.customer):
            return run
        return replace(run, journey="", customer="")

    def _held_program(self) -> Program:
        assert self._program is not None
        return self._program

    # -- continuing as new

    async def _continue_as_new_where_due(self) -> None:
        if not self._is_long():
            return
        await workflow.wait_condition(workflow.all_handlers_finished)
        if not self._something_came():
            workflow.continue_as_new(args=[self._carried()])

    def _is_long(self) -> bool:
        info = workflow.info()
        if self._inbox.received >= SIGNALS_PER_RUN:
            return True
        if self._under_way:
            return False
        return (
            info.is_continue_as_new_suggested()
            or info.get_current_history_length() >= EVENTS_PER_RUN
            or self._next_engine not in (0, self._engine)
            or (self._looked_at >= TOUCHPOINTS_PER_RUN and self._engine >= LEAN_ENGINE)
        )

    def _carried(self) -> CarriedRun:
        run, inbox = self._reference(), self._inbox
        return CarriedRun(
            journey=run.journey,
            customer=run.customer,
            key=self._state.key,
            version=self._held_program().version,
            engine=self._next_engine or self._engine,
            entry=run.entry,
            state=self._state,
            clock=self._clock,
            inbox=tuple(inbox.touchpoints),
            refused=tuple(inbox.refused),
        )

    async def _carry_on(self, args: Sequence[RawValue]) -> None:
        converter = workflow.payload_converter()
        carried: CarriedRun = converter.from_payload(args[0].payload, CarriedRun)
        self._program = await hold_program(carried.version)
        self._engine, self._clock, self._state = carried.engine, carried.clock, carried.state
        check_engine(self._engine)
        self._run = RunReference(
            entry=carried.entry,
            journey=carried.journey,
            customer=carried.customer,
            clock=carried.clock,
        )
        self._inbox.touchpoints[:0] = carried.inbox
        self._inbox.refused.extendleft(reversed(carried.refused))
        for asked in list(self._state.outstanding.values()):
            if not asked.held:
                self._start(asked.effect, Riding())
        self._wait_from_here()

    # -- being told and asked

    @workflow.signal(dynamic=True)
    def on_signal(self, name: str, args: Sequence[RawValue]) -> None:
        """Any signal at all; what cannot be read is among the run's refused touchpoints."""
        self._inbox.take_signal(name, args, self._now())

    @workflow.update(dynamic=True)
    async def on_update(self, name: str, args: Sequence[RawValue]) -> Answer:
        """`touchpoint_now`, `leave`, `move` and `nudge`: as the signals, and answered when the run has done it."""
        told, before, inbox = one_object(args), self._state.sequence, self._inbox
        if name == names.UPDATE_TOUCHPOINT_NOW:
            inbox.received += 1
            inbox.touchpoints.append(inbox.read(told, self._now()))
            place = self._looked_at + len(inbox.touchpoints)
            await workflow.wait_condition(
                lambda: self._over or (self._looked_at >= place and self._run is not None)
            )
        else:
            inbox.orders.append(read_order(name, told))
            place = self._taken + len(inbox.orders)
            await workflow.wait_condition(lambda: self._over or self._obeyed >= place)
        decided = [entry.why for entry in self._decisions if entry.sequence > before]
        return Answer({**self.status(), "decided": decided})

    @on_update.validator
    def _check_update(self, name: str, args: Sequence[RawValue]) -> None:
        """Refused updates leave no trace in the history."""
        try:
            if name not in UPDATES:
                raise RefusedTouchpointError(f"no such update; they are {', '.join(UPDATES)}")
            told = one_object(args)
            if name == names.UPDATE_TOUCHPOINT_NOW:
                self._inbox.read(told, self._now())
            else:
                read_order(name, told)
            if name == names.UPDATE_NUDGE:
                check_nudge(self._engine)
        except RefusedTouchpointError as error:
            raise ApplicationError(str(error), type=REFUSED, non_retryable=True) from None

    @workflow.query(name=names.QUERY_STATUS)
    def status(self) -> Answer:
        """Where the run stands, what it waits for and when it wakes."""
        told = standing(self._program, self._state, self._now())
        return Answer({**told, "engine": self._engine, "refused": list(self._inbox.refused)})

    @workflow.query(name=names.QUERY_EXPLAIN)
    def explain(self) -> Answer:
        """The latest decisions, each with its reason, oldest first; all of them are in the record."""
        refused = list(self._inbox.refused)
        return Answer({"decisions": decisions_told(self._decisions), "refused": refused})

    def _show(self) -> None:
        if self._program is not None:
            told = story(self._program, self._state, self._now(), list(self._decisions))
            workflow.set_current_details(told)
