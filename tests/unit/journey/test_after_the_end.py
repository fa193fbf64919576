"""What comes after the end of a run is not its own any more: it is told apart, once, and never swallowed."""

from journey.happenings import Arrived
from journey.touchpoint import Touchpoint
from tests.unit.journey.story import NOON, Run, entered, on, touched

BOUGHT = "[{on: Bought, outcome: bought}]"
WAITS = "wait: {any: [{on: Asked}], until: 1d}"


def waiting() -> Run:
    return entered(on(WAITS, "finish: asked", exit=BOUGHT))


def late(run: Run, *touchpoints: Touchpoint, behind: tuple[Touchpoint, ...] = ()) -> list[str]:
    happening = Arrived(touchpoints=touchpoints, behind=behind)
    return [touchpoint.message_id for touchpoint in run.happens(happening).late]


def came(event: str, message_id: str, number: int | None = None) -> Touchpoint:
    return touched(event, message_id, NOON, number=number)


def test_what_came_with_an_exit_and_after_it_is_late_and_what_came_before_it_is_not() -> None:
    anna = waiting()

    assert late(anna, came("Asked", "a"), came("Bought", "b"), came("Asked", "c")) == ["c"]
    assert anna.outcome == "bought"


def test_an_exit_in_what_waits_to_be_let_in_leaves_only_what_came_after_it() -> None:
    behind = (came("Asked", "b"), came("Bought", "c"), came("Asked", "d"))

    assert late(waiting(), came("Asked", "a"), behind=behind) == ["d"]


def test_what_came_with_the_touchpoint_that_led_to_the_end_is_late() -> None:
    behind = (came("Asked", "c"),)

    assert late(waiting(), came("Asked", "a"), came("Asked", "b"), behind=behind) == ["b", "c"]


def test_what_comes_to_a_run_that_has_ended_is_late_unless_it_was_counted() -> None:
    anna = waiting()
    late(anna, came("Bought", "b", number=3))

    assert late(anna, came("Asked", "a", number=3), came("Asked", "c", number=4)) == ["c"]
    assert late(anna, came("Asked", "c", number=4), came("Bought", "b")) == ["c", "b"]
    assert anna.refused[-1] == "Bought b: the journey has ended"


def test_nothing_is_late_while_the_run_goes_on() -> None:
    anna = entered(on("wait: {any: [{on: Left}], until: 1d}", WAITS, "finish: asked"))

    assert late(anna, came("Asked", "a"), came("Left", "b"), behind=(came("Asked", "c"),)) == []


def test_who_asks_for_an_entry_while_a_run_is_under_way_is_not_swallowed_by_it() -> None:
    anna = waiting()

    assert late(anna, came("$enter", "a"), came("Yawned", "b")) == ["a"]
    assert late(anna, came("$enter", "a")) == [], "and is handed on once"
    assert anna.outcome is None

    assert late(waiting(), came("$enter", "a"), came("Bought", "b"), came("Asked", "c")) == [
        "c",
        "a",
    ]
