"""A case is never forgotten: its deadlines count in the hours of its queue, and each is dealt with once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey.case_clock import (
    Assign,
    CaseTimes,
    Deadline,
    Escalate,
    Expire,
    Pause,
    Remind,
    TakeBack,
    Wake,
    deadlines,
    due,
    standing_in_words,
)
from journey.opening_hours import OpeningHours
from journey.queues import Queue

PRAGUE = "Europe/Prague"
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(PRAGUE)).astimezone(UTC)


MONDAY = at("2026-11-30T10:00")


def queue(**more: Any) -> Queue:
    values: dict[str, Any] = {
        "queue": "sales",
        "zone": PRAGUE,
        "first_answer": "2 business hours",
        "resolve": "1 business day",
        **more,
    }
    return Queue.model_validate(values)


def case(**more: Any) -> CaseTimes:
    values: dict[str, Any] = {"state": "open", "opened_at": MONDAY, "queued_at": MONDAY, **more}
    return CaseTimes(**values)


def test_a_case_is_to_be_answered_and_decided_in_the_hours_of_its_queue() -> None:
    until = deadlines(case(queued_at=at("2026-11-30T16:00")), queue())
    assert until == {"first_answer": at("2026-12-01T10:00"), "resolve": at("2026-12-01T10:00")}


def test_what_the_journey_wrote_holds_before_what_the_queue_did() -> None:
    until = deadlines(case(first_answer="30m", resolve="3 business days"), queue())
    assert until == {"first_answer": at("2026-11-30T10:30"), "resolve": at("2026-12-03T10:00")}


def test_instants_that_an_older_run_counted_itself_stay() -> None:
    fixed: dict[Deadline, datetime] = {"first_answer": at("2026-11-30T11:11")}
    assert deadlines(case(fixed=fixed), queue())["first_answer"] == fixed["first_answer"]


def test_who_was_answered_waits_only_after_they_wrote_again() -> None:
    answered = case(state="claimed", assignee="eva", answered=True)
    with_next = queue(next_answer="1 business hours")
    assert "first_answer" not in deadlines(answered, with_next)
    wrote = replace(answered, waits_since=at("2026-11-30T16:30"))
    assert deadlines(wrote, with_next)["next_answer"] == at("2026-12-01T09:30")


def test_a_deadline_is_reminded_of_once_and_escalated_once() -> None:
    desk = queue(remind_before="30m", escalate_to="leads", resolve=None)
    times = case()
    assert due(times, desk, MONDAY).next_at == at("2026-11-30T11:30")

    [near] = due(times, desk, at("2026-11-30T11:30")).acts
    assert isinstance(near, Remind)
    times = replace(times, marks=times.marks | {near.mark})
    assert due(times, desk, at("2026-11-30T11:45")).acts == ()
    assert due(times, desk, at("2026-11-30T11:45")).next_at == at("2026-11-30T12:00")

    [late] = due(times, desk, at("2026-11-30T12:00")).acts
    assert isinstance(late, Escalate)
    assert late.to == "leads"
    times = replace(times, marks=times.marks | {late.mark})
    assert due(times, desk, at("2026-12-30T12:00")).acts == ()


def test_after_an_outage_what_was_due_is_done_in_its_order_and_nobody_is_reminded_late() -> None:
    desk = queue(remind_before="30m", escalate_to="leads")
    acts = due(case(), desk, at("2026-12-10T12:00")).acts
    assert [type(each) for each in acts] == [Remind, Escalate, Remind, Escalate]


def test_a_case_whose_journey_goes_on_without_it_expires_and_nothing_else_is_done() -> None:
    times = case(expires=True)
    assert due(times, queue(), at("2026-12-01T10:00")).acts == (Expire(),)


def test_while_the_customer_is_to_answer_no_deadline_runs_and_after_it_goes_on_where_it_was() -> (
    None
):
    begun = Pause(since=at("2026-11-30T11:00"))
    times = case(state="pending", assignee="eva", answered=True, pauses=(begun,))
    assert deadlines(times, queue()) == {}

    ended = replace(begun, until=at("2026-12-01T12:00"))
    times = replace(times, state="claimed", pauses=(ended,))
    # Nine hours at work went by meanwhile: six on Monday, three on Tuesday.
    assert deadlines(times, queue()) == {"resolve": at("2026-12-02T11:00")}


def test_who_does_nothing_or_is_away_loses_the_case() -> None:
    desk = queue(silent_after="2 business hours", resolve=None)
    times = case(state="claimed", assignee="eva", answered=True, acted_at=at("2026-11-30T16:00"))
    assert due(times, desk, at("2026-12-01T09:59")).acts == ()
    assert due(times, desk, at("2026-12-01T10:00")).acts == (TakeBack(why="silent"),)
    away = replace(times, away_from=at("2026-11-30T16:30"))
    assert due(away, desk, at("2026-11-30T16:00")).next_at == at("2026-11-30T16:30")
    assert due(away, desk, at("2026-11-30T16:30")).acts == (TakeBack(why="absent"),)


def test_what_was_put_off_comes_back() -> None:
    times = case(
        state="snoozed", assignee="eva", answered=True, snoozed_until=at("2026-12-05T09:00")
    )
    desk = queue(resolve=None)
    assert due(times, desk, MONDAY).next_at == at("2026-12-05T09:00")
    assert due(times, desk, at("2026-12-05T09:00")).acts == (Wake(),)


def test_work_that_is_given_out_is_given_when_somebody_comes() -> None:
    desk = queue(assign="least-loaded", first_answer=None, resolve=None)
    times = case(present_from=at("2026-12-01T09:00"))
    told = due(times, desk, MONDAY)
    assert told.acts == (Assign(),)
    assert told.next_at == at("2026-12-01T09:00")
    assert due(times, queue(first_answer=None, resolve=None), MONDAY).acts == ()


@pytest.mark.parametrize("state", ["resolved", "expired", "closed"])
def test_what_is_over_has_no_time(state: Any) -> None:
    told = due(case(state=state), queue(), at("2027-01-01T00:00"))
    assert (told.acts, told.next_at, told.deadlines) == ((), None, {})


def test_a_queue_that_moves_its_hours_moves_the_deadlines_of_open_cases() -> None:
    times, late = case(), OpeningHours(week={"monday": ["14:00-18:00"]})
    assert deadlines(times, queue())["first_answer"] == at("2026-11-30T12:00")
    assert deadlines(times, queue(hours=late))["first_answer"] == at("2026-11-30T16:00")


def test_what_was_escalated_is_not_again_when_the_hours_move() -> None:
    desk = queue(escalate_to="leads", resolve=None)
    [late] = due(case(), desk, at("2026-11-30T12:00")).acts
    assert isinstance(late, Escalate)
    times = case(marks=frozenset({late.mark}))
    moved = queue(
        escalate_to="leads", resolve=None, hours=OpeningHours(week={"monday": ["14:00-18:00"]})
    )
    assert due(times, moved, at("2026-12-30T12:00")).acts == ()


def test_a_case_says_how_it_stands() -> None:
    times = case(state="claimed", assignee="eva", answered=True)
    words = standing_in_words(times, queue(title="Sales desk"), deadlines(times, queue()))
    assert words == (
        "claimed in Sales desk, eva has it, decided by Tue 01 Dec 2026 10:00 Europe/Prague"
    )


@given(
    st.integers(0, 365 * 24 * 60),
    st.integers(0, 60 * 24 * 20),
    st.sampled_from(["open", "claimed", "snoozed", "pending", "reopened"]),
    st.booleans(),
)
def test_whatever_is_not_due_yet_is_looked_at_later_and_never_before_now(
    begins: int, minutes: int, state: Any, answered: bool
) -> None:
    opened = NEW_YEAR + timedelta(minutes=begins)
    times = CaseTimes(
        state=state,
        opened_at=opened,
        queued_at=opened,
        answered=answered,
        assignee=None if state in ("open", "reopened") else "eva",
        acted_at=opened,
        snoozed_until=opened + timedelta(days=3) if state in ("snoozed", "pending") else None,
    )
    desk = queue(remind_before="30m", silent_after="4 business hours", escalate_to="leads")
    now = opened + timedelta(minutes=minutes)
    told = due(times, desk, now)
    assert told.next_at is None or told.next_at > now
    assert told.acts or told.next_at is not None
