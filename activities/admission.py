"""Admission: whether a run may begin, decided once, for good."""

from dataclasses import dataclass, replace

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.admission_desk import (
    AdmissionDesk,
    AdmissionDesks,
    EarlierAnswer,
    Entrant,
    EntryHistory,
    NewEntry,
    Refusal,
    UnknownDefinitionError,
)
from contracts.ids import workflow_id
from contracts.journey_run import (
    Admission,
    AdmitRun,
    Admitted,
    DefinitionFound,
    FindDefinition,
    MoveRun,
    NotAdmitted,
)
from contracts.names import ADMIT, FIND_DEFINITION, MOVE_RUN
from journey.conditions import ConditionError
from journey.first_record import first_record
from journey.machine import LEAN_ENGINE
from journey.program import Program
from journey.programs import PROGRAMS, Programs
from journey.touchpoint import MERGED_OUTCOME, Touchpoint

UNKNOWN_DEFINITION = "UnknownDefinitionError"
"""Type of the failure where a version is not in the store."""


_ERASED = NotAdmitted(
    reason="erased", detail="the customer is erased: nothing more is kept of them"
)


@dataclass(slots=True, frozen=True, kw_only=True)
class Refused:
    """Why one touchpoint does not bring its customer in."""

    reason: str
    detail: str = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class Admissions:
    """Decides who enters, and finds the definitions that runs need."""

    desks: AdmissionDesks
    programs: Programs = PROGRAMS

    @activity.defn(name=ADMIT)
    async def admit(self, order: AdmitRun) -> Admission:
        """Admit the run or say why not, in one transaction. Asked again, the answer is the same."""
        async with self.desks.desk(order) as desk:
            earlier = await desk.earlier_answer()
            if earlier is not None:
                return _answered(order, await self._same_again(desk, order, earlier))
            version = order.version or await desk.live_version(order.journey)
            program = await self._program(desk, version) if version else None
            if program is None or program.journey != order.journey:
                return Admission(answer=await _unknown(desk, order, version))
            entrant = await desk.entrant(order.customer)
            if entrant.erased:
                return Admission(answer=_ERASED)
            if entrant.formerly is not None:
                return Admission(answer=await _forward(desk, order, program, entrant))
            return _answered(order, await self._decide(desk, order, program, entrant))

    @activity.defn(name=MOVE_RUN)
    async def move_run(self, order: MoveRun) -> DefinitionFound:
        """Move the run to another version of its journey. Moving twice is moving once."""
        try:
            await self.desks.move(order.run, order.version)
        except UnknownDefinitionError as error:
            raise ApplicationError(
                str(error), type=UNKNOWN_DEFINITION, non_retryable=True
            ) from error
        return DefinitionFound(version=order.version)

    @activity.defn(name=FIND_DEFINITION)
    async def find_definition(self, order: FindDefinition) -> DefinitionFound:
        """Find a definition that a run could not find; retried until it is published again."""
        canonical = await self.desks.definition(order.version)
        if canonical is None:
            raise ApplicationError(
                f"version {order.version} is not in the store; publish its definition again",
                type=UNKNOWN_DEFINITION,
            )
        self.programs.add(canonical)
        return DefinitionFound(version=order.version)

    async def _program(self, desk: AdmissionDesk, version: str) -> Program | None:
        held = self.programs.get(version)
        if held is not None:
            return held
        canonical = await desk.definition(version)
        return None if canonical is None else self.programs.add(canonical)

    async def _decide(
        self, desk: AdmissionDesk, order: AdmitRun, program: Program, entrant: Entrant
    ) -> Admitted | NotAdmitted:
        wanting = [t for t in order.arrived if program.enters_on(t)]
        history = await desk.history(
            order.journey, entrant.customer, order.key, [t.message_id for t in wanting]
        )
        if history.under_way and history.under_way.workflow_id == order.workflow_id:
            # Only one execution lives under a workflow id: the recorded one was ended from outside.
            await desk.supersede(history.under_way.entry)
            history = replace(history, under_way=None)
        verdicts = [(t, _verdict(t, order, program, entrant, history)) for t in wanting]
        entering = next((t for t, refused in verdicts if refused is None), None)
        refused = _refused(order, program, entrant, history, entering, verdicts)
        refused = refused or await _capped(desk, order, program)
        if refused is not None:
            return await _refuse(desk, order, program, entrant, history, refused, verdicts)
        assert entering is not None
        values = program.entry_values(entering, entrant.profile)
        new = NewEntry(
            order=order,
            customer=entrant.customer,
            version=program.version,
            entering_message_id=entering.message_id,
            held_out=program.held_out(entrant.customer),
            listens=program.subjects(values, order.key, entrant.profile),
            holds=program.holds,
            priority=program.definition.priority,
        )
        given = await desk.enter(new)
        admitted = Admitted(
            entry=given.entry,
            version=program.version,
            engine=given.engine,
            customer=entrant.customer,
            entering=order.arrived.index(entering),
            held_out=new.held_out,
        )
        return await _begun(desk, order, program, entrant, admitted)

    async def _same_again(
        self, desk: AdmissionDesk, order: AdmitRun, earlier: EarlierAnswer
    ) -> Admitted | NotAdmitted:
        if earlier.state == "not_admitted" or earlier.version is None:
            return NotAdmitted(reason=earlier.reason, detail=earlier.detail)
        program = await self._program(desk, earlier.version)
        if program is None:
            raise LookupError(f"version {earlier.version} is gone; publish its definition again")
        entrant = await desk.entrant(earlier.customer)
        messages = [touchpoint.message_id for touchpoint in order.arrived]
        message = earlier.entering_message_id
        admitted = Admitted(
            entry=earlier.entry,
            version=earlier.version,
            engine=earlier.engine,
            customer=earlier.customer,
            entering=messages.index(message) if message in messages else None,
            held_out=earlier.held_out,
        )
        return await _begun(desk, order, program, entrant, admitted)


