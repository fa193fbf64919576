"""Each of several bags or legs has a thread and a look-back of its own."""

from datetime import UTC, datetime, timedelta

from tests.unit.journey.story import NOON, Run, entered, on, program

LEGS = [
    {"flight": "F1", "arrives": "2026-03-03T12:00:00Z"},
    {"flight": "F2", "arrives": "2026-03-04T12:00:00Z"},
    {"flight": "F3", "arrives": "2026-03-05T12:00:00Z"},
]
LANDING = (
    "for_each: {of: run.legs, as: leg, at_most: 4, do: "
    "[{wait: {any: [{on: Landed, about: leg.flight}], until: leg.arrives, "
    "late: [{send: {message: late, purpose: service}}]}}]}"
)
KEEP = "{legs: event.properties.legs}"
DELAYED = (
    "[{on: Delayed, do: [{set: {run.legs: 'run.legs.map(l, l.flight == event.context.subject.id ? "
    '{"flight": l.flight, "arrives": event.properties.arrives} : l)\'}}]}]'
)


def flying(*steps: str) -> Run:
    return entered(
        on(*(steps or (LANDING, "finish: landed")), keep=KEEP, whenever=DELAYED), legs=LEGS
    )


def lands(run: Run, flight: str) -> Run:
    return run.does("Landed", subject=("flight", flight))


def test_the_journey_goes_on_when_all_items_are_done_in_any_order() -> None:
    anna = flying()
    for flight in ("F2", "F3"):
        assert lands(anna, flight).outcome is None

    assert lands(anna, "F1").outcome == "landed"


def test_one_touchpoint_meets_the_item_it_is_about_only() -> None:
    anna = lands(flying(), "F2")

    assert [item["leg"]["flight"] for item in anna.items] == ["F1", "F3"]


def test_one_touchpoint_may_meet_every_item() -> None:
    each = "for_each: {of: run.legs, as: leg, at_most: 4, do: [{wait: {any: [{on: Over}], until: 9d}}]}"

    assert flying(each, "finish: over").does("Over").outcome == "over"


def test_each_item_looks_back_by_itself() -> None:
    one = "{{wait: {{any: [{{on: {}, about: leg.flight}}], until: 9d}}}}"
    twice = f"{one.format('A')}, {one.format('B')}"
    anna = flying(f"for_each: {{of: run.legs, as: leg, at_most: 4, do: [{twice}]}}", "finish: done")
    a, b = (
        (lambda f: anna.told("A", subject=("flight", f))),
        (lambda f: anna.told("B", subject=("flight", f))),
    )

    anna.together(a("F1"), b("F2"), b("F1"), a("F2"), b("F2"), a("F3"))
    assert anna.outcome is None, "B came before A for F2 once, and after it once; F3 has no B"

    anna.together(b("F3"))
    assert anna.outcome == "done"


def test_what_came_before_the_items_meets_them() -> None:
    anna = lands(flying("wait: 1h", LANDING, "finish: landed"), "F1")
    anna.after(hours=1)

    lands(lands(anna, "F2"), "F3")

    assert anna.outcome == "landed"
    assert anna.messages == []


def test_an_item_follows_the_list_it_came_from() -> None:
    anna = flying()
    assert anna.wakes_at == datetime(2026, 3, 3, 12, tzinfo=UTC)

    anna.does("Delayed", subject=("flight", "F1"), arrives="2026-03-03T18:00:00Z")
    assert anna.wakes_at == datetime(2026, 3, 3, 18, tzinfo=UTC)

    anna.after(days=1, hours=5)
    assert anna.messages == []

    anna.after(hours=1)
    assert anna.messages == ["late"]


def test_an_item_that_is_set_is_written_back_into_the_list() -> None:
    mark = "set: {leg.seen: 'true'}"
    anna = flying(
        f"for_each: {{of: run.legs, as: leg, at_most: 4, do: [{{{mark}}}]}}",
        "wait: 1d",
        "finish: done",
    )

    assert [leg["seen"] for leg in anna.values["legs"]] == [True, True, True]


