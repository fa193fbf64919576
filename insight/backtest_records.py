"""What a backtest made, as records for a database."""

from collections.abc import Sequence
from datetime import datetime

from contracts.made_records import (
    MadeCase,
    MadeCustomer,
    MadeDelivery,
    MadeRun,
    MadeTouchpoint,
)
from insight.rehearsal_world import Customer
from insight.rehearsed import RehearsedCase, RehearsedDelivery, RehearsedRun
from insight.sorted_recording import CustomerRecording
from journey.program import Program
from journey.standing import waits_for
from journey.touchpoint import Touchpoint

_STATES = {"asked": "intended"}


def made_customer(customer: str, name: str, known: Customer, since: datetime) -> MadeCustomer:
    """A customer. `since`: when they were first heard of."""
    return MadeCustomer(
        customer=customer, name=name, traits=known.traits, zone=known.zone, since=since
    )


def made_touchpoints(customer: str | None, recording: CustomerRecording) -> list[MadeTouchpoint]:
    """What was recorded of a customer, or about subjects only. What came twice is kept once."""
    found: dict[str, MadeTouchpoint] = {}
    for place, touchpoint in zip(recording.places, recording.touchpoints, strict=True):
        found.setdefault(touchpoint.message_id, _touchpoint(place, customer, touchpoint))
    return list(found.values())


def _touchpoint(place: int, customer: str | None, touchpoint: Touchpoint) -> MadeTouchpoint:
    subject = touchpoint.context.get("subject")
    about = None
    if isinstance(subject, dict):
        about = (str(subject.get("kind")), str(subject.get("id")))
    return MadeTouchpoint(
        place=place,
        message_id=touchpoint.message_id,
        event=touchpoint.event,
        at=touchpoint.timestamp,
        customer=customer,
        subject=about,
        properties=touchpoint.properties,
        context=touchpoint.context,
    )


def made_run(program: Program, run: RehearsedRun, now: datetime) -> MadeRun:
    """A run as it stands `now`."""
    state, under_way = run.state, run.outcome is None
    return MadeRun(
        entry=run.entry,
        workflow_id=run.workflow_id,
        customer=run.customer,
        key=run.key,
        entered_by=run.entered_by,
        entered_at=run.entered_at,
        held_out=state.held_out,
        sequence=state.sequence,
        recorded_at=run.trace[-1].at if run.trace else run.entered_at,
        stage=state.stage,
        waits_for=waits_for(program, state, now) if under_way else (),
        wakes_at=run.wakes_at,
        needs_attention=run.needs_attention if under_way else None,
        outcome=run.outcome,
        goal=state.goal,
        finished_at=run.ended_at,
        listens=tuple(sorted(run.listens)),
        stands=run.stands,
        stays=tuple(run.stays),
        trace=tuple(run.trace),
        promises=tuple(run.promises.values()),
    )


def made_deliveries(
    run: RehearsedRun, deliveries: Sequence[RehearsedDelivery], known: Customer
) -> list[MadeDelivery]:
    """The deliveries of a run, as the ledger would have them."""
    return [
        MadeDelivery(
            key=each.key,
            entry=run.entry,
            n=each.message.n,
            customer=run.customer,
            message=each.message.message,
            purpose=each.message.purpose,
            channel=each.channel,
            address=known.addresses.get(each.channel) if each.channel else None,
            state=_STATES.get(each.state, each.state),
            reason=each.reason,
            words=each.words,
            asked_at=each.asked_at,
            settled_at=each.settled_at if each.state in ("accepted", "refused") else None,
            replaces=each.message.replaces,
        )
        for each in deliveries
    ]


def made_case(case: RehearsedCase, known: Customer) -> MadeCase:
    """A case, under the entry that its id names."""
    entry, n = case.case.rsplit(":", 2)[1:]
    asked = case.asked
    profile = {**known.traits, "id": case.customer, "zone": known.zone}
    return MadeCase(
        case=case.case,
        entry=int(entry),
        n=int(n),
        workflow_id=case.workflow_id,
        customer=case.customer,
        queue=case.queue,
        brief=asked.brief,
        values={**asked.values, "customer": profile},
        decisions=asked.decisions,
        state=case.state,
        decision=case.decision,
        fields=case.fields,
        by=case.by,
        reason=case.reason,
        first_answer_by=asked.first_answer_by,
        resolve_by=asked.resolve_by,
        opened_at=case.opened_at,
        settled_at=case.settled_at,
    )
