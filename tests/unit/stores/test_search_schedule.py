"""A file is made at its hour, as clocks in its zone show it."""

from datetime import UTC, datetime

import pytest

from stores.saved_searches import Schedule, SearchNotKeptError


@pytest.mark.parametrize(
    ("schedule", "at", "due"),
    [
        (Schedule(every="day", hour=6, zone="UTC"), "2026-11-28T05:59", "2026-11-28T06:00"),
        (Schedule(every="day", hour=6, zone="UTC"), "2026-11-28T06:00", "2026-11-29T06:00"),
        (Schedule(every="day", hour=6, zone="Europe/Prague"), "2026-07-01T00:00", "2026-07-01T04:00"),
        # The clock leaves 02:00 out in Prague on 29 March, and shows it twice on 25 October.
        (Schedule(every="day", hour=2, zone="Europe/Prague"), "2026-03-28T12:00", "2026-03-29T01:00"),
        (Schedule(every="day", hour=2, zone="Europe/Prague"), "2026-10-24T12:00", "2026-10-25T00:00"),
        (Schedule(every="day", hour=2, zone="Europe/Prague"), "2026-10-25T00:00", "2026-10-26T01:00"),
        (Schedule(every="week", hour=0, zone="UTC", weekday=0), "2026-11-28T12:00", "2026-11-30T00:00"),
        (Schedule(every="week", hour=23, zone="Pacific/Auckland", weekday=6), "2026-11-28T12:00", "2026-11-29T10:00"),
    ],
)  # fmt: skip
def test_the_next_time_is_the_first_after_now(schedule: Schedule, at: str, due: str) -> None:
    def read(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    assert schedule.after(read(at)) == read(due)


@pytest.mark.parametrize(("hour", "zone", "weekday"), [(24, "UTC", 0), (6, "Prague", 0), (6, "UTC", 7)])  # fmt: skip
def test_an_hour_or_a_zone_that_there_is_not_is_refused_with_the_remedy(
    hour: int, zone: str, weekday: int
) -> None:
    with pytest.raises(SearchNotKeptError, match=r"zone, such as|Choose an hour"):
        Schedule(every="day", hour=hour, zone=zone, weekday=weekday)
