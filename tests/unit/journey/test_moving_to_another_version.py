"""A run that is moved to another version of its journey goes on where it stood, and is never stuck."""

from datetime import timedelta

import pytest

from journey.effects import Deliver, ReadTraits, StartRun
from journey.happenings import EffectFinished, TraitsAnswer
from journey.program import Program
from tests.unit.journey.story import NOON, entered, on, program

SEND = "{send: {message: told, purpose: service}}"


def version(*steps: str, parts: str = "") -> Program:
    lines = "\n".join(f"      - {step}" for step in steps)
    return program(f"""{parts}
stages:
  - stage: first
    steps:
{lines}
  - stage: second
    steps: [{{wait: {{any: [{{on: Late}}], until: 9d}}}}, {{finish: second}}]
whenever: [{{on: Over, do: [{{go: second}}]}}]
""")


WAITING = version("wait: {any: [{on: Paid, do: [{finish: paid}]}], until: 3d}", "finish: unpaid")


def test_a_run_goes_on_where_it_stood_under_the_new_rules() -> None:
    anna = entered(WAITING)
    anna.after(days=1)

    anna.moves(
        version("wait: {any: [{on: Paid, do: [{finish: paid-anew}]}], until: 5d}", "finish: unpaid")
    )

    assert anna.wakes_at == NOON + timedelta(days=5), "counted from when the step was reached"
    assert anna.does("Paid").outcome == "paid-anew"


def test_what_was_in_the_mailbox_is_still_there() -> None:
    paid, packed = "wait: {any: [{on: Paid}], until: 1d}", "wait: {any: [{on: Packed}], until: 1d}"
    anna = entered(version(paid, packed, "finish: a")).does("Packed")

    anna.moves(version(paid, packed.replace("Packed", "Packed, do: [{finish: b}]"), "finish: a"))
    anna.after(days=1)

    assert anna.outcome == "b"


def test_a_deadline_that_has_passed_under_the_new_version_is_due_at_once() -> None:
    anna = entered(WAITING)
    anna.after(days=2)

    anna.moves(version("wait: {any: [{on: Paid}], until: 1d}", "finish: unpaid"))

    assert anna.outcome == "unpaid"


def test_a_wait_that_has_no_end_any_more_forgets_the_old_one() -> None:
    anna = entered(WAITING)

    anna.moves(version("wait: {any: [{on: Paid, do: [{finish: paid}]}], forever: true}"))
    anna.after(days=90)

    assert anna.outcome is None
    assert anna.does("Paid").outcome == "paid"


def test_a_run_may_be_told_where_to_go_on() -> None:
    anna = entered(WAITING)

    anna.moves(WAITING, "second")

    assert anna.stage == "second"
    assert anna.wakes_at == NOON + timedelta(days=9)


def test_a_run_may_be_told_at_which_step_to_go_on() -> None:
    anna = entered(WAITING)

    anna.moves(version("wait: 3d", "set: {run.a: 1}", "wait: 1d", "finish: done"), "first/2")

    assert anna.messages == []
    assert anna.wakes_at == NOON + timedelta(days=1)


@pytest.mark.parametrize(
    "address", ["nowhere", "first/99", "", "whenever/0/0", "first/bag/do/0", "first/soon/late/0"]
)
def test_a_place_where_nobody_can_stand_leads_to_the_beginning_of_the_stage(address: str) -> None:
    items = f"for_each: {{of: '[1]', as: bag, at_most: 2, do: [{SEND}]}}"
    promise = f"promise: {{as: soon, text: Soon, by: 1d, kept_by: {{on: Paid}}, late: [{SEND}]}}"
    anna = entered(WAITING)

    anna.moves(version("wait: 3d", items, promise, "finish: done"), address)

    assert anna.stage == "first"
    assert anna.stopped is None
    assert anna.wakes_at == NOON + timedelta(days=3)


def test_where_the_step_is_gone_the_stage_begins_anew() -> None:
    anna = entered(version("wait: 1h", "wait: {any: [{on: Paid}], until: 3d}", "finish: unpaid"))
    anna.after(hours=1)

    anna.moves(version("send: {message: told, purpose: service}", "finish: short"))

    assert anna.messages == ["told"]
    assert anna.outcome == "short"


