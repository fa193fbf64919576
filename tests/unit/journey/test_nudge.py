"""A nudge: who waits at a step goes on now, as if the time for it were over, and nothing else is overridden."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from journey.effects import Deliver, Effect, OpenCase
from journey.happenings import AlarmFired, CaseAnswer, DeliveryAnswer
from journey.program import Program
from tests.unit.journey.story import NOON, Run, deferred, entered, on, program

LATER = NOON + timedelta(days=2)
HELD = DeliveryAnswer(state="deferred", reason="capped", until=LATER)
ASK = (
    "ask: {as: stay, survey: stay, type: nps, purpose: service, %suntil: 5d, "
    "late: [{send: {message: never-mind, purpose: service}}]}"
)
SEND = "send: {message: news, purpose: marketing, good_for: 9d}"
RUN = "run: {journey: other, wait: true, until: 3d, late: [{finish: nobody-came}]}"
CASE = (
    "handoff: {queue: desk, brief: Help, decisions: {yes: {}}, first_answer: 4h, "
    "escalate_to: leads, resolve: 3d, late: [{finish: undecided}]}"
)
SIDE_BY_SIDE = """
keep: {legs: event.properties.legs}
stages:
  - stage: only
    steps:
      - for_each:
          of: run.legs
          as: leg
          at_most: 3
          do: [{wait: 2d}, {send: {message: leg-is-near, purpose: service}}]
      - finish: over
