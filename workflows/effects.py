"""How each effect that the machine asks for is carried out: one activity each."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, assert_never

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

from contracts import names
from contracts.customer_offer import (
    GrantCustomerOffer,
    OfferGranted,
    OfferSettled,
    SettleCustomerOffer,
)
from contracts.customer_traits import CustomerTraits, ReadCustomerTraits, SetCustomerTraits
from contracts.ids import effect_key
from contracts.journey_run import HandBack, RecordRun, RunReference
from contracts.message_delivery import DeliverMessage, MessageDelivered
from contracts.other_journey import OtherRunAsked, StartOtherRun
from contracts.service_call import ActivityCall, CallService, ServiceAnswered
from contracts.staff_case import CloseStaffCase, EscalateStaffCase, OpenStaffCase, StaffCaseChanged
from journey.effects import (
    NOT_SENT,
    CallActivity,
    CallOut,
    CloseCase,
    Deliver,
    Effect,
    EscalateCase,
    GrantOffer,
    OpenCase,
    ReadTraits,
    RunRecord,
    SettleOffer,
    SetTraits,
    StartRun,
)
from journey.happenings import (
    Answer,
    CallAnswer,
    CaseAnswer,
    DeliveryAnswer,
    Done,
    EffectFailed,
    EffectFinished,
    OfferAnswer,
    TraitsAnswer,
)
from journey.machine import LEAN_ENGINE
from journey.responses import host_of
from journey.touchpoint import Touchpoint
from workflows.activity_options import CALLED, DELIVERED, LOOKED_UP, WRITTEN, ActivityOptions

Result = TypeVar("Result")


@dataclass(slots=True, frozen=True, kw_only=True)
class Riding:
    """Records that ride in the input of an effect: the one to write first, and the one for when it was accepted."""

    record: RunRecord | None = None
    accepted: RunRecord | None = None


async def carry_out(
    effect: Effect, run: RunReference, riding: Riding, *, held_out: bool
) -> EffectFinished | EffectFailed | None:
    """Carry out an effect, and write down what rides along. None where it was cancelled."""
    record, accepted = riding.record, riding.accepted
    if record is not None and record.at == run.now:
        run = replace(run, now=NOT_SENT)
        if accepted is not None and accepted.stage == record.stage:
            riding = replace(riding, accepted=replace(accepted, stage=None))
    try:
        return EffectFinished(
            n=effect.n, answer=await _answer(effect, run, riding, held_out=held_out)
        )
    except ActivityError as error:
        cause = error.cause
        if isinstance(cause, ApplicationError):
            return EffectFailed(
                n=effect.n, error=cause.type or "ApplicationError", message=cause.message
            )
        if cause is not None and type(cause).__name__ == "CancelledError":
            return None
        return EffectFailed(
            n=effect.n, error=type(cause or error).__name__, message=str(cause or error)
        )
    except asyncio.CancelledError:
        return None


async def _answer(effect: Effect, run: RunReference, riding: Riding, *, held_out: bool) -> Answer:
    record = riding.record
    match effect:
        case Deliver():
            order = DeliverMessage(
                run=run, deliver=effect, held_out=held_out, record=record, accepted=riding.accepted
            )
            queue = names.delivery_queue(effect.purpose)
            words = f"Send {effect.message}"
            sent = await _activity(
                names.DELIVER_MESSAGE, order, MessageDelivered, DELIVERED, words, queue
            )
            return DeliveryAnswer(
                state=sent.state,
                reason=sent.reason,
                words=sent.words,
                channel=sent.channel,
                until=sent.until,
            )
        case OpenCase():
            order = OpenStaffCase(run=run, open=effect, record=record)
            words = f"Hand over to staff: {effect.queue}"
            case = await _activity(names.OPEN_CASE, order, StaffCaseChanged, WRITTEN, words)
            return CaseAnswer(case=case.case, clocked=case.clocked)
        case EscalateCase():
            order = EscalateStaffCase(run=run, escalate=effect, record=record)
            words = f"Escalate to {effect.queue}"
            case = await _activity(names.ESCALATE_CASE, order, StaffCaseChanged, WRITTEN, words)
            return CaseAnswer(case=case.case)
        case CloseCase():
            order = CloseStaffCase(run=run, close=effect, record=record)
            case = await _activity(
                names.CLOSE_CASE, order, StaffCaseChanged, WRITTEN, "Close the case"
            )
            return CaseAnswer(case=case.case)
        case ReadTraits():
            order = ReadCustomerTraits(run=run, read=effect, record=record)
            found = await _activity(
                names.READ_TRAITS, order, CustomerTraits, WRITTEN, "Read traits"
            )
            return TraitsAnswer(traits=found.traits)
        case SetTraits():
            order = SetCustomerTraits(run=run, set=effect, record=record)
            found = await _activity(
                names.SET_TRAITS, order, CustomerTraits, WRITTEN, "Write traits"
            )
            return TraitsAnswer(traits=found.traits)
        case GrantOffer() | SettleOffer() | CallOut() | CallActivity() | StartRun():
            return await _answer_from_outside(effect, run, record)
        case _:
            assert_never(effect)


async def _answer_from_outside(
    effect: GrantOffer | SettleOffer | CallOut | CallActivity | StartRun,
    run: RunReference,
    record: RunRecord | None,
) -> Answer:
    """Coupons, calls and other journeys."""
    match effect:
        case GrantOffer():
            order = GrantCustomerOffer(run=run, grant=effect, record=record)
            words = f"Give {effect.offer}"
            given = await _activity(names.GRANT_OFFER, order, OfferGranted, WRITTEN, words)
            return OfferAnswer(code=given.code, reason=given.reason)
        case SettleOffer():
            order = SettleCustomerOffer(run=run, settle=effect, record=record)
            words = f"The coupon is {effect.state}"
            await _activity(names.SETTLE_OFFER, order, OfferSettled, WRITTEN, words)
            return Done()
        case CallOut():
            order = CallService(run=run, call=effect, record=record)
            words = f"Call {host_of(effect.url)}"
            said = await _activity(
                names.CALL_SERVICE, order, ServiceAnswered, CALLED, words, names.CALLS_QUEUE
            )
            return CallAnswer(result=said.result)
        case CallActivity():
            return await _call_activity(effect, run)
        case StartRun():
            order = StartOtherRun(run=run, start=effect, record=record)
            words = f"Let the customer enter {effect.journey}"
            await _activity(names.START_RUN, order, OtherRunAsked, WRITTEN, words)
            return Done()


def carries_record(effect: Effect) -> bool:
    """Whether a record may ride in the input of what carries this effect out: an activity of ours."""
    return not isinstance(effect, CallActivity)


async def _call_activity(effect: CallActivity, run: RunReference) -> CallAnswer:
    key = effect_key(workflow.info().workflow_id, run.entry, effect.n)
    given = ActivityCall(key=key, journey=run.journey, customer=run.customer, values=effect.values)
    said: Any = await workflow.execute_activity(
        effect.activity,
        given,
        task_queue=effect.queue,
        summary=f"Call {effect.activity}",
        **CALLED,
    )
    return CallAnswer(result=said if isinstance(said, dict) else {"value": said})  # pyright: ignore[reportUnknownArgumentType] -- somebody else's JSON


async def _activity(
    name: str,
    order: Any,
    result: type[Result],
    options: ActivityOptions,
    words: str,
    queue: str | None = None,
) -> Result:
    return await workflow.execute_activity(
        name, order, result_type=result, task_queue=queue, summary=words, **options
    )


async def write_down(run: RunReference, record: RunRecord, engine: int) -> None:
    """Write a record down: within the task where it can be, else by an activity that is tried until it is there.

    A task that is to end the run is refused where a signal came meanwhile, and lived again with it;
    the run may go on then, and what it tells next undoes the end. Where somebody is told of the end,
    who cannot be told otherwise later, an activity writes it: that begins only when the server has
    taken the task.
    """
    order = RecordRun(run=run, record=record)
    try:
        if record.outcome is None:
            await workflow.execute_local_activity(names.RECORD_RUN, order, **LOOKED_UP)
            return
        if engine >= LEAN_ENGINE and await workflow.execute_local_activity(
            names.RECORD_END, order, result_type=bool, **LOOKED_UP
        ):
            return
    except FailureError:  # a local activity's failure comes bare, not as an ActivityError
        pass
    await workflow.execute_activity(
        names.RECORD_RUN, order, summary="Write down how it stands", **WRITTEN
    )


async def hand_back(run: RunReference, late: Sequence[Touchpoint], key: str | None) -> None:
    """Hand back what is not this run's, for the run that may follow it."""
    await workflow.execute_activity(
        names.HAND_BACK,
        HandBack(run=run, touchpoints=tuple(late), key=key),
        summary=f"Hand back {len(late)} for the run that follows",
        **WRITTEN,
    )
