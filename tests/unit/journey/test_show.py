"""What is to be said at a place, as long as it is true."""

from datetime import timedelta

from tests.unit.journey.story import NOON, Run, entered, on, program

ORDER = "show: {at: [web, ivr], say: 'Order {{ run.order }}'%s}"
CHANGES = "[{on: Changed, do: [{set: {run.order: event.properties.order}}]}]"


def showing(more: str = "", *steps: str, **parts: str) -> Run:
    keep = "{order: event.properties.order}"
    journey = on(
        ORDER % more,
        *(steps or ("wait: 30d", "finish: done")),
        keep=keep,
        whenever=CHANGES,
        **parts,
    )
    return entered(journey, order="o1")


def said(run: Run) -> list[object]:
    values = [show.values.get("run") for show in run.shown]
    return [each["order"] for each in values if isinstance(each, dict)]


def test_it_is_said_at_its_places_and_the_journey_goes_on_at_once() -> None:
    anna = showing()

    [show] = anna.shown
    assert (show.places, show.say) == (("web", "ivr"), "Order {{ run.order }}")
    assert (show.priority, show.until) == (50, None)
    assert anna.waits_for[0].startswith("until")


def test_it_says_what_holds_now() -> None:
    anna = showing().does("Changed", order="o2")

    assert said(anna) == ["o2"]


def test_what_did_not_change_is_not_written_again() -> None:
    anna = showing()
    before = len(anna.records)

    anna.does("Changed", order="o1")

    assert [record.shows for record in anna.records[before:] if record.shows] == []


def test_it_is_said_until_its_time_is_over() -> None:
    anna = showing(", until: 2d")
    [show] = anna.shown
    assert show.until == NOON + timedelta(days=2)

    anna.after(days=2)

    assert anna.shown == []
    assert anna.outcome is None


def test_its_time_moves_with_what_it_names() -> None:
    moved = "[{on: Moved, do: [{set: {run.ends: event.properties.to}}]}]"
    journey = on(
        "show: {at: [web], say: Soon, until: run.ends}",
        "wait: 30d",
        "finish: done",
        keep="{ends: event.properties.ends}",
        whenever=moved,
    )
    anna = entered(journey, ends="2026-03-10T12:00:00Z")

    anna.does("Moved", to="2026-03-05T12:00:00Z")
    [show] = anna.shown
    assert show.until == NOON + timedelta(days=3)

    anna.after(days=3)
    assert anna.shown == []


def test_what_is_not_true_to_begin_with_is_not_said() -> None:
    anna = showing(", while: 'run.order == \"o2\"'")

    assert anna.shown == []
    assert anna.outcome is None


def test_what_is_no_longer_true_is_no_longer_said() -> None:
    anna = showing(", while: 'run.order == \"o1\"'")
    assert said(anna) == ["o1"]

    anna.does("Changed", order="o2")

    assert anna.shown == []
    assert any(why.startswith("show: no longer said") for why in anna.why)


def test_what_is_true_again_is_said_again() -> None:
    anna = showing(", while: 'run.order != \"o2\"'")

    anna.does("Changed", order="o2")
    assert anna.shown == []

    anna.does("Changed", order="o3")
    assert said(anna) == ["o3"]


def test_what_becomes_true_is_said_from_then_on() -> None:
    anna = showing(", while: 'run.order == \"o2\"'").does("Changed", order="o2")

    assert said(anna) == ["o2"]


def test_its_time_may_be_over_while_it_is_not_said() -> None:
    anna = showing(", until: 2d, while: 'run.order == \"o1\"'").does("Changed", order="o2")

    anna.after(days=2)
    anna.does("Changed", order="o1")

    assert anna.shown == []


def test_nothing_is_said_when_the_journey_has_ended() -> None:
    assert showing("", "finish: done").shown == []
    assert showing(exit="[{on: Left, outcome: left}]").does("Left").shown == []


def test_it_is_said_on_in_other_stages() -> None:
    journey = program(
        """
stages:
  - stage: one
    steps:
      - show: {at: [web], say: Hello}
      - go: two
  - stage: two
    steps:
      - wait: 30d
      - finish: done
"""
    )

    assert [show.say for show in entered(journey).shown] == ["Hello"]


def test_each_of_several_things_said_at_one_place_has_its_priority() -> None:
    anna = showing(", priority: 90", "show: {at: [web], say: Other}", "wait: 1d", "finish: done")

    assert [(show.say, show.priority) for show in anna.shown] == [
        ("Order {{ run.order }}", 90),
        ("Other", 50),
    ]


def test_what_each_item_says_names_the_item() -> None:
    each = "for_each: {of: '[1, 2]', as: bag, at_most: 8, do: [{show: {at: [app], say: 'Bag {{ bag }}'}}]}"
    anna = entered(on(each, "wait: 1d", "finish: done"))

    assert [show.values["bag"] for show in anna.shown] == [1, 2]
