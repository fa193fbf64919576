from datetime import timedelta

from examples.flight.day import Day
from examples.flight.departures import departures
from examples.flight.desk import CaseSeen
from examples.flight.passengers import generate
from insight.rehearsed import Rehearsed
from tests.unit.examples.flown_days import STORM

Flown = tuple[Day, Rehearsed]


def test_the_stream_is_ordered_each_message_is_its_own_and_bookings_come_first(storm: Flown):
    day, _ = storm
    stream = day.stream()

    assert [one.at for one in stream] == sorted(one.at for one in stream)
    assert len({one.message_id for one in stream}) == len(stream)
    assert {one.event for one in stream[:300]} == {"Flight Booked"}
    assert stream[0].at == day.begins
    assert stream[-1].at <= day.ends


def test_the_stream_is_the_same_every_time(storm: Flown):
    day, _ = storm
    real = departures(STORM)

    assert Day(real, generate(real, 300)).stream() == day.stream()


def test_a_cancelled_flight_offers_only_flights_that_really_left(storm: Flown):
    day, _ = storm
    cancelled = [one for one in day.stream() if one.event == "Flight Cancelled"]
    offered = 0

    assert cancelled
    for one in cancelled:
        alternatives = one.properties["alternatives"]
        assert isinstance(alternatives, list)
        for alternative in alternatives:
            assert isinstance(alternative, dict)
            entry = day.board.entries[str(alternative["flight"])]
            assert not entry.departure.cancelled
            assert entry.departure.left >= one.at + timedelta(minutes=60)
            offered += 1
    assert offered > 0


def test_delays_are_announced_before_the_flight_was_to_leave_or_on_the_taxiway(storm: Flown):
    day, _ = storm
    for entry in day.board.entries.values():
        times = [notice.at for notice in entry.notices]
        assert times == sorted(times)
        assert all(notice.at <= entry.departure.landed for notice in entry.notices)
        assert entry.boards_by <= entry.departure.left


def test_nobody_does_anything_for_a_flight_after_it_was_cancelled(storm: Flown):
    day, _ = storm
    for one in day.stream():
        if one.user_id is not None and one.event != "Flight Booked":
            entry = day.board.entries[day.passengers[one.user_id].legs[0].flight]
            assert entry.cancelled_at is None or one.at < entry.cancelled_at


def test_all_flights_can_be_told_of_for_a_full_board():
    real = departures(STORM)
    day = Day(real, generate(real, 5), flights="all")
    told = {one.subject[1] for one in day.stream() if one.subject}

    assert {departure.flight for departure in real} - told == {
        departure.flight
        for departure in real
        if not departure.cancelled and departure.left > day.ends
    }


def test_an_escalated_case_is_still_decided_as_what_it_is(storm: Flown):
    day, flown = storm
    case = next(case for case in flown.cases.values() if "refunded" in case.asked.decisions)
    seen = CaseSeen(
        case=case.case,
        user_id=case.customer,
        queue="duty-managers",
        opened_at=case.opened_at,
        decisions=tuple(case.asked.decisions),
    )

    assert day.staff(seen).decision in ("rebooked", "refunded")
