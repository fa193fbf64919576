"""A run on a server wakes when the customer's clock says so, also on the day on which the clock changes."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.workflows.world import Stage

PRAGUE = ZoneInfo("Europe/Prague")

OVER_THE_CHANGE = """
language: 1
journey: over-the-change
title: Over the change of the clock
owner: tests
zone: Europe/Prague
enter: {on: Began}
keep: {eve: event.properties.eve}
stages:
  - stage: waiting
    steps:
      - wait: {until: run.eve}
      - wait: 1d
      - wait: 24h
      - wait: next 09:00
      - finish: waited
"""


def day_of_change(now: datetime, hours: int) -> datetime:
    """Midnight of the next day in Prague on which the clock goes forward (1) or back (-1) by an hour."""
    for ahead in range(3, 400):
        day = datetime.combine(now.date() + timedelta(days=ahead), time(), PRAGUE)
        before, after = day.utcoffset(), (day + timedelta(days=1)).utcoffset()
        assert before is not None
        assert after is not None
        if after - before == timedelta(hours=hours):
            return day
    raise AssertionError("the clock in Prague changes twice a year")


@pytest.mark.parametrize(("hours", "length"), [(1, 23), (-1, 25)], ids=["forward", "back"])
async def test_a_day_is_a_day_and_nine_is_nine_when_the_clock_changes(
    stage: Stage, hours: int, length: int
) -> None:
    stage.world.publish(OVER_THE_CHANGE)
    day = day_of_change(await stage.skipping.get_current_time(), hours)
    eve = (day - timedelta(hours=10)).astimezone(UTC)  # wall-clock: 14:00 on the day before
    anna = await stage.enter("over-the-change", "Began", eve=eve.isoformat())

    assert await anna.outcome() == "waited"

    records = [record for _, record in stage.world.records]
    woke = [entry.at for record in records for entry in record.trace if entry.kind == "late"]
    # A busy machine may be slow to carry a run on, by seconds; an hour is what could be wrong.
    assert [at.replace(minute=0, second=0, microsecond=0) for at in woke] == [
        eve,
        eve + timedelta(hours=length),
        eve + timedelta(hours=length + 24),
        (day + timedelta(days=2, hours=9)).astimezone(UTC),
    ]