def test_items_that_came_with_a_touchpoint_do_not_change_with_the_next_one() -> None:
    each = (
        "for_each: {of: event.properties.legs, as: leg, at_most: 4, do: "
        "[{wait: {any: [{on: Changed}], until: 9d}}, {set: {run.changed: 'true'}}, "
        "{wait: 1h}, {send: {message: told, purpose: service}}]}"
    )
    anna = entered(on(each, "finish: told"), legs=["mine"])

    anna.does("Changed", legs=["somebody else's"])
    anna.after(hours=1)

    assert [sent["leg"] for sent in anna.message_values] == ["mine"]


def test_items_beyond_at_most_are_left_out_and_that_is_noted() -> None:
    each = "for_each: {of: 'run.legs', as: leg, at_most: 2, do: [{send: {message: hello, purpose: service}}]}"
    anna = flying(each, "finish: done")

    assert anna.messages == ["hello", "hello"]
    assert "at_most: 1 of 3 items left out" in anna.why


def test_nothing_to_do_is_done_at_once() -> None:
    each = "for_each: {of: LIST, as: leg, at_most: 2, do: [{wait: 1d}]}"

    for nothing in ("'[]'", "run.never", "'7'", "'\"abc\"'", "event.properties.missing"):
        journey = on(each.replace("LIST", nothing), "finish: done", keep="{never: 'null'}")
        assert entered(journey).outcome == "done"


def test_items_may_have_items_of_their_own() -> None:
    inner = "{for_each: {of: leg.bags, as: bag, at_most: 3, do: [{send: {message: bag, purpose: service}}]}}"
    each = f"for_each: {{of: run.legs, as: leg, at_most: 4, do: [{inner}]}}"
    legs = [{"flight": "F1", "bags": ["a", "b"]}, {"flight": "F2", "bags": ["c"]}]
    anna = entered(on(each, "finish: done", keep=KEEP), legs=legs)

    told = sorted((sent["leg"]["flight"], sent["bag"]) for sent in anna.message_values)
    assert told == [("F1", "a"), ("F1", "b"), ("F2", "c")]
    assert anna.outcome == "done"


def test_an_item_that_finishes_ends_the_whole_run() -> None:
    ends = "{wait: {any: [{on: Lost, do: [{finish: lost}]}], until: 1d}}"
    each = f"for_each: {{of: run.legs, as: leg, at_most: 4, do: [{ends}]}}"
    anna = flying(each, "finish: landed").does("Lost")

    assert anna.outcome == "lost"
    assert anna.state.threads == []


def test_an_item_that_goes_takes_the_whole_run_there() -> None:
    lost = "{wait: {any: [{on: Lost, about: leg.flight, do: [{go: lost}]}], until: 9d}}"
    journey = program(f"""
keep: {KEEP}
stages:
  - stage: flying
    steps:
      - for_each: {{of: run.legs, as: leg, at_most: 4, do: [{lost}]}}
      - finish: landed
  - stage: lost
    steps: [{{wait: 1d}}, {{finish: found}}]
""")
    anna = entered(journey, legs=LEGS).does("Lost", subject=("flight", "F2"))

    assert anna.stage == "lost"
    assert len(anna.state.threads) == 1


def test_an_item_of_a_reaction_that_goes_leaves_the_reaction_free_to_react_again() -> None:
    each = "{for_each: {of: event.properties.bags, as: bag, at_most: 3, do: [{wait: 1h}, {go: second}]}}"
    journey = program(f"""
whenever: [{{on: Bags, do: [{each}]}}]
stages:
  - stage: first
    steps: [{{wait: 9d}}, {{finish: waited}}]
  - stage: second
    steps: [{{wait: 9d}}, {{finish: waited}}]
""")
    anna = entered(journey).does("Bags", bags=["a", "b"])
    anna.after(hours=1)
    assert anna.stage == "second"
    assert len(anna.state.threads) == 1

    anna.does("Bags", bags=["c"])
    anna.after(hours=1)
    assert anna.state.visits["second"] == 2
    assert anna.wakes_at == NOON + timedelta(days=9, hours=2)