def test_where_the_stage_is_gone_the_journey_begins_anew() -> None:
    anna = entered(WAITING).does("Over")

    anna.moves(on("wait: 1h", "finish: only"))

    assert anna.stage == "only"
    assert anna.wakes_at == NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    "step",
    [
        "send: {message: told, purpose: service}",
        "wait: {any: [{on: Paid}], until: 1h}",
        "handoff: {queue: q, brief: b, resolve: 1h, decisions: {a: {}}}",
        "choose: [{otherwise: [{wait: 1h}]}]",
        "for_each: {of: '[1, 2]', as: x, at_most: 2, do: [{wait: 1h}]}",
        "promise: {as: p, text: P, by: 1h, kept_by: {on: Paid}}",
        "set: {customer.x: '1'}",
        "go: second",
        "finish: over",
    ],
)
@pytest.mark.parametrize(
    "stands",
    [
        "send: {message: told, purpose: service}",
        "wait: {any: [{on: Paid}], until: 1h}",
        "handoff: {queue: q, brief: b, resolve: 1h, decisions: {a: {}}}",
        "for_each: {of: '[1, 2]', as: x, at_most: 2, do: [{wait: 1h}]}",
        "promise: {as: p, text: P, by: 1h, kept_by: {on: Paid}}",
    ],
)
def test_a_run_that_stands_at_one_kind_of_step_goes_on_at_any_other(stands: str, step: str) -> None:
    old = version(stands, "wait: 1d", "finish: old")
    ends = () if step.startswith(("go", "finish")) else ("wait: 1d", "finish: new")
    for busy in ((), (Deliver,)):
        anna = entered(old, busy=busy)
        anna.busy = ()

        anna.moves(version(step, *ends))
        for effect in [asked.effect for asked in anna.state.outstanding.values()]:
            anna.answers(effect)
        anna.after(days=20)

        assert anna.outcome in ("new", "second", "over")
        assert anna.state.finished


def test_a_promise_that_the_new_version_does_not_make_is_dropped() -> None:
    anna = entered(
        version(
            "promise: {as: soon, text: Soon, by: 9d, kept_by: {on: Paid}}", "wait: 3d", "finish: a"
        )
    )

    anna.moves(version("set: {run.a: '1'}", "wait: 3d", "finish: a"))

    assert anna.promises == [("soon", "open"), ("soon", "dropped")]
    assert anna.state.promises == []


def test_traits_that_only_the_new_version_names_are_read() -> None:
    anna = entered(WAITING, busy=(ReadTraits,))
    choice = "choose: [{when: customer.vip == true, do: [{finish: vip}]}]"

    anna.moves(version("wait: {any: [{on: Paid}], until: 3d}", choice, "finish: unpaid"))
    read = anna.effects[-1]
    assert isinstance(read, ReadTraits)
    anna.happens(EffectFinished(n=read.n, answer=TraitsAnswer(traits={"vip": True})))
    anna.after(days=3)

    assert anna.outcome == "vip"


def test_items_whose_steps_are_gone_do_not_hold_up_the_run() -> None:
    each = "for_each: {of: '[1, 2]', as: x, at_most: 2, do: [{wait: 1h}, {wait: 2h}]}"
    anna = entered(version(each, "finish: old"))
    anna.after(hours=1)

    anna.moves(version(each.replace(", {wait: 2h}", ""), "wait: 1d", "finish: new"))
    anna.after(days=2)

    assert anna.outcome == "new"


def test_a_value_set_by_an_item_whose_list_is_gone_does_not_fail_the_run() -> None:
    steps = "[{wait: {any: [{on: Paid}], until: 9d}}, {set: {x.paid: 'true'}}, {wait: 1h}]"
    each = "{for_each: {of: run.bags, as: x, at_most: 2, do: STEPS}}"
    react = f"whenever: [{{on: Bags, do: [{each}]}}, {{on: Over, do: [{{go: b}}]}}]"
    rest = """
keep: {bags: '[{}]'}
stages: [{stage: a, steps: [{wait: 9d}, {finish: a}]}, {stage: b, steps: [{finish: b}]}]"""
    anna = entered(program(react.replace("STEPS", steps) + rest)).does("Bags")

    anna.moves(program(react.replace("STEPS", steps).replace("as: x", "id: new, as: x") + rest))
    anna.does("Paid")
    anna.after(days=9)

    assert anna.outcome == "a"


