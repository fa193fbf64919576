"""Who enters without having done anything: those who come to be of an audience, and those whose date has come."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import JsonValue

from journey.entry_looks import (
    Candidate,
    Look,
    Looked,
    Tally,
    entry_kind,
    events_looked_at,
    is_looked_at,
    look,
    tally,
)
from journey.program import Program
from journey.touchpoint import TRAITS_CHANGED
from tests.unit.journey.story import NOON, program

GOLD = "{audience: customer.tier == 'gold'}"
BUYERS = "{audience: counts.orders >= 3, counts: {orders: {on: Ordered, within: 90d}}}"
RENEWAL = "{date: customer.renews_on, offset: -30d, at: '09:00'}"


def journey(enter: str) -> Program:
    steps = "stages: [{stage: only, steps: [{wait: 1h}, {finish: done}]}]"
    return program(f"enter: {enter}\n{steps}")


class Watched:
    """A customer who is looked at again and again."""

    def __init__(self, enter: str, *, new: bool = True, zone: str = "UTC") -> None:
        self.program, self.new, self.zone = journey(enter), new, zone
        self.before: Looked | None = None
        self.now = NOON

    def looked_at(self, orders: list[datetime] | None = None, **traits: JsonValue) -> Look:
        counted = self.program.definition.enter.counts
        tallies = {
            name: tally(orders or [], each.within, self.zone, self.now)
            for name, each in counted.items()
        }
        candidate = Candidate(profile=traits, zone=self.zone, tallies=tallies)
        found = look(self.program, candidate, self.before, self.now, new=self.new)
        self.before = found.looked
        return found


def test_who_comes_to_be_of_the_audience_enters_once() -> None:
    anna = Watched(GOLD)

    assert anna.looked_at(tier="silver").enters == ()
    assert anna.looked_at(tier="gold").enters == ("1",)
    assert anna.looked_at(tier="gold").enters == ()


def test_who_leaves_the_audience_and_comes_back_enters_as_somebody_new() -> None:
    anna = Watched(GOLD)
    anna.looked_at(tier="gold")

    left = anna.looked_at(tier="silver")
    assert (left.left, left.enters) == (True, ())

    assert anna.looked_at(tier="gold").enters == ("2",)


def test_who_was_never_of_the_audience_does_not_leave_it() -> None:
    anna = Watched(GOLD)

    assert not anna.looked_at(tier="silver").left
    assert not anna.looked_at(tier="silver").left


@pytest.mark.parametrize(
    ("existing", "new", "enters"),
    [("false", False, ()), ("true", False, ("1",)), ("false", True, ("1",))],
)
def test_who_was_of_the_audience_before_the_journey_enters_only_where_it_says_so(
    existing: str, new: bool, enters: tuple[str, ...]
) -> None:
    anna = Watched(f"{{audience: customer.tier == 'gold', existing: {existing}}}", new=new)

    assert anna.looked_at(tier="gold").enters == enters


def test_who_was_there_before_enters_when_they_come_to_be_of_the_audience() -> None:
    anna = Watched(GOLD, new=False)
    anna.looked_at(tier="gold")
    anna.looked_at(tier="silver")

    assert anna.looked_at(tier="gold").enters == ("1",)


def test_what_cannot_be_told_keeps_the_customer_out_and_says_why() -> None:
    found = Watched(GOLD).looked_at()

    assert found.enters == ()
    assert "tier" in found.why


def test_the_third_order_within_its_time_brings_the_customer_in() -> None:
    anna = Watched(BUYERS)
    days = [NOON - timedelta(days=day) for day in (100, 50, 20)]
    assert anna.looked_at(days).enters == (), "one of them is too old"

    assert anna.looked_at([*days, NOON]).enters == ("1",)


def test_an_order_that_falls_out_of_its_time_takes_the_customer_out_again() -> None:
    anna = Watched(BUYERS)
    days = [NOON - timedelta(days=day) for day in (80, 50, 20)]
    entered = anna.looked_at(days)
    assert entered.look_at == NOON + timedelta(days=10)

    anna.now = NOON + timedelta(days=10)
    assert anna.looked_at(days).left


def test_an_audience_that_time_alone_may_change_is_looked_at_every_day() -> None:
    anna = Watched("{audience: now > timestamp(customer.trial_ends)}")

    assert anna.looked_at(trial_ends="2026-03-04T12:00:00Z").look_at == NOON + timedelta(days=1)

    anna.now = NOON + timedelta(days=3)
    assert anna.looked_at(trial_ends="2026-03-04T12:00:00Z").enters == ("1",)


def test_an_audience_that_only_traits_change_is_not_looked_at_by_time() -> None:
    assert Watched(GOLD).looked_at(tier="gold").look_at is None


def test_a_date_brings_its_customer_in_so_long_before() -> None:
    anna = Watched(RENEWAL, zone="Europe/Prague")
    early = anna.looked_at(renews_on="2026-05-01")
    assert early.enters == ()
    assert early.look_at == datetime(2026, 4, 1, 7, 0, tzinfo=UTC), "09:00 in Prague, in summer"

    anna.now = datetime(2026, 4, 1, 7, 0, tzinfo=UTC)
    assert anna.looked_at(renews_on="2026-05-01").enters == ("2026-05-01",)
    assert anna.looked_at(renews_on="2026-05-01").enters == ()


def test_a_date_that_has_passed_when_the_journey_begins_brings_nobody_in() -> None:
    found = Watched(RENEWAL).looked_at(renews_on="2026-03-20")

    assert (found.enters, found.look_at) == ((), None)


def test_a_date_that_moves_brings_its_customer_in_on_the_new_day() -> None:
    anna = Watched(RENEWAL)
    anna.looked_at(renews_on="2026-05-01")

    anna.now = NOON + timedelta(days=1)
    moved = anna.looked_at(renews_on="2026-06-01")
    assert moved.look_at == datetime(2026, 5, 2, 9, 0, tzinfo=UTC)

    anna.now = datetime(2026, 5, 2, 9, 0, tzinfo=UTC)
    assert anna.looked_at(renews_on="2026-06-01").enters == ("2026-06-01",)


def test_a_date_that_came_during_an_outage_is_not_lost() -> None:
    anna = Watched(RENEWAL)
    anna.looked_at(renews_on="2026-05-01")

    anna.now = datetime(2026, 4, 20, tzinfo=UTC)
    assert anna.looked_at(renews_on="2026-05-01").enters == ("2026-05-01",)


@pytest.mark.parametrize("value", ["soon", 7, None, ""])
def test_what_is_no_date_brings_nobody_in_and_says_so(value: JsonValue) -> None:
    found = Watched(RENEWAL).looked_at(renews_on=value)

    assert (found.enters, found.look_at) == ((), None)
    assert "is not a date" in found.why


def test_a_birthday_comes_every_year() -> None:
    anna = Watched("{date: customer.born, every: year}")
    names: list[str] = []
    anna.looked_at(born="1990-07-14")
    for year in (2026, 2027, 2028):
        anna.now = datetime(year, 7, 14, tzinfo=UTC)
        names += anna.looked_at(born="1990-07-14").enters

    assert names == ["2026-07-14", "2027-07-14", "2028-07-14"]


def test_a_date_may_be_for_some_customers_only() -> None:
    enter = "{date: customer.born, every: year, audience: customer.tier == 'gold'}"
    gold, silver = Watched(enter), Watched(enter)
    for anna, tier in ((gold, "gold"), (silver, "silver")):
        anna.looked_at(born="1990-07-14", tier=tier)
        anna.now = datetime(2026, 7, 14, tzinfo=UTC)

    assert gold.looked_at(born="1990-07-14", tier="gold").enters == ("2026-07-14",)
    assert silver.looked_at(born="1990-07-14", tier="silver").enters == ()


WAYS = [
    ("{on: Began}", "touchpoint", False),
    (GOLD, "audience", True),
    (RENEWAL, "date", True),
    ("{date: customer.born, every: year, audience: customer.tier == 'gold'}", "date", True),
    ("{schedule: FREQ=WEEKLY}", "schedule", False),
    ("{schedule: FREQ=WEEKLY, audience: customer.tier == 'gold'}", "schedule", False),
    ("{by: request}", "request", False),
]


@pytest.mark.parametrize(("enter", "kind", "looked"), WAYS)
def test_how_customers_enter(enter: str, kind: str, looked: bool) -> None:
    assert entry_kind(journey(enter)) == kind
    assert is_looked_at(journey(enter)) == looked


def test_a_customer_is_looked_at_when_they_change_and_when_what_is_counted_comes() -> None:
    assert events_looked_at(journey(BUYERS)) == {"Ordered", TRAITS_CHANGED}
    assert events_looked_at(journey("{on: Began}")) == set()


def test_a_count_without_a_time_never_falls() -> None:
    assert tally([NOON, NOON], None, "UTC", NOON) == Tally(count=2)


def test_who_tells_of_a_date_when_it_has_passed_does_not_enter_for_it() -> None:
    """They were looked at before, when nobody knew of the date."""
    anna = Watched("{date: customer.born, every: year}")
    anna.looked_at(tier="gold")
    anna.now = datetime(2026, 9, 1, tzinfo=UTC)

    told = anna.looked_at(born="1990-07-14")

    assert (told.enters, told.look_at) == ((), datetime(2027, 7, 14, tzinfo=UTC))


def test_who_puts_a_date_back_to_one_that_has_passed_does_not_enter_for_it() -> None:
    anna = Watched(RENEWAL)
    anna.looked_at(renews_on="2026-05-01")
    anna.now = NOON + timedelta(days=20)

    assert anna.looked_at(renews_on="2026-04-10").enters == ()