"""


def waiting(journey: Program, put_off: DeliveryAnswer | None = None) -> Run:
    """Anna, who has come to the first thing that she waits for."""
    anna = entered(journey, busy=(Deliver,) if put_off else (), legs=["a", "b"])
    if put_off is not None:
        anna.answers(anna.deliveries[0], put_off)
        anna.busy = ()
    return anna


WAIT = "wait: {until: 3d, late: [{send: {message: m, purpose: service}}]}"
MET = "wait: {any: [{on: Came}], until: 3d, late: [{finish: a}]}"
WAITING: dict[str, Callable[[], Run]] = {
    "a wait": lambda: waiting(on(WAIT, "finish: a")),
    "a wait for somebody": lambda: waiting(on(MET, "finish: b")),
    "a wait that begins a wait": lambda: waiting(on("wait: 3d", "wait: 1d", "finish: a")),
    "the reminder of a question": lambda: waiting(on(ASK % "remind: 1d, ", "finish: a")),
    "a question": lambda: waiting(on(ASK % "", "finish: a")),
    "another journey": lambda: waiting(on(RUN, "finish: a")),
    "a message put off": lambda: waiting(on(SEND, "finish: a"), HELD),
    "an invitation put off": lambda: waiting(on(ASK % "", "finish: a"), HELD),
    "a case of before cases had clocks": lambda: waiting(on(CASE, "finish: a")),
    "items side by side": lambda: waiting(program(SIDE_BY_SIDE)),
}  # fmt: skip


Decided = tuple[str, str, str]


def told(run: Run) -> tuple[list[Decided], list[Effect], object]:
    """What a run decided, asked for and became, without the times of it."""
    decided = [
        (each.address, each.kind, re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "then", each.why))
        for record in run.records
        for each in record.trace
        if each.kind != "nudged"
    ]
    asked = [
        replace(effect, expires=None) if isinstance(effect, Deliver) else effect
        for effect in run.effects
    ]
    stands = [
        (t.at, t.home, t.waiting and (t.waiting.kind, t.waiting.late)) for t in run.state.threads
    ]
    return decided, asked, (run.outcome, stands)


@pytest.mark.parametrize("name", WAITING)
def test_a_nudge_leads_to_what_its_time_would_lead_to(name: str) -> None:
    nudged, waited = WAITING[name](), WAITING[name]()
    at = nudged.state.threads[-1].at
    waited.until(waited.wakes_at or NOON)

    nudged.now += timedelta(hours=1)
    nudged.is_nudged(at)

    assert nudged.refused == []
    assert told(nudged) == told(waited)
    assert nudged.why.count("nudged: the shop is open again") == 1
    assert all(each.at <= nudged.now for record in nudged.records for each in record.trace)


def test_who_is_nudged_waits_anew_from_now() -> None:
    anna = entered(on("wait: 30d", "wait: 2d", "finish: over"))
    anna.after(hours=5)

    anna.is_nudged()

    assert anna.wakes_at == NOON + timedelta(hours=5, days=2)


def test_the_first_nudge_of_a_question_reminds_and_the_second_ends_it() -> None:
    anna = entered(on(ASK % "remind: 1d, ", "finish: over"))

    anna.is_nudged("only/stay")
    assert anna.messages == ["stay", "stay"]
    assert anna.wakes_at == NOON + timedelta(days=5)

    anna.is_nudged("only/stay")
    assert anna.messages == ["stay", "stay", "never-mind"]


def test_a_message_that_may_still_not_go_is_put_off_again() -> None:
    anna = entered(on(SEND, "finish: over"), busy=(Deliver,))
    anna.answers(anna.deliveries[0], deferred(LATER))

    anna.is_nudged()
    asked = anna.deliveries
    assert [each.n for each in asked] == [asked[0].n] * 2, "it is the same message"
    anna.answers(asked[-1], deferred(LATER))

    assert (anna.outcome, anna.wakes_at) == (None, LATER)
    assert "deferred: news: quiet_until, again at 2026-03-04 12:00 UTC" in anna.why[-1]


def test_what_stopped_at_the_step_is_tried_again() -> None:
    hello = "send: {message: hello, purpose: service, on_failure: stop}"
    anna = entered(on(hello, "finish: over"), busy=(Deliver,))
    anna.fails(anna.deliveries[0])
    assert anna.stopped

    anna.busy = ()
    anna.is_nudged()

    assert (anna.outcome, anna.messages) == ("over", ["hello", "hello"])
    assert "resumed: tried again" in anna.why


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        (("wait: {any: [{on: Came}], forever: true}", "finish: over"), "it waits for Came without"),
        ((CASE, "finish: over"), "without a deadline: move it instead"),
    ],
)
def test_who_waits_without_a_deadline_stays(steps: tuple[str, ...], why: str) -> None:
    anna = entered(on(*steps), busy=(OpenCase,))
    for case in anna.cases:
        anna.answers(case, CaseAnswer(case="case/1", clocked=True))
    before = list(anna.why)

    anna.is_nudged()

    assert why in anna.refused[-1]
    assert "move it instead" in anna.refused[-1]
    assert (anna.why, anna.outcome) == (before, None)


def test_who_does_not_stand_there_is_left_alone() -> None:
    anna = entered(on("wait: 30d", "wait: 2d", "finish: over"))

    anna.is_nudged("only/1")

    assert anna.refused == ["nobody stands at only/1"]
    assert anna.wakes_at == NOON + timedelta(days=30)


def test_a_promise_beside_the_way_is_not_nudged_into_being_late() -> None:
    promise = "promise: {as: soon, text: We call back, by: 2d, kept_by: {on: Called}}"
    anna = entered(on(promise, "wait: 9d", "finish: over"))

    anna.is_nudged("only/0")

    assert anna.refused == ["nobody stands at only/0"]


def test_who_has_ended_is_told_so() -> None:
    anna = entered(on("wait: 1d", "finish: over"))
    anna.after(days=2)

    anna.is_nudged()

    assert anna.refused == ["the journey has ended"]


def test_a_nudge_and_the_alarm_that_was_on_its_way_do_it_once() -> None:
    anna = entered(on("wait: 1d", "send: {message: m, purpose: service}", "wait: 9d", "finish: over"))  # fmt: skip
    due = anna.wakes_at or NOON
    anna.now = due

    anna.is_nudged()
    anna.happens(AlarmFired(at=due))

    assert anna.messages == ["m"]
    assert anna.wakes_at == due + timedelta(days=9)