OTHER = "run: {journey: other, until: 60d, late: [{wait: 1d}]}"
NOT_WAITED_FOR = "run: {journey: other, wait: false}"


def test_who_waits_for_another_journey_goes_on_where_the_new_version_does_not() -> None:
    """Nobody would tell how that ended, and there is no deadline any more: the customer would wait for ever."""
    anna = entered(version(OTHER, SEND[1:-1], "finish: old"))

    anna.moves(version(NOT_WAITED_FOR, SEND[1:-1], "finish: new"))

    assert anna.messages == ["told"]
    assert anna.outcome == "new"
    assert len([each for each in anna.effects if isinstance(each, StartRun)]) == 1
    assert "run: the new version does not wait for how it ends" in anna.why


def test_who_waits_for_another_journey_waits_on_where_the_new_version_does() -> None:
    anna = entered(version(OTHER, "finish: old"))

    anna.moves(version(OTHER.replace("60d", "9d"), "finish: new"))

    assert anna.outcome is None
    assert anna.wakes_at == NOON + timedelta(days=9), "counted from when the step was reached"


def test_a_reaction_that_waits_for_another_journey_ends_where_the_new_version_does_not() -> None:
    def reacting(step: str) -> Program:
        return on("wait: 9d", "finish: waited", whenever=f"[{{on: A, do: [{{{step}}}, {SEND}]}}]")

    anna = entered(reacting(OTHER)).does("A")

    anna.moves(reacting(NOT_WAITED_FOR))

    assert [thread.home for thread in anna.state.threads] == ["main"]
    assert anna.messages == ["told"]
    anna.does("A")
    assert anna.messages == ["told", "told"], "it reacts to the next one"


@pytest.mark.parametrize(("join", "messages", "go_on"), [("all", 2, 2), ("first", 0, 1)])
def test_ways_side_by_side_that_wait_for_another_journey_go_on(
    join: str, messages: int, go_on: int
) -> None:
    def ways(step: str, then: str) -> Program:
        arms = ", ".join(f"{{arm: {arm}, do: [{{{step}}}{then}]}}" for arm in ("a", "b"))
        return version(f"parallel: {{join: {join}, arms: [{arms}]}}", "wait: 1d", "finish: done")

    then = f", {SEND}" if messages else ""
    anna = entered(ways(OTHER, then))

    anna.moves(ways(NOT_WAITED_FOR, then))

    assert len(anna.messages) == messages
    assert anna.why.count("run: the new version does not wait for how it ends") == go_on
    assert anna.wakes_at == NOON + timedelta(days=1)
    anna.after(days=1)
    assert anna.outcome == "done"


def test_a_move_tells_why_and_to_which_version() -> None:
    anna = entered(WAITING)
    other = version("wait: {any: [{on: Paid}], until: 1d}", "finish: unpaid")

    anna.moves(other)

    assert f"moved: moved to version {other.version[:12]}: a better version" in anna.why


def test_a_reaction_that_runs_and_is_gone_in_the_new_version_ends() -> None:
    reacting = on(
        "wait: 9d",
        "finish: waited",
        whenever="[{on: A, do: [{wait: 1d}]}, {on: B, do: [{wait: 1d}]}]",
    )
    anna = entered(reacting).does("A").does("B")

    anna.moves(on("wait: 9d", "finish: waited"))

    assert [thread.home for thread in anna.state.threads] == ["main"]
    anna.after(days=9)
    assert anna.outcome == "waited"


def test_a_coupon_whose_step_is_gone_is_void_and_another_is_as_it_was() -> None:
    """Nobody would see it used or run out; it must not be worth something for ever."""
    ten, wait = "offer: {coupon: ten, expires: 9d, redeemed_by: {on: Used}}", "wait: 3d"
    anna = entered(version(ten, ten.replace("ten", "five"), wait, "finish: done"))
    assert len(anna.coupons) == 2

    anna.moves(version(ten, wait, wait, "finish: done"), "first/1")

    assert [state for _, state in anna.settled] == ["voided"]
    assert anna.settled[0][0] == anna.coupons[1].n
