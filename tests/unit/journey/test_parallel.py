"""Several ways at once: each goes its own pace, and none is forgotten."""

import pytest

from tests.unit.journey.story import entered, on

WAYS = (
    "arms: [{arm: pack, do: [{wait: {any: [{on: Packed}], until: 7d}}]},"
    " {arm: pay, do: [{wait: {any: [{on: Paid}], until: 7d}}, {send: {message: receipt, purpose: service}}]}]"
)


@pytest.mark.parametrize("order", [("Packed", "Paid"), ("Paid", "Packed")])
def test_all_ways_are_gone_before_the_journey_goes_on(order: tuple[str, str]) -> None:
    anna = entered(on(f"parallel: {{{WAYS}}}", "finish: done"))

    anna.does(order[0])
    assert anna.outcome is None
    anna.does(order[1])

    assert (anna.outcome, anna.messages) == ("done", ["receipt"])


def test_one_touchpoint_may_meet_a_wait_on_each_way() -> None:
    ways = WAYS.replace("Packed", "Paid")
    anna = entered(on(f"parallel: {{{ways}}}", "finish: done"))

    anna.does("Paid")

    assert anna.outcome == "done"


def test_the_first_way_that_is_done_ends_the_others() -> None:
    case = "{handoff: {queue: sales, brief: Help, decisions: {called: {}}}}"
    ways = f"arms: [{{arm: staff, do: [{case}]}}, {{arm: alone, do: [{{wait: {{any: [{{on: Paid}}], until: 7d}}}}]}}]"
    anna = entered(on(f"parallel: {{join: first, {ways}}}", "finish: done"))
    assert len(anna.cases) == 1

    anna.does("Paid")

    assert anna.outcome == "done"
    assert anna.closed == [anna.cases[0].n], "nobody is left with a case that nobody needs"


def test_a_way_may_take_the_whole_run_elsewhere() -> None:
    ways = WAYS.replace("{on: Packed}", "{on: Packed, do: [{finish: packed}]}")
    anna = entered(on(f"parallel: {{{ways}}}", "finish: done"))

    anna.does("Packed")

    assert anna.outcome == "packed"
    assert anna.state.threads == []


def test_ways_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="arm 'pack' is there twice"):
        on(f"parallel: {{{WAYS.replace('arm: pay', 'arm: pack')}}}", "finish: done")