def _answered(order: AdmitRun, answer: Admitted | NotAdmitted) -> Admission:
    if isinstance(answer, NotAdmitted):
        return Admission(answer=answer)
    sent = answer.answering(order) if answer.engine >= LEAN_ENGINE else answer
    return Admission(answer=sent, version=answer.version)


async def _begun(
    desk: AdmissionDesk, order: AdmitRun, program: Program, entrant: Entrant, admitted: Admitted
) -> Admitted:
    """The same with what is known of the customer.

    How a run stands that only waits at first is written down with it: it costs no event then.
    """
    traits = {name: entrant.traits[name] for name in program.traits if name in entrant.traits}
    admitted = replace(admitted, zone=entrant.zone, traits=traits)
    if admitted.engine >= LEAN_ENGINE:
        entering = None if admitted.entering is None else order.arrived[admitted.entering]
        first = first_record(program, admitted.happening(order.key, entering), order.now)
        if first is not None:
            await desk.write_first(admitted.entry, first)
    return admitted


Verdicts = list[tuple[Touchpoint, Refused | None]]


def _verdict(
    touchpoint: Touchpoint,
    order: AdmitRun,
    program: Program,
    entrant: Entrant,
    history: EntryHistory,
) -> Refused | None:
    """Why this touchpoint does not bring the customer in, if it does not."""
    if touchpoint.message_id in history.used:
        return Refused(reason="already_entered", detail=f"by message {touchpoint.message_id}")
    try:
        if not program.entry_wanted(touchpoint, entrant.profile):
            return Refused(reason="not_wanted", detail="the entry condition does not hold")
    except ConditionError as error:
        return Refused(reason="not_wanted", detail=str(error))
    try:
        key = program.entry_key(touchpoint, entrant.profile)
    except ConditionError as error:
        return Refused(reason="wrong_key", detail=str(error))
    if key != order.key:
        detail = f"the run was started with key {order.key!r}, the journey says {key!r}"
        return Refused(reason="wrong_key", detail=detail)
    return None


