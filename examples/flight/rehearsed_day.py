"""The flight day on the pure machine: no server, no clock, the whole day in seconds."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import orjson

from examples.flight.account import (
    Account,
    CaseRow,
    DeliveryRow,
    PromiseRow,
    RunRow,
    account,
)
from examples.flight.chance import Chance
from examples.flight.day import Day
from examples.flight.desk import CaseSeen
from examples.flight.itinerary import Occurrence
from examples.flight.naive import naive
from insight.rehearsal import Rehearsal
from insight.rehearsal_world import Customer, Decided, Incoming
from insight.rehearsed import Rehearsed, RehearsedCase
from journey.effects import Effect
from journey.program import Program
from journey.publication import read_definition
from journey.touchpoint import Touchpoint

JOURNEY = Path(__file__).with_name("journey.yaml")
MESSAGES = Path(__file__).with_name("messages")


def flight_program() -> Program:
    """The flight journey, checked against its messages as at publication."""
    messages = {message.name.partition(".")[0]: None for message in MESSAGES.glob("*.md")}
    return read_definition(JOURNEY.read_text(encoding="utf-8"), JOURNEY.name, messages).program


class FlightWorld:
    """Answers the runs of a day: everyone has e-mail, staff are the day's desk."""

    def __init__(self, day: Day, *, seed: int = 1) -> None:
        self._day = day
        self._chance = Chance(seed)

    def customer(self, customer: str) -> Customer:
        passenger = self._day.passengers[customer]
        return Customer(addresses={"email": passenger.email}, traits=dict(passenger.traits))

    def takes(self, key: str, effect: Effect) -> timedelta:
        return timedelta(milliseconds=self._chance.whole(40, 2_500, "takes", key))

    def staff(self, case: RehearsedCase) -> Decided | None:
        decided = self._day.staff(seen(case))
        return Decided(
            after=decided.after, decision=decided.decision, fields=decided.fields, by=decided.by
        )

    def follow_up(self, case: RehearsedCase, at: datetime) -> Iterable[Incoming]:
        done = self._day.follow_up(seen(case), case.decision or "", case.fields, at)
        return [incoming(occurrence) for occurrence in done]


def seen(case: RehearsedCase) -> CaseSeen:
    """A rehearsed case as the day's desk sees it."""
    return CaseSeen(
        case=case.case,
        user_id=case.customer,
        queue=case.asked.queue,
        opened_at=case.opened_at,
        brief=orjson.dumps(case.asked.values.get("bag")).decode(),
        decisions=tuple(case.asked.decisions),
    )


def incoming(occurrence: Occurrence) -> Incoming:
    """An occurrence of the day as a touchpoint on its way in."""
    touchpoint = Touchpoint(
        message_id=occurrence.message_id,
        event=occurrence.event,
        timestamp=occurrence.at,
        properties=occurrence.properties,
        context=occurrence.context,
    )
    return Incoming(at=occurrence.at, touchpoint=touchpoint, customer=occurrence.user_id)


def rehearsal_of(day: Day, program: Program | None = None) -> Rehearsal:
    """A rehearsal with the day's touchpoints ahead of it; `go_on` lets them happen."""
    rehearsal = Rehearsal(program or flight_program(), FlightWorld(day))
    rehearsal.feed(incoming(occurrence) for occurrence in day.stream())
    return rehearsal


def fly(day: Day, program: Program | None = None) -> Rehearsed:
    """The whole day on the pure machine."""
    return rehearsal_of(day, program).go_on(day.ends)


def account_of(day: Day, rehearsed: Rehearsed, seconds: float = 0.0) -> Account:
    """The account of a rehearsed day, with the naive one beside it."""
    open_cases = {case.workflow_id for case in rehearsed.cases.values() if case.state == "open"}
    return account(
        passengers=day.passengers,
        runs=[
            RunRow(
                user_id=run.customer,
                outcome=run.outcome,
                with_staff=run.workflow_id in open_cases,
                stuck=run.needs_attention is not None,
            )
            for run in rehearsed.all_runs()
        ],
        deliveries=[
            DeliveryRow(
                user_id=delivery.customer,
                message=delivery.message.message,
                state=delivery.state,
                reason=delivery.reason,
                words=delivery.words,
            )
            for delivery in rehearsed.deliveries.values()
        ],
        promises=[
            PromiseRow(name=promise.name, state=promise.state, reason=promise.reason)
            for _, promise in rehearsed.promises()
        ],
        cases=[
            CaseRow(queue=case.asked.queue, state=case.state, decision=case.decision)
            for case in rehearsed.cases.values()
        ],
        touchpoints=rehearsed.touchpoints,
        seconds=seconds,
        naive=naive(day),
    )
