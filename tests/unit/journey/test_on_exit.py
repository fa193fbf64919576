"""What is done when the run ends otherwise than by its own finish."""

from datetime import timedelta

import pytest

from journey.effects import CallOut, Deliver
from tests.unit.journey.story import Run, deferred, entered, on

BYE = "{send: {message: bye, purpose: service}}"
BOUGHT = "[{on: Bought, outcome: bought}]"


def leaving(
    *do: str, steps: tuple[str, ...] = (), busy: tuple[type, ...] = (), **parts: str
) -> Run:
    journey = on(
        *(steps or ("wait: 3d", "finish: done")),
        exit=parts.pop("exit", BOUGHT),
        on_exit=f"[{', '.join(do or (BYE,))}]",
        **parts,
    )
    return entered(journey, busy=busy)


def test_an_exit_does_what_is_to_be_done_then() -> None:
    anna = leaving().does("Bought")

    assert (anna.outcome, anna.messages) == ("bought", ["bye"])
    assert anna.deliveries[0].last_act
    assert anna.state.finished


def test_the_own_finish_of_a_journey_does_not() -> None:
    anna = leaving()
    anna.after(days=3)

    assert (anna.outcome, anna.messages) == ("done", [])


def test_a_condition_that_ends_the_run_does_it() -> None:
    anna = leaving(
        exit="[{when: run.total > 100, outcome: rich}]",
        keep="{total: '0'}",
        whenever="[{on: Added, do: [{set: {run.total: '200'}}]}]",
    ).does("Added")

    assert (anna.outcome, anna.messages) == ("rich", ["bye"])


def test_who_is_told_to_leave_is_told_goodbye() -> None:
    anna = leaving()
    anna.leaves()

    assert (anna.outcome, anna.messages) == ("left", ["bye"])


def test_what_was_on_its_way_is_called_off_and_what_is_said_at_the_end_is_not() -> None:
    steps = ("send: {message: reminder, purpose: marketing}", "finish: done")
    anna = leaving(steps=steps, busy=(Deliver,)).does("Bought")

    on_their_way = [asked.effect for asked in anna.state.outstanding.values()]
    assert [each.message for each in on_their_way if isinstance(each, Deliver)] == ["bye"]


def test_its_steps_are_done_one_behind_the_other_and_the_run_lives_until_they_are() -> None:
    call = "{call: {url: 'https://stock.example.com/free', as: freed}}"
    anna = leaving(call, BYE, busy=(CallOut,)).does("Bought")
    assert (anna.outcome, anna.messages, anna.state.finished) == ("bought", [], False)

    anna.answers(anna.calls[0])

    assert anna.messages == ["bye"]
    assert anna.state.finished


def test_a_step_that_fails_does_not_keep_the_next_from_being_done() -> None:
    call = "{call: {url: 'https://stock.example.com/free'}}"
    anna = leaving(call, BYE, busy=(CallOut,)).does("Bought")

    anna.fails(anna.calls[0])

    assert anna.messages == ["bye"]
    assert anna.state.finished


def test_what_to_do_when_a_step_fails_is_done() -> None:
    call = f"{{call: {{url: 'https://stock.example.com/free', on_failure: [{BYE}]}}}}"
    anna = leaving(call, busy=(CallOut,)).does("Bought")

    anna.fails(anna.calls[0])

    assert anna.messages == ["bye"]


def test_a_message_that_must_wait_for_the_morning_is_sent_then() -> None:
    anna = leaving(busy=(Deliver,)).does("Bought")
    anna.answers(anna.deliveries[0], deferred(anna.now + timedelta(hours=9)))
    assert anna.wakes_at == anna.now + timedelta(hours=9)

    anna.after(hours=9)
    anna.answers(anna.deliveries[1])

    assert anna.state.finished


def test_it_may_choose_by_what_the_journey_kept() -> None:
    choose = f"{{choose: [{{when: 'run.told == true', do: [{BYE}]}}]}}"

    assert leaving(choose, keep="{told: 'true'}").does("Bought").messages == ["bye"]
    assert leaving(choose, keep="{told: 'false'}").does("Bought").messages == []


def test_it_may_write_traits_and_sees_what_the_touchpoint_of_the_customer_said_last() -> None:
    do = "{set: {customer.churned: 'true', customer.seen: event.properties.page}}"
    anna = leaving(do, steps=("wait: {any: [{on: Seen}], until: 1d}", "wait: 3d", "finish: done"))

    anna.does("Seen", page=3).does("Bought")

    assert anna.written_traits == [{"churned": True, "seen": 3}]


def test_it_sees_that_the_coupon_is_void() -> None:
    offer = "offer: {coupon: ten, expires: 9d, redeemed_by: {on: Ordered}}"
    choose = f"{{choose: [{{when: 'ten.state == \"voided\"', do: [{BYE}]}}]}}"
    anna = leaving(choose, steps=(offer, "wait: 3d", "finish: done")).does("Bought")

    assert anna.messages == ["bye"]


@pytest.mark.parametrize("again", ["Bought", "Seen"])
def test_nothing_that_comes_afterwards_disturbs_it(again: str) -> None:
    anna = leaving(busy=(Deliver,)).does("Bought").does(again)

    assert anna.outcome == "bought"
    assert len(anna.messages) == 1


def test_it_is_done_once() -> None:
    anna = leaving(busy=(Deliver,)).does("Bought")
    anna.leaves()
    anna.does("Bought")

    assert anna.messages == ["bye"]


def test_open_cases_close_and_what_is_shown_goes() -> None:
    steps = ("show: {at: [web], say: Hi}", "handoff: {queue: q, brief: b, decisions: {ok: {}}}")
    anna = leaving(steps=(*steps, "finish: done")).does("Bought")

    assert len(anna.closed) == 1
    assert anna.shown == []
