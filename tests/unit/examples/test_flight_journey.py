"""A whole day of real departures on the pure machine: scenario 1, told by its guarantees."""

from collections import defaultdict
from datetime import datetime, timedelta

import pytest

from examples.flight.day import Day
from examples.flight.rehearsed_day import account_of
from insight.rehearsed import Rehearsed
from tests.unit.examples.flown_days import CALM, STORM, flown

Flown = tuple[Day, Rehearsed]


def leaves(day: Day, user_id: str) -> datetime:
    return day.desk.first_leg(day.passengers[user_id]).left


def lands(day: Day, user_id: str) -> datetime:
    return day.desk.first_leg(day.passengers[user_id]).landed


def told(rehearsed: Rehearsed, message: str) -> list[tuple[str, datetime]]:
    return [
        (delivery.customer, delivery.settled_at)
        for delivery in rehearsed.deliveries.values()
        if delivery.message.message == message
        and delivery.state == "accepted"
        and delivery.settled_at is not None
    ]


@pytest.mark.parametrize("day", [STORM, CALM], ids=["storm", "calm"])
def test_the_day_balances_and_nobody_is_stuck(day):
    planned, rehearsed = flown(day)
    drawn = account_of(planned, rehearsed)

    assert drawn.balance(), drawn.as_json()
    assert drawn.passengers == 300
    assert drawn.finished > 280
    assert not [
        entry for _, entry in rehearsed.trace() if entry.kind in ("condition_error", "failed")
    ]


@pytest.mark.parametrize("seed", [2, 3])
def test_other_passengers_on_the_same_storm_balance_too(seed: int):
    drawn = account_of(*flown(STORM, 150, seed))

    assert drawn.balance(), drawn.as_json()


def test_the_same_seed_gives_the_same_account():
    again = flown.__wrapped__(STORM, 120, 5)
    once = flown.__wrapped__(STORM, 120, 5)

    assert account_of(*again).as_json() == account_of(*once).as_json()


@pytest.mark.parametrize("day", [STORM, CALM], ids=["storm", "calm"])
def test_nobody_is_told_that_their_bag_is_on_board_after_landing(day):
    planned, rehearsed = flown(day)

    for user_id, at in told(rehearsed, "bag-on-board"):
        assert at < lands(planned, user_id), user_id
    late = [d for d in rehearsed.deliveries.values() if d.message.message == "bag-on-board"]
    assert {d.reason for d in late if d.state == "refused"} == {"expired"}
    assert all(d.words.startswith("landed ") for d in late if d.reason == "expired")


def test_nobody_is_asked_to_check_in_for_a_flight_that_was_cancelled(storm: Flown):
    day, rehearsed = storm

    for user_id, at in told(rehearsed, "check-in"):
        booked = day.board.entries[day.passengers[user_id].legs[0].flight]
        rebooked = day.desk.first_leg(day.passengers[user_id]) != booked.departure
        assert booked.cancelled_at is None or at < booked.cancelled_at or rebooked
        assert at < leaves(day, user_id)


def test_every_passenger_of_a_cancelled_flight_is_with_staff_at_once(storm: Flown):
    day, rehearsed = storm
    opened = {
        case.customer: case for case in rehearsed.cases.values() if case.asked.queue == "rebooking"
    }
    cancelled = [p for p in day.passengers.values() if p.legs[0].cancelled]

    assert len(cancelled) > 100
    assert opened.keys() == {passenger.user_id for passenger in cancelled}
    for passenger in cancelled:
        announced = day.board.entries[passenger.legs[0].flight].cancelled_at
        assert announced is not None
        assert opened[passenger.user_id].opened_at - announced < timedelta(seconds=10)


def test_who_was_rebooked_flies_and_arrives(storm: Flown):
    _, rehearsed = storm
    rebooked = {
        c.customer
        for c in rehearsed.cases.values()
        if c.asked.queue == "rebooking" and c.decision == "rebooked"
    }
    outcomes = {
        run.customer: run.outcome for run in rehearsed.all_runs() if run.customer in rebooked
    }

    assert len(rebooked) > 10
    flew = [user_id for user_id, outcome in outcomes.items() if outcome == "arrived"]
    assert len(flew) >= len(rebooked) * 0.9


