from datetime import timedelta

from examples.flight.departures import departures
from examples.flight.passengers import generate
from tests.unit.examples.flown_days import CALM, STORM


def test_the_same_seed_gives_the_same_passengers_and_another_one_does_not():
    real = departures(STORM)

    assert generate(real, 50, 7) == generate(real, 50, 7)
    assert generate(real, 50, 7) != generate(real, 50, 8)


def test_more_passengers_leave_the_featured_one_as_they_are():
    real = departures(STORM)

    assert generate(real, 10)[0] == generate(real, 200)[0]


def test_nobody_shares_a_booking_an_address_or_a_bag_tag():
    passengers = generate(departures(CALM), 2_000)
    tags = [bag.tag for passenger in passengers for bag in passenger.bags]

    assert len({passenger.user_id for passenger in passengers}) == 2_000
    assert len({passenger.pnr for passenger in passengers}) == 2_000
    assert len({passenger.email for passenger in passengers}) == 2_000
    assert len(set(tags)) == len(tags)


def test_about_a_quarter_connects_and_can_make_it_when_all_is_on_time():
    passengers = generate(departures(CALM), 2_000)
    connecting = [passenger for passenger in passengers if len(passenger.legs) == 2]

    assert 400 < len(connecting) < 600
    for passenger in connecting:
        first, onward = passenger.legs
        assert onward.origin == first.dest
        assert onward.departs - first.arrives >= timedelta(minutes=35)
        assert [flight.departs for flight in passenger.onward] == sorted(
            flight.departs for flight in passenger.onward
        )
        assert passenger.onward[0].departs > onward.departs


def test_the_featured_passenger_is_delayed_and_a_bag_of_theirs_is_lost():
    for day in (STORM, CALM):
        featured = [passenger for passenger in generate(departures(day), 30) if passenger.featured]

        assert len(featured) == 1
        assert (featured[0].legs[0].dep_delay or 0) >= 45
        assert [bag.fate for bag in featured[0].bags] == ["loaded", "lost"]


def test_nobody_is_generated_where_nobody_is_wanted():
    assert generate(departures(CALM), 0) == []
    assert generate([], 5) == []