def _refused(
    order: AdmitRun,
    program: Program,
    entrant: Entrant,
    history: EntryHistory,
    entering: Touchpoint | None,
    verdicts: Verdicts,
) -> Refused | None:
    """Why the run may not begin, if it may not."""
    if not verdicts:
        return Refused(
            reason="no_entering_touchpoint", detail=f"the journey enters on {program.entry_event!r}"
        )
    if entering is None:
        return verdicts[0][1]
    if history.under_way is not None:
        return Refused(reason="already_running", detail=history.under_way.workflow_id)
    zone = entrant.zone or program.zone
    if not program.again.allows(history.previous, order.now, zone):
        detail = f"entered last at {history.previous:%Y-%m-%d %H:%M}Z"
        once = program.again.kind == "never"
        return Refused(reason="entered_before" if once else "too_soon", detail=detail)
    return None


async def _capped(desk: AdmissionDesk, order: AdmitRun, program: Program) -> Refused | None:
    """Whether as many have entered as may: counted back from now, exactly."""
    cap = program.definition.enter.cap
    if cap is None:
        return None
    for most, span, words in cap.limits():
        entered = await desk.entered_since(order.journey, order.now - span)
        if entered >= most:
            return Refused(reason="capped", detail=f"{entered} have entered {words}; {most} may")
    return None


async def _refuse(
    desk: AdmissionDesk,
    order: AdmitRun,
    program: Program,
    entrant: Entrant,
    history: EntryHistory,
    refused: Refused,
    verdicts: Verdicts,
) -> NotAdmitted:
    if history.under_way is not None:
        # Whatever came along belongs to the run that is under way.
        await desk.hand_over(entrant.customer, history.under_way.workflow_id, order.arrived)
    await desk.refuse(
        Refusal(
            order=order,
            customer=entrant.customer,
            version=program.version,
            reason=refused.reason,
            detail=refused.detail,
            fates={t.message_id: (own or refused).reason for t, own in verdicts},
        )
    )
    return NotAdmitted(reason=refused.reason, detail=refused.detail)


async def _forward(
    desk: AdmissionDesk, order: AdmitRun, program: Program, entrant: Entrant
) -> NotAdmitted:
    """The customer became another one: what came is theirs now, and may begin a run of theirs."""
    history = await desk.history(order.journey, entrant.customer, order.key, [])
    under_way = history.under_way
    if under_way is not None and under_way.workflow_id == order.workflow_id:
        # Only one execution lives under a workflow id: the recorded one was ended from outside.
        await desk.supersede(under_way.entry)
        under_way = None
    following = workflow_id(order.journey, entrant.customer, order.key)
    run = under_way.workflow_id if under_way is not None else following
    await desk.hand_over(entrant.customer, run, order.arrived)
    detail = f"this customer became {entrant.customer}"
    await desk.refuse(
        Refusal(
            order=order,
            customer=entrant.customer,
            version=program.version,
            reason=MERGED_OUTCOME,
            detail=detail,
            fates={t.message_id: MERGED_OUTCOME for t in order.arrived if program.enters_on(t)},
            forwarded=True,
        )
    )
    return NotAdmitted(reason=MERGED_OUTCOME, detail=detail)


async def _unknown(desk: AdmissionDesk, order: AdmitRun, version: str | None) -> NotAdmitted:
    detail = f"{order.journey!r} has no version {version}"
    if version is None:
        detail = f"{order.journey!r} is not live"
    entrant = await desk.entrant(order.customer)
    if entrant.erased:
        return _ERASED
    await desk.refuse(
        Refusal(
            order=order,
            customer=entrant.customer,
            version=None,
            reason="unknown_journey",
            detail=detail,
        )
    )
    return NotAdmitted(reason="unknown_journey", detail=detail)