def test_a_broken_connection_is_with_staff_and_the_journey_goes_on_with_what_they_decide(
    storm: Flown,
):
    _, rehearsed = storm
    cases = [case for case in rehearsed.cases.values() if case.asked.queue == "connections"]
    runs = {run.customer: run for run in rehearsed.all_runs()}

    assert cases
    for case in cases:
        if case.decision == "rebooked":
            legs = runs[case.customer].state.values["legs"]
            assert isinstance(legs, list)
            assert case.fields["flight"] in [leg["flight"] for leg in legs if isinstance(leg, dict)]
            assert "connection-rebooked" in {
                d.message.message
                for d in rehearsed.deliveries.values()
                if d.customer == case.customer
            }


def test_a_delay_moves_every_later_promise(storm: Flown):
    day, rehearsed = storm
    moved = 0
    for run in rehearsed.all_runs():
        promises = {p.name: p for p in run.promises.values() if p.state in ("kept", "kept_late")}
        if "departure" not in promises:
            continue
        entry = day.board.entries[day.desk.first_leg(day.passengers[run.customer]).flight]
        departs = entry.said(entry.departure.left)[0]
        assert promises["departure"].by == departs + timedelta(minutes=15), run.customer
        if "bag_on_board" in promises and promises["bag_on_board"].state == "kept":
            assert promises["bag_on_board"].by is not None
            assert promises["bag_on_board"].by >= entry.boards_by - timedelta(minutes=10)
        moved += bool(entry.notices)
    assert moved > 10


def test_a_bag_that_is_not_on_board_is_with_staff_before_the_flight_leaves(storm: Flown):
    day, rehearsed = storm
    cases = [case for case in rehearsed.cases.values() if case.asked.queue == "baggage"]
    lost = defaultdict(int)
    for case in cases:
        assert case.opened_at < leaves(day, case.customer)
        lost[case.customer] += 1
        assert case.state == "resolved"
    flew = {run.customer for run in rehearsed.all_runs() if run.outcome == "arrived"}
    for passenger in day.passengers.values():
        missing = [bag for bag in passenger.bags if bag.fate != "loaded"]
        if passenger.user_id in flew:
            assert lost[passenger.user_id] == len(missing), passenger


def test_who_opted_in_and_parked_is_told_where_after_landing(calm: Flown):
    day, rehearsed = calm
    outcomes = {run.customer: run.outcome for run in rehearsed.all_runs()}
    wants = {
        passenger.user_id
        for passenger in day.passengers.values()
        if passenger.parking and passenger.parks and outcomes[passenger.user_id] == "arrived"
    }

    assert {user_id for user_id, _ in told(rehearsed, "parked-car")} == wants
    assert all(at >= lands(day, user_id) for user_id, at in told(rehearsed, "parked-car"))


def test_who_comes_and_boards_is_never_taken_for_absent(storm: Flown):
    day, rehearsed = storm
    for run in rehearsed.all_runs():
        passenger = day.passengers[run.customer]
        if passenger.checks_in != "never" and passenger.boards:
            assert run.outcome != "not-there", [e.why for e in run.trace]


def test_the_calm_day_has_no_rebooking_case(calm: Flown):
    _, rehearsed = calm

    assert not [case for case in rehearsed.cases.values() if case.asked.queue == "rebooking"]


def test_the_featured_passenger_has_a_story_worth_following(storm: Flown):
    day, rehearsed = storm
    featured = day.featured.user_id
    run = next(run for run in rehearsed.all_runs() if run.customer == featured)
    said = " ".join(entry.why for entry in run.trace)

    assert "moved: Your flight leaves on time" in said
    assert "late: Your bag flies with you" in said
    assert [case.decision for case in rehearsed.cases.values() if case.customer == featured] == [
        "follows-later"
    ]
    assert run.outcome == "arrived"
    assert {user_id for user_id, _ in told(rehearsed, "bag-follows")} >= {featured}
