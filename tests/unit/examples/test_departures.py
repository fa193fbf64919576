from datetime import date, timedelta

import pytest

from examples.flight import departures as data
from examples.flight.departures import (
    FlightDataMissingError,
    NoSuchDayError,
    airport_name,
    departures,
)


def test_the_storm_has_930_departures_of_which_472_were_cancelled():
    storm = departures(date(2013, 2, 8))

    assert len(storm) == 930
    assert sum(departure.cancelled for departure in storm) == 472


def test_the_calm_day_has_919_departures_and_none_was_cancelled():
    calm = departures(date(2013, 4, 21))

    assert len(calm) == 919
    assert not any(departure.cancelled for departure in calm)


@pytest.mark.parametrize("day", [date(2013, 2, 8), date(2013, 4, 21), date(2013, 3, 10)])
def test_every_flight_takes_a_time_that_flights_take(day: date):
    """Arrivals are local to the destination: a wrong zone would show as minutes or as a day."""
    for departure in departures(day):
        assert timedelta(minutes=35) <= departure.takes <= timedelta(hours=13), departure
        assert departure.landed > departure.left


def test_times_are_instants_and_flights_have_ids_of_their_own():
    storm = departures(date(2013, 2, 8))
    flight = next(departure for departure in storm if departure.number == "DL2285")

    assert flight.flight == "DL2285-2013-02-08"
    assert flight.departs.isoformat() == "2013-02-08T12:00:00+00:00"
    assert flight.dep_delay == 308
    assert len({departure.flight for departure in storm}) == len(storm)


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(data, "find_spec", lambda name: None)
    data.departures.cache_clear()
    data._airports.cache_clear()

    with pytest.raises(FlightDataMissingError, match="make install"):
        departures(date(2013, 5, 5))


def test_a_day_without_flights_is_refused():
    with pytest.raises(NoSuchDayError, match="2013"):
        departures(date(2014, 1, 1))


def test_airports_have_names():
    assert airport_name("MIA") == "Miami Intl"
    assert airport_name("SJU") == "SJU"
