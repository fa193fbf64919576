"""How work goes for staff, counted from what happened, in business time of the queue."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from journey.business_time import BusinessCalendar
from journey.staff_figures import (
    Happened,
    WorkedCase,
    load_over_the_day,
    member_figures,
    place_figures,
    queue_figures,
    spread,
)

MONDAY = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
OFFICE = BusinessCalendar(zone="UTC")
HOUR = 3600.0


def at(hours: float, did: str, who: str = "clew", why: str = "", **detail: JsonValue) -> Happened:
    return Happened(at=MONDAY + timedelta(hours=hours), who=who, did=did, why=why, detail=detail)


def case(
    *happened: Happened, queue: str = "sales", place: str | None = None, name: str = "1:1"
) -> WorkedCase:
    return WorkedCase(case=name, queue=queue, service="repair", place=place, happened=happened)


def queues(*cases: WorkedCase, now: float = 48, since: float = 0):
    told = (MONDAY + timedelta(hours=each) for each in (since, now))
    return queue_figures(cases, lambda _: OFFICE, *told)


def members(*cases: WorkedCase, now: float = 48):
    return member_figures(cases, lambda _: OFFICE, MONDAY, MONDAY + timedelta(hours=now))


SOLVED = case(at(16, "opened"), at(34, "claimed", "eva"), at(35, "decided called", "eva"))
"""Opened on Monday at four, taken on Tuesday at ten: two business hours; decided an hour later."""


def test_a_night_is_no_waiting() -> None:
    sales = queues(SOLVED)["sales"]

    assert (sales.first_answer.p50, sales.resolution.p50) == (2 * HOUR, 3 * HOUR)
    assert (sales.opened, sales.resolved, sales.decisions) == (1, 1, {"called": 1})


def test_a_member_s_resolution_counts_from_when_they_took_it() -> None:
    eva = members(SOLVED)["eva"]

    assert (eva.first_answer.p50, eva.resolution.p50, eva.within_authority) == (2 * HOUR, HOUR, 1)


def test_what_nobody_has_waits_and_what_somebody_has_is_in_hand() -> None:
    waits = case(at(10, "opened"), name="1:1")
    held = case(at(10, "opened"), at(11, "given", to="jan", how="least-loaded"), name="1:2")
    back = case(at(10, "opened"), at(11, "claimed", "eva"), at(12, "let go", "eva"), name="1:3")

    sales = queues(waits, held, back, now=14)["sales"]

    assert (sales.waiting.count, sales.waiting.p50, sales.waiting.p90) == (2, 2 * HOUR, 4 * HOUR)
    assert sales.in_hand == 1
    assert {name: each.in_hand for name, each in members(waits, held, back, now=14).items()} == {
        "jan": 1,
        "eva": 0,
    }


def test_what_is_opened_again_is_counted_for_whoever_decided_it() -> None:
    again = case(*SOLVED.happened, at(36, "reopened", "customer"), at(37, "claimed", "jan"))

    assert queues(again)["sales"].reopened == 1
    figures = members(again)
    assert (figures["eva"].reopened, figures["jan"].reopened, figures["jan"].in_hand) == (1, 0, 1)
    assert queues(again)["sales"].first_answer.count == 2


def test_an_escalation_counts_where_the_case_was_not_where_it_went() -> None:
    moved = case(
        at(10, "opened"),
        at(12, "escalated", deadline="first_answer", to="leads", **{"from": "sales"}),
        at(13, "claimed", "lea"),
        queue="leads",
    )
    figures = queues(moved)

    assert (figures["sales"].opened, figures["sales"].escalated) == (1, 1)
    assert (figures["leads"].opened, figures["leads"].escalated, figures["leads"].in_hand) == (
        0,
        0,
        1,
    )
    assert figures["leads"].first_answer.p50 == HOUR


def test_decisions_within_and_above_authority_are_told_apart() -> None:
    asked = case(
        at(10, "opened"),
        at(10, "claimed", "eva"),
        at(11, "asked for approval", "eva", decision="granted"),
        at(12, "approved", "lea", of="eva"),
        at(12, "decided granted", "lea"),
    )
    refused = case(
        at(10, "opened"),
        at(10, "claimed", "eva"),
        at(11, "asked for approval", "eva"),
        at(12, "disapproved", "lea", of="eva"),
        at(13, "decided called", "eva"),
        name="1:2",
    )
    eva = members(asked, refused)["eva"]

    assert (eva.above_authority, eva.approved, eva.refused) == (2, 1, 1)
    assert (eva.within_authority, eva.resolved) == (1, 2)


def test_what_staff_lacked_is_told_in_their_words() -> None:
    said = case(*SOLVED.happened, at(35, "lacked", "eva", "the price list"))

    assert members(said)["eva"].lacked == queues(said)["sales"].lacked == ("the price list",)


def test_what_happened_before_the_time_asked_for_only_sets_the_scene() -> None:
    sales = queues(SOLVED, since=34.5)["sales"]

    assert (sales.opened, sales.first_answer.count, sales.resolved) == (0, 0, 1)
    assert sales.resolution.p50 == 3 * HOUR


def test_the_same_service_is_compared_by_place() -> None:
    brno = case(*SOLVED.happened, place="brno")
    prague = case(at(10, "opened"), at(10, "claimed", "jan"), place="prague", name="1:2")
    since, now = MONDAY, MONDAY + timedelta(hours=48)

    figures = place_figures([brno, prague], lambda _: OFFICE, since, now)

    assert figures["repair", "brno"].first_answer.p50 == 2 * HOUR
    assert figures["repair", "prague"].first_answer.p50 == 0
    assert place_figures([brno], lambda _: OFFICE, since, now) == {}


def test_load_over_the_day_stands_against_the_room_there_is() -> None:
    held = case(at(9.5, "opened"), at(10, "claimed", "eva"), at(12.5, "decided called", "eva"))

    load = load_over_the_day([held], OFFICE, lambda _: 8, MONDAY, MONDAY + timedelta(hours=24))

    assert [each.hour for each in load] == list(range(9, 17))
    assert [each.in_hand for each in load] == [0, 1, 1, 1, 0, 0, 0, 0]
    assert [each.opened for each in load][:2] == [1, 0]
    assert {each.capacity for each in load} == {8}


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_half_and_nine_tenths_are_values_that_were_measured(values: Sequence[float]) -> None:
    found = spread(values)

    assert found.p50 is not None
    assert found.p90 is not None
    assert {found.p50, found.p90} <= set(values)
    assert found.p50 <= found.p90
    assert sum(each <= found.p50 for each in values) * 2 >= len(values)
    assert sum(each <= found.p90 for each in values) * 10 >= len(values) * 9
