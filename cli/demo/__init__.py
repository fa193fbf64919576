"""The demo: a real day of departures, flown through a journey by real processes."""
