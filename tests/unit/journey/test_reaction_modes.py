"""What comes while a reaction runs: it waits its turn, begins it anew, or is left alone."""

import pytest

from journey.effects import Deliver, OpenCase
from tests.unit.journey.story import Run, entered, on

HOUR = "{wait: 1h}, {send: {message: told, purpose: service}}"


def reacting(mode: str, do: str = HOUR, *, busy: tuple[type, ...] = (), more: str = "") -> Run:
    rule = f"{{on: Asked, mode: {mode}{more}, do: [{do}]}}"
    return entered(on("wait: 30d", "finish: done", whenever=f"[{rule}]"), busy=busy)


@pytest.mark.parametrize(
    ("mode", "orders"), [("queue", [1, 2]), ("restart", [2]), ("ignore-while-running", [1])]
)
def test_each_mode_deals_in_its_own_way_with_what_comes_meanwhile(
    mode: str, orders: list[int]
) -> None:
    anna = reacting(mode)
    anna.does("Asked", order=1)
    anna.after(minutes=30)
    anna.does("Asked", order=2)
    anna.after(hours=5)

    told = [sent["event"]["properties"]["order"] for sent in anna.message_values]
    assert told == orders


def test_beginning_anew_counts_its_time_anew() -> None:
    anna = reacting("restart")
    for _ in range(4):
        anna.does("Asked")
        anna.after(minutes=50)
    assert anna.messages == []

    anna.after(minutes=10)
    assert anna.messages == ["told"]


@pytest.mark.parametrize("mode", ["restart", "ignore-while-running"])
def test_what_comes_when_it_is_done_is_a_new_beginning(mode: str) -> None:
    anna = reacting(mode)
    for _ in range(3):
        anna.does("Asked")
        anna.after(hours=2)

    assert anna.messages == ["told"] * 3


def test_what_was_left_alone_is_noted() -> None:
    anna = reacting("ignore-while-running").does("Asked").does("Asked")

    assert "ignored: Asked came while it runs" in anna.why


def test_beginning_anew_closes_the_case_that_it_had_opened() -> None:
    case = "{handoff: {queue: care, brief: b, decisions: {ok: {}}}}"
    anna = reacting("restart", case).does("Asked").does("Asked")

    assert [case.n for case in anna.cases][:1] == anna.closed
    anna.decides("ok", case=anna.cases[0])
    assert len(anna.waits_for) == 2, "the decision of a closed case means nothing"


def test_beginning_anew_while_a_case_is_being_opened_closes_it_once_it_is() -> None:
    case = "{handoff: {queue: care, brief: b, decisions: {ok: {}}}}"
    anna = reacting("restart", case, busy=(OpenCase,)).does("Asked").does("Asked")

    anna.answers(anna.cases[0])

    assert anna.closed == [anna.cases[0].n]


def test_beginning_anew_ends_what_it_does_for_each_item() -> None:
    each = f"{{for_each: {{of: '[1, 2]', as: bag, at_most: 8, do: [{HOUR}]}}}}"
    anna = reacting("restart", each).does("Asked")
    anna.after(minutes=30)
    anna.does("Asked")
    anna.after(hours=2)

    assert anna.messages == ["told", "told"]


def test_a_message_on_its_way_is_not_called_back_by_beginning_anew() -> None:
    anna = reacting(
        "restart", "{send: {message: told, purpose: service}}, {wait: 1h}", busy=(Deliver,)
    )
    anna.does("Asked").does("Asked")

    for sent in anna.deliveries:
        anna.answers(sent)

    assert len(anna.messages) == 2


@pytest.mark.parametrize("mode", ["restart", "ignore-while-running"])
def test_several_that_come_at_once_are_dealt_with_one_by_one(mode: str) -> None:
    anna = reacting(mode)
    anna.together(*(anna.told("Asked", order=order) for order in (1, 2, 3)))
    anna.after(hours=3)

    told = [sent["event"]["properties"]["order"] for sent in anna.message_values]
    assert told == ([3] if mode == "restart" else [1])


def test_settling_comes_before_beginning_anew() -> None:
    anna = reacting("restart", more=", settle: 5m")
    anna.does("Asked", order=1)
    anna.after(minutes=4)
    anna.does("Asked", order=2)
    anna.after(minutes=60)
    assert anna.messages == []

    anna.after(minutes=10)
    assert [sent["event"]["properties"]["order"] for sent in anna.message_values] == [2]


TOTAL = "{on: Added, do: [{set: {run.total: event.properties.total}}]}"


def rising(mode: str) -> Run:
    rule = f"{{when: run.total > 100, mode: {mode}, do: [{HOUR}]}}"
    journey = on("wait: 30d", "finish: done", whenever=f"[{TOTAL}, {rule}]", keep="{total: '0'}")
    return entered(journey)


@pytest.mark.parametrize(
    ("mode", "first", "then"),
    [("queue", 1, 2), ("restart", 0, 1), ("ignore-while-running", 1, 1)],
)
def test_a_condition_that_becomes_true_again_meanwhile(mode: str, first: int, then: int) -> None:
    anna = rising(mode)
    anna.does("Added", total=150)
    anna.after(minutes=30)
    anna.does("Added", total=50).does("Added", total=150)

    anna.after(minutes=30)
    assert len(anna.messages) == first

    anna.after(hours=5)
    assert len(anna.messages) == then


def test_a_reaction_of_one_kind_leaves_the_others_alone() -> None:
    rules = f"[{{on: Asked, mode: restart, do: [{HOUR}]}}, {{on: Told, do: [{HOUR}]}}]"
    anna = entered(on("wait: 30d", "finish: done", whenever=rules)).does("Told")
    anna.after(minutes=30)

    anna.does("Asked").does("Asked")
    anna.after(minutes=30)

    assert len(anna.messages) == 1
