"""Work goes to who can do it, is there and has room; then as the queue says."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from journey.assignment import Candidate, chosen
from journey.opening_hours import OpeningHours
from journey.presence import Presence

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
NOTHING: frozenset[str] = frozenset()


def member(name: str, **more: Any) -> Candidate:
    values: dict[str, Any] = {
        "skills": NOTHING,
        "languages": frozenset({"en"}),
        "load": 0,
        "room": 8,
    }
    return Candidate(member=name, **{**values, **more})


def given(how: Any, *candidates: Candidate, **more: Any) -> str | None:
    values: dict[str, Any] = {"skills": NOTHING, "language": None, **more}
    return chosen(how, candidates, **values)


def test_nobody_is_given_what_they_cannot_do_or_have_no_room_for() -> None:
    needs = frozenset({"refunds"})
    full = member("full", skills=needs, load=8)
    assert given("least-loaded", member("eva"), full, skills=needs) is None
    assert given("least-loaded", full, member("jan", skills=needs, load=7), skills=needs) == "jan"


def test_turns_go_round() -> None:
    had = [
        member(name, turned_at=NOW - timedelta(minutes=ago)) for name, ago in (("a", 3), ("b", 9))
    ]
    assert given("round-robin", *had) == "b"
    assert given("round-robin", *had, member("new")) == "new"


def test_who_has_least_for_their_room_gets_the_next() -> None:
    assert given("least-loaded", member("a", load=3), member("b", load=1, room=2)) == "a"


def test_who_can_more_is_kept_for_what_only_they_can() -> None:
    needs = frozenset({"refunds"})
    both = member("both", skills=needs | {"fraud"})
    assert given("skill-first", both, member("one", skills=needs, load=2), skills=needs) == "one"


def test_who_knew_the_customer_last_gets_them_again() -> None:
    knew = member("knew", knew_at=NOW, load=5)
    before = member("before", knew_at=NOW - timedelta(days=9))
    assert given("knew-last", member("idle"), before, knew) == "knew"


def test_who_speaks_the_customers_language_comes_first_and_others_still_help() -> None:
    czech = member("eva", languages=frozenset({"cs"}), load=6)
    assert given("least-loaded", member("jan"), czech, language="cs") == "eva"
    assert given("least-loaded", member("jan"), language="cs") == "jan"


def test_who_was_silent_is_passed_over_and_what_is_pulled_is_given_to_nobody() -> None:
    assert given("round-robin", member("eva"), passed_over=frozenset({"eva"})) is None
    assert given("pulled", member("eva")) is None


@pytest.mark.parametrize("how", ["round-robin", "least-loaded", "skill-first", "knew-last"])
def test_a_day_of_cases_is_shared_evenly(how: Any) -> None:
    had: dict[str, list[datetime]] = {name: [] for name in "abcde"}
    for n in range(103):
        candidates = [
            member(name, room=100, load=len(times), turned_at=times[-1] if times else None)
            for name, times in had.items()
        ]
        name = given(how, *candidates)
        assert name is not None
        had[name].append(NOW + timedelta(minutes=n))
    counts = [len(times) for times in had.values()]
    assert max(counts) - min(counts) <= 1


def test_who_is_absent_or_off_shift_is_not_there_and_one_sees_when_they_come() -> None:
    shift = OpeningHours(
        week={"monday": ["09:00-12:00", "13:00-17:00"], "tuesday": ["09:00-17:00"]}
    )
    ill = (NOW + timedelta(hours=1), NOW + timedelta(hours=26))
    presence = Presence(shift=shift.calendar("UTC"), absences=[ill])
    assert presence.is_there(NOW)
    assert presence.away_from(NOW) == ill[0]
    assert not presence.is_there(NOW + timedelta(hours=2))
    assert presence.there_from(NOW + timedelta(hours=2)) == ill[1]
    lunch = Presence(shift=shift.calendar("UTC"))
    assert lunch.there_from(NOW + timedelta(hours=3, minutes=30)) == NOW + timedelta(hours=4)
    assert lunch.away_from(NOW) is None
